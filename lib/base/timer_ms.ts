import { msOption, numericOption } from "./numeric_options.ts";

/** The longest time that a timer takes, 24.8 days: with more it would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * A limit in time as `setTimeout` takes it. `Infinity`, and what else no timer can wait for, is
 * cut to the longest one.
 *
 * @param byDefault What `undefined` stands for.
 * @param least The shortest time that makes sense.
 * @throws {TypeError | RangeError} if it is no number of milliseconds from `least`.
 */
export function timerMs(
  name: string,
  ms: number | undefined,
  byDefault = Infinity,
  least = 0,
): number {
  if (ms === undefined) return Math.min(byDefault, MAX_TIMER_MS);
  return Math.min(numericOption(name, ms, msOption(byDefault, least)), MAX_TIMER_MS);
}
