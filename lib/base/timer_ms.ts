/** The longest time that a timer takes, 24.8 days: with more it would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * A limit in time as `setTimeout` takes it. `Infinity`, and what else no timer can wait for, is
 * cut to the longest one.
 *
 * @throws {RangeError} if it is negative or not a number.
 */
export function timerMs(name: string, ms: number): number {
  if (ms >= 0) return Math.min(ms, MAX_TIMER_MS);
  throw new RangeError(`Cannot use ${ms} as ${name}: give a number of milliseconds`);
}
