/**
 * What a function of the program returned that may be waited for. A promise is one thing; any object
 * with a method `then` may call back twice, throw, or do both.
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
