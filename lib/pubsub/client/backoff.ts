import { timerMs } from "../../base/timer_ms.ts";

/** How a client waits before it connects again. */
export interface BackoffOptions {
  /** The longest that the first wait can be, in milliseconds; each next one's doubles. @default {200} */
  readonly firstMs?: number | undefined;
  /** The longest that any wait can be, in milliseconds. @default {10_000} */
  readonly longestMs?: number | undefined;
}

/**
 * Exponential back-off with full jitter: each wait is drawn evenly between nothing and a bound
 * that doubles, so that a thousand clients which lost one broker do not come back at one time.
 *
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export class Backoff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #random: () => number;
  #tries = 0;

  /**
   * Begins with the shortest bound.
   *
   * @throws {TypeError | RangeError} if a time is no number of milliseconds.
   * @param random Gives a number from 0 up to 1; tests put their own in its place.
   */
  constructor(options: BackoffOptions = {}, random: () => number = Math.random) {
    this.#firstMs = timerMs("firstMs", options.firstMs, 200);
    this.#longestMs = timerMs("longestMs", options.longestMs, 10_000);
    this.#random = random;
  }

  /** How long to wait this time, in milliseconds. */
  next(): number {
    const bound = Math.min(this.#longestMs, this.#firstMs * 2 ** this.#tries++);
    return this.#random() * bound;
  }

  /** Begins anew: the last connection worked. */
  reset(): void {
    this.#tries = 0;
  }
}
