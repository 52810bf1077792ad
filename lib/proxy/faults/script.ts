import { MAX_TIMER_MS } from "../../base/timer_ms.ts";
import { parseDuration } from "../../base/units.ts";
import type { Fault } from "./fault.ts";
import { FaultError } from "./fault_error.ts";
import { parseFault } from "./parse_fault.ts";

/** A line of a script: from this time on there is one fault more, or none. */
export interface ScriptStep {
  /** Milliseconds after the script began. */
  readonly atMs: number;
  /** The fault that is added; `undefined` clears all. */
  readonly fault: Fault | undefined;
}

/** A line of a script that cannot be read. */
export class ScriptError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "ScriptError";
  /** Always `bad-script`. */
  readonly code = "bad-script";
  /** The number of the line: 1 is the first. */
  readonly line: number;

  /** Made by this library. */
  constructor(line: number, problem: string, cause?: unknown) {
    super(`Cannot read line ${line} of the script: ${problem}`, { cause });
    this.line = line;
  }
}

/**
 * Reads a script: lines of a time since its beginning, and a fault that is added then, or `clear`,
 * which takes all away. Empty lines, and what follows a `#`, do not count.
 *
 * @example
 * ```ts
 * import { parseScript } from "@socktool/socktool/proxy";
 * import { assertEquals } from "@std/assert";
 *
 * const steps = parseScript("5s both delay 80ms\n10s clear  # as it was");
 * assertEquals(steps.map(({ atMs }) => atMs), [5_000, 10_000]);
 * ```
 *
 * @throws {ScriptError} if a line is none, or is earlier than the one before.
 */
export function parseScript(text: string): ScriptStep[] {
  const steps: ScriptStep[] = [];
  for (const [i, written] of text.split(/\r?\n/).entries()) {
    // Within quotation marks a # is of a value.
    const line = written.replace(/("[^"]*")|(?:^|\s)#.*$/g, "$1").trim();
    if (line === "") continue;
    const [, time = "", what = ""] = /^(\S+)\s*(.*)$/.exec(line)!;
    const atMs = parseDuration(time);
    if (atMs === undefined) {
      const quoted = JSON.stringify(time);
      throw new ScriptError(i + 1, `it begins with ${quoted}, not with a time such as 5s`);
    }
    if (atMs < (steps.at(-1)?.atMs ?? 0)) {
      throw new ScriptError(i + 1, `${time} is before the time of the line above`);
    }
    if (what === "") throw new ScriptError(i + 1, "a fault, or clear, is missing behind the time");
    steps.push({ atMs, fault: what === "clear" ? undefined : faultOf(what, i + 1) });
  }
  return steps;
}

function faultOf(text: string, line: number): Fault {
  try {
    return parseFault(text);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    throw new ScriptError(line, error.message.replace("Cannot", "cannot"), error);
  }
}

/** What a script changes. */
export interface FaultTarget {
  /** What is set. */
  readonly faults: readonly Fault[];
  /** Puts faults in the place of those before. */
  set(faults: readonly Fault[]): void;
}

/** Carries out a script on a proxy, from now on. @returns what ends it early, when disposed of. */
export function playScript(proxy: FaultTarget, steps: readonly ScriptStep[]): Disposable {
  const startedAt = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let next = 0;
  const wait = () => {
    const step = steps[next];
    if (step === undefined) return;
    const leftMs = Math.max(0, startedAt + step.atMs - performance.now());
    // A step may be later than a timer can wait for.
    timer = setTimeout(leftMs > MAX_TIMER_MS ? wait : act, Math.min(leftMs, MAX_TIMER_MS));
  };
  const act = () => {
    const { fault } = steps[next++]!;
    // Before the change is made: it may throw.
    wait();
    proxy.set(fault ? [...proxy.faults, fault] : []);
  };
  wait();
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
    },
  };
}
