/** A refusal in the same words is told once in this time. */
const AGAIN_MS = 5_000;

/** How many different refusals are told in it: what is refused may be what clients of the broker want. */
const MAX_REASONS = 20;

/** The most characters of a reason that are told. */
const MAX_LENGTH = 500;

/**
 * Decides which refusals of a NATS server are told: a server refuses each of a thousand publications by
 * itself, and each look at a stream that it does not permit.
 */
export class Refusals {
  /** When each was told last, the oldest first. */
  readonly #toldAt = new Map<string, number>();

  /**
   * Makes a sentence of a refusal.
   *
   * @param now Of `performance.now()`.
   * @returns `undefined` if it was told a moment ago, or too many others were.
   */
  sentence(reason: string, now: number = performance.now()): string | undefined {
    const told = reason.slice(0, MAX_LENGTH);
    for (const [each, at] of this.#toldAt) {
      if (now - at < AGAIN_MS) break;
      this.#toldAt.delete(each);
    }
    if (this.#toldAt.has(told) || this.#toldAt.size >= MAX_REASONS) return undefined;
    this.#toldAt.set(told, now);
    const isLast = this.#toldAt.size === MAX_REASONS;
    const rest = isLast ? `; what else it refuses is not told for ${AGAIN_MS / 1_000} s` : "";
    return `NATS refuses what this broker sent: ${told}${rest}`;
  }
}
