/** A refusal in the same words is told once in this time. */
const AGAIN_MS = 5_000;

/** How many different refusals are remembered. */
const MAX_REASONS = 100;

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
   * @returns `undefined` if it was told a moment ago.
   */
  sentence(reason: string, now: number = performance.now()): string | undefined {
    if (now - (this.#toldAt.get(reason) ?? -Infinity) < AGAIN_MS) return undefined;
    this.#toldAt.delete(reason);
    if (this.#toldAt.size >= MAX_REASONS) this.#toldAt.delete(this.#toldAt.keys().next().value!);
    this.#toldAt.set(reason, now);
    return `NATS refuses what this broker sent: ${reason}`;
  }
}
