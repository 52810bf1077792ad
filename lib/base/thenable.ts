/**
 * Values that can be waited for, as functions of the program return them. They need not be promises: any
 * object with a method `then` is one, and that may call back twice, or throw, or both.
 *
 * @module
 */

/** Whether a value can be waited for. @throws what reading its `then` throws. */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null &&
    typeof (value as PromiseLike<T>).then === "function";
}

/** A promise of the same value: it is settled once, later, and its `then` does not throw. */
export function promiseOf<T>(value: PromiseLike<T>): Promise<T> {
  return value instanceof Promise ? value : Promise.resolve(value);
}
