/** How many of the last times are kept. */
const KEPT = 1024;

/** The times of the last searches, and their quantiles. */
export class SearchTimes {
  readonly #times = new Float64Array(KEPT);
  #count = 0;

  /** Adds a time, in milliseconds. */
  add(ms: number): void {
    this.#times[this.#count++ % KEPT] = ms;
  }

  /** The time that this share of the last searches did not exceed; 0 before the first search. */
  quantile(share: number): number {
    const sorted = this.#times.slice(0, Math.min(this.#count, KEPT)).sort();
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  }
}
