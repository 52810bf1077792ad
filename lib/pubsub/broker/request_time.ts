/** So long requests may take together, of all connections, before others have had their turn. */
const FREE_MS = 2;

/** After this time it begins anew: the sockets have been polled since. */
const WINDOW_MS = 20;

/**
 * How long requests have taken lately. The runtime hands out what has come on thousands of
 * connections in one go, and each may ask for a tenth of a millisecond's work.
 */
export class RequestTime {
  #beganAt = -Infinity;
  #takenMs = 0;

  /** Whether the next request that takes long has to wait for its turn, at this `performance.now()`. */
  isSpent(now: number): boolean {
    return this.#takenMs >= FREE_MS && now - this.#beganAt < WINDOW_MS;
  }

  /** A request has taken the time from one moment to another. */
  taken(from: number, to: number): void {
    if (from - this.#beganAt >= WINDOW_MS) {
      this.#beganAt = from;
      this.#takenMs = 0;
    }
    this.#takenMs += to - from;
  }
}
