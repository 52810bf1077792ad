import {
  type Fault,
  FaultError,
  parseFault,
  parseScript,
  ScriptError,
  type ScriptStep,
} from "../../lib/proxy/mod.ts";
import type { FlagTable } from "../_cli/spec.ts";
import { lowerFirst, UsageError } from "../_cli/mod.ts";

/** What a proxy does to connections. */
export const faultFlags = {
  fault: {
    type: "string",
    repeat: true,
    placeholder: "FAULT",
    group: "Faults",
    help: "do this to connections: DIRECTION KIND … [selectors], see below",
  },
  seed: {
    type: "integer",
    min: 0,
    group: "Faults",
    help: "let chance repeat itself: the same seed does the same to the same bytes",
  },
  script: {
    type: "path",
    hint: "file",
    placeholder: "FILE",
    group: "Faults",
    help: "change faults over time: lines of a time since the start, and a fault or 'clear'",
  },
  "expect-fired": {
    type: "boolean",
    group: "Faults",
    help: "exit with 3 at the end if a fault never did anything",
  },
} as const satisfies FlagTable;

/** What the help says of faults. */
export const FAULT_NOTES: readonly string[] = [
  "DIRECTION is up (to the server), down or both. KIND is one of: delay 80ms [jitter 20ms]; rate " +
  "256KiB/s [shared]; loss 2% (bytes come late, as TCP repeats them); slice 1..7B [every 5ms]; " +
  "stall 3s [after 10KiB]; corrupt 1e-6; blackhole; refuse; close, half-close or reset [after " +
  "64KiB]; drop frame, duplicate frame or reorder frame.",
  "Selectors: conn 1..2; 10% of the connections; from 10.0.0.0/8; after 5s, for 10s; and of framed " +
  "streams frames 100..200 and fields of the header, such as op=pub or topic=orders.>",
  "What happens depends on the seed, the number of the connection, the direction and the byte, not " +
  "on how the bytes arrive.",
];

/** @throws {UsageError} if a text is no fault. */
export function faultsOf(texts: readonly string[]): Fault[] {
  return texts.map((text) => {
    try {
      return parseFault(text);
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      throw new UsageError(`--fault: ${lowerFirst(error.message)}`);
    }
  });
}

/** @throws {UsageError} if the file is no script. */
export async function scriptOf(path: string | undefined): Promise<ScriptStep[]> {
  if (path === undefined) return [];
  try {
    return parseScript(await Deno.readTextFile(path));
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    const problem = lowerFirst(error.message).replace(" of the script", "");
    throw new UsageError(`--script ${path}: ${problem}`);
  }
}
