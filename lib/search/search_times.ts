/** How many of the last times count. */
const KEPT = 1024;

/** The times of the last searches, for quantiles. */
export class SearchTimes {
  readonly #times = new Float64Array(KEPT);
  #count = 0;

  /** Notes a time in milliseconds. */
  add(ms: number): void {
    this.#times[this.#count++ % KEPT] = ms;
  }

  /** The time within which this share of the last searches was answered; 0 before the first. */
  quantile(share: number): number {
    const sorted = this.#times.slice(0, Math.min(this.#count, KEPT)).sort();
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  }
}
