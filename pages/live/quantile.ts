import type { Buckets } from "./stats.ts";

/**
 * The time that this share of what was counted between two moments did not exceed, as near as the
 * bounds of the buckets tell; `null` if nothing was counted.
 */
export function quantile(buckets: Buckets, before: Buckets, share: number): number | null {
  const counts = buckets.map(([, count], i) => count - before[i]![1]);
  const wanted = counts.at(-1)! * share;
  if (wanted <= 0) return null;
  const at = counts.findIndex((count) => count >= wanted);
  const [low, under] = at === 0 ? [0, 0] : [buckets[at - 1]![0]!, counts[at - 1]!];
  const high = buckets[at]![0];
  // Above the highest bound nothing more is known.
  if (high === null) return low;
  return low + (high - low) * (wanted - under) / (counts[at]! - under);
}
