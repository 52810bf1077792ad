/** The ratio of paired measurements, and how sure it is. */

/** What pairs say of a ratio. */
export interface Ratio {
  /** The median of the ratio, as Hodges and Lehmann estimate it. */
  readonly median: number;
  /**
   * The interval that holds it with a probability of at least 95 %; from 0 to `Infinity` where there
   * are fewer than {@linkcode MIN_PAIRS}.
   */
  readonly low: number;
  readonly high: number;
}

/** With fewer pairs no interval of 95 % has an end. */
export const MIN_PAIRS = 6;

const OUTSIDE = 0.05;

/**
 * Estimates a ratio from those of pairs that were measured one right after the other.
 *
 * The interval is that of Wilcoxon's signed-rank test on the logarithms. It takes no distribution
 * for granted, only that noise makes a ratio larger as often as smaller, which alternating the
 * order in the pairs sees to. See Hollander, Wolfe and Chicken, Nonparametric Statistical Methods,
 * 3.2 and 3.3.
 *
 * @param ratios One for each pair, positive.
 */
export function estimateRatio(ratios: readonly number[]): Ratio {
  const logs = ratios.map(Math.log);
  const means: number[] = [];
  for (const [i, a] of logs.entries()) {
    for (const b of logs.slice(i)) means.push((a + b) / 2);
  }
  means.sort((a, b) => a - b);
  const cut = meansOutside(ratios.length);
  const middle = means.length >> 1;
  const median = means.length % 2 === 1
    ? means[middle]!
    : (means[middle - 1]! + means[middle]!) / 2;
  return {
    median: Math.exp(median),
    low: cut < 0 ? 0 : Math.exp(means[cut]!),
    high: cut < 0 ? Infinity : Math.exp(means[means.length - 1 - cut]!),
  };
}

/**
 * How many of the sorted means of two may be left out at either end: the most for which a sum of
 * ranks that small comes by chance with a probability of at most 2.5 %. It is negative if there are
 * too few pairs for any sum to be that rare.
 */
function meansOutside(pairs: number): number {
  // In how many of the 2^pairs choices of signs the ranks of one sign have this sum.
  const choices = new Float64Array(pairs * (pairs + 1) / 2 + 1);
  choices[0] = 1;
  for (let rank = 1; rank <= pairs; rank++) {
    for (let sum = choices.length - 1; sum >= rank; sum--) choices[sum]! += choices[sum - rank]!;
  }
  let probability = 0;
  for (let sum = 0;; sum++) {
    probability += choices[sum]! / 2 ** pairs;
    if (probability > OUTSIDE / 2) return sum - 1;
  }
}
