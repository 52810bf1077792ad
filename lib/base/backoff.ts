import { checkGiven } from "./option_kinds.ts";
import { timerMs } from "./timer_ms.ts";

/** How a client waits before it connects again. */
export interface BackoffOptions {
  /** The bound of the first wait, in milliseconds; it doubles with each further one. @default {200} */
  readonly firstMs?: number | undefined;
  /** The highest bound, in milliseconds. @default {10_000} */
  readonly longestMs?: number | undefined;
}

/**
 * Exponential back-off with full jitter: each wait is a random time below a bound, and the bound
 * doubles. So a thousand clients that lost the same broker do not come back all at once.
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
   * @param random Gives a number from 0 up to 1.
   * @throws {TypeError | RangeError} if a time is no number of milliseconds.
   */
  constructor(options: BackoffOptions = {}, random: () => number = Math.random) {
    checkGiven("options", options, "object");
    this.#firstMs = timerMs("firstMs", options.firstMs, 200);
    this.#longestMs = timerMs("longestMs", options.longestMs, 10_000);
    this.#random = random;
  }

  /** How long to wait this time, in milliseconds. */
  next(): number {
    const bound = Math.min(this.#longestMs, this.#firstMs * 2 ** this.#tries++);
    return this.#random() * bound;
  }

  /** Begins again with the shortest bound, after a connection that worked. */
  reset(): void {
    this.#tries = 0;
  }
}
