/**
 * The functions of `@std/assert` that this project uses, for machines that cannot reach JSR: the
 * same names, signatures and behaviour; only the wording of failures is their own. `deno unlink`
 * turns to the registry's.
 *
 * @module
 */
import { inspect, stripVTControlCharacters } from "node:util";
import { equal } from "./equal.ts";

/** A class, for `instanceof`. */
// deno-lint-ignore no-explicit-any
type Class<T> = abstract new (...args: any[]) => T;

/** What a failed assertion throws. */
export class AssertionError extends Error {
  override name = "AssertionError";

  /** Makes the error; the message must be given. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Asserts that the expression is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Asserts deep equality. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) refuse("Values are not equal", actual, expected, msg);
}

/** Asserts that two values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) refuse("Values are equal", actual, expected, msg);
}

/** Asserts identity, by `Object.is`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (!Object.is(actual, expected)) {
    refuse("Values are not strictly equal", actual, expected, msg);
  }
}

/** Asserts that a value is neither `null` nor `undefined`. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) refuse("Value does not exist", actual, "any", msg);
}

/** Asserts that `actual` is an instance of the class. */
// deno-lint-ignore no-explicit-any
export function assertInstanceOf<T extends Class<any>>(
  actual: unknown,
  expectedType: T,
  msg = "",
): asserts actual is InstanceType<T> {
  if (!(actual instanceof expectedType)) refuse("Not an instance", actual, expectedType, msg);
}

/** Asserts that a string holds another. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (!actual.includes(expected)) refuse("String does not include", actual, expected, msg);
}

/** Asserts that a string matches. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (!expected.test(actual)) refuse("String does not match", actual, expected, msg);
}

/** Asserts `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual >= expected)) refuse("Too small", actual, expected, msg);
}

/** Asserts `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual > expected)) refuse("Too small", actual, expected, msg);
}

/** Asserts `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual <= expected)) refuse("Too large", actual, expected, msg);
}

/** Asserts `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual < expected)) refuse("Too large", actual, expected, msg);
}

/** Asserts that the function throws. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Asserts that the function throws an error of the class, whose message holds a text. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMsg?: Class<Error> | string,
  msgIncludes?: string,
  msg = typeof classOrMsg === "string" ? classOrMsg : undefined,
): unknown {
  try {
    fn();
  } catch (error) {
    return checkError(error, classOrMsg, msgIncludes, msg);
  }
  throw new AssertionError(`Expected function to throw${suffix(msg)}`);
}

/** Asserts that the function returns a promise that is rejected. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/** Asserts a rejection by an error of the class, whose message holds a text. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: Class<Error> | string,
  msgIncludes?: string,
  msg = typeof classOrMsg === "string" ? classOrMsg : undefined,
): Promise<unknown> {
  let promise: PromiseLike<unknown> | undefined;
  try {
    promise = fn();
  } catch {
    // Told of below: there is no promise, either.
  }
  if (typeof promise !== "object" || typeof promise?.then !== "function") {
    throw new AssertionError(`Function throws or returns no promise${suffix(msg)}`);
  }
  try {
    await promise;
  } catch (error) {
    return checkError(error, classOrMsg, msgIncludes, msg);
  }
  throw new AssertionError(`Expected function to reject${suffix(msg)}`);
}

function checkError(
  error: unknown,
  classOrMsg: Class<Error> | string | undefined,
  msgIncludes: string | undefined,
  msg: string | undefined,
): unknown {
  if (!isErrorClass(classOrMsg)) return error;
  if (!(error instanceof classOrMsg)) refuse("Wrong class of error", error, classOrMsg, msg);
  const [message, part] = [error.message, msgIncludes ?? ""].map(stripVTControlCharacters);
  if (!message!.includes(part!)) {
    refuse("Error message does not include", error.message, msgIncludes, msg);
  }
  return error;
}

/** Only classes of errors are looked at, whatever else has their shape. */
function isErrorClass(value: unknown): value is Class<Error> {
  return typeof value === "function" &&
    (value === Error || value.prototype instanceof Error);
}

function refuse(what: string, actual: unknown, expected: unknown, msg: string | undefined): never {
  const show = (value: unknown) => inspect(value, { depth: 10, maxArrayLength: 200 });
  throw new AssertionError(
    `${what}${suffix(msg)}\n  actual:   ${show(actual)}\n  expected: ${show(expected)}`,
  );
}

function suffix(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}
