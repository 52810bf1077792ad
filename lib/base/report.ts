/**
 * Where errors go that no caller waits for and no callback takes: a program's own reporter, or
 * the console.
 *
 * @module
 */
import { messageOf } from "./message_of.ts";
import { isThenable, promiseOf } from "./thenable.ts";

/**
 * Is told of an error that nobody else hears of.
 *
 * @param what What failed, as the beginning of a sentence: `The handler of a request failed`.
 */
export type ErrorReporter = (error: unknown, what: string) => void;

/** The last one counts. Without one, errors go to the console. */
const reporters: ErrorReporter[] = [];

/**
 * Reports an error that would be lost otherwise. Call it only where there is no promise to reject
 * and no callback to tell. It never throws.
 *
 * @param what What failed, as the beginning of a sentence, without a full stop.
 */
export function reportError(error: unknown, what: string): void {
  const reporter = reporters.at(-1);
  if (reporter === undefined) return toConsole(error, what);
  try {
    reporter(error, what);
  } catch (failure) {
    toConsole(error, what);
    toConsole(failure, "The reporter of errors failed");
  }
}

/**
 * Calls a function of the program, such as an observer's, that must not harm its caller: what it
 * throws, or its promise rejects with, is reported.
 *
 * @param what What failed then, as for {@linkcode reportError}: `The observer of a server failed`.
 * @param tell Is told in the place of {@linkcode reportError}.
 */
export function guard(
  what: string,
  call: () => unknown,
  tell: ErrorReporter = reportError,
): void {
  try {
    const result = call();
    if (isThenable(result)) promiseOf(result).catch((error) => tell(error, what));
  } catch (error) {
    tell(error, what);
  }
}

/**
 * An observer of the program that cannot harm its caller: each of its methods is called by
 * {@linkcode guard}. Methods that it lacks are lacking here too.
 *
 * @param what What failed when one throws, as for {@linkcode guard}.
 * @param names The names of its methods.
 */
export function guardObserver<T extends object>(
  what: string,
  observer: T,
  names: Readonly<Record<keyof T & string, unknown>>,
): T {
  type Method = (...args: readonly unknown[]) => unknown;
  const given = observer as Record<string, Method | undefined>;
  const guarded: Record<string, Method> = {};
  for (const name of Object.keys(names)) {
    if (given[name] === undefined) continue;
    guarded[name] = (...args) => guard(what, () => given[name]?.(...args));
  }
  return guarded as T;
}

/**
 * Sends the errors of {@linkcode reportError} to a reporter instead of the console, until what it
 * returns is disposed of. While there are several, the one that came last is told. Each thread has
 * its own.
 *
 * @example
 * ```ts
 * import { redirectErrors, reportError } from "./report.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const lines: string[] = [];
 * {
 *   using _ = redirectErrors((error, what) => lines.push(`${what}: ${error}`));
 *   reportError(new Error("no"), "A callback failed");
 * }
 * assertEquals(lines, ["A callback failed: Error: no"]);
 * ```
 */
export function redirectErrors(reporter: ErrorReporter): Disposable {
  // One function may be given twice; each call has an entry of its own.
  const entry: ErrorReporter = (error, what) => reporter(error, what);
  reporters.push(entry);
  return {
    [Symbol.dispose]() {
      const at = reporters.indexOf(entry);
      if (at >= 0) reporters.splice(at, 1);
    },
  };
}

/**
 * Errors that the console shows in a second at most. A callback that fails for every message would
 * otherwise fill a disk with the same lines.
 */
const SHOWN_PER_SECOND = 20;

let secondBegan = -Infinity;
let shown = 0;
let leftOut = 0;

function toConsole(error: unknown, what: string): void {
  const now = performance.now();
  if (now - secondBegan >= 1_000) {
    secondBegan = now;
    shown = 0;
  }
  if (shown++ >= SHOWN_PER_SECOND) {
    // Said at once: perhaps no other error follows that could tell.
    if (leftOut++ === 0) print("More errors come too fast to be shown");
    return;
  }
  if (leftOut > 0) print(`${leftOut} errors were not shown`);
  leftOut = 0;
  try {
    print(`${what}:`, error);
  } catch {
    // An error whose properties throw cannot be shown by every console.
    print(`${what}: ${messageOf(error)}`);
  }
}

function print(...parts: unknown[]): void {
  // The one place in lib that prints: see the module.
  // deno-lint-ignore no-console
  console.error(...parts);
}
