/** After this much work, as it is estimated, the clock is looked at: 100 µs. */
export const LOOK_NS = 100_000;

/** What a header costs that is not the one before, and what a delivery does. */
export const HEADER_NS = 1_000;
export const DELIVERY_NS = 200;

/** How long requests of all connections may take together before others get a turn. */
const FREE_MS = 2;

/** After this time the count begins anew: the runtime has polled the sockets since. */
const WINDOW_MS = 20;

/**
 * How long requests have taken lately. In one go the runtime hands out what has come on thousands of
 * connections, and each request may take a tenth of a millisecond.
 */
export class RequestTime {
  #beganAt = -Infinity;
  #takenMs = 0;

  /** Whether the next long request has to wait for a turn. @param now Of `performance.now()`. */
  isSpent(now: number): boolean {
    return this.#takenMs >= FREE_MS && now - this.#beganAt < WINDOW_MS;
  }

  /** Counts a request that began and ended at these times. */
  taken(from: number, to: number): void {
    if (from - this.#beganAt >= WINDOW_MS) {
      this.#beganAt = from;
      this.#takenMs = 0;
    }
    this.#takenMs += to - from;
  }
}
