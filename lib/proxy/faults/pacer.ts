/** What was not used of a rate may be made up for within this time, by which timers may be late. */
const CREDIT_MS = 20;

/** A rate, as the times at which bytes may pass. */
export class Pacer {
  readonly bytesPerMs: number;
  /** When all that was asked for so far has passed. */
  #freeAt = -Infinity;

  constructor(bytesPerSecond: number) {
    this.bytesPerMs = bytesPerSecond / 1_000;
  }

  /** When bytes that have arrived at `now` may begin to pass. The next ones follow them. */
  reserve(bytes: number, now: number): number {
    const beginsAt = Math.max(this.#freeAt, now - CREDIT_MS);
    this.#freeAt = beginsAt + bytes / this.bytesPerMs;
    return beginsAt;
  }
}
