/**
 * Why publications were left out:
 *
 * - `slow`: the subscriber did not take them fast enough.
 * - `too-large`: their content is above the client's `maxContentBytes`.
 * - `disconnected`: the client had no connection; whether there were any is not known.
 */
export type MissedReason = "slow" | "too-large" | "disconnected";

/** Publications that a subscriber did not get. */
export interface MissedPublications {
  /** The filter of the subscription. */
  readonly filter: string;
  /** How many; `null` if that is not known. */
  readonly count: number | null;
  /** The bytes of their frames; `null` if that is not known. */
  readonly bytes: number | null;
  /** Why. */
  readonly reason: MissedReason;
}

/** What was left out at one place between two messages, added up by reason. */
export class MissedTally {
  readonly #byReason = new Map<MissedReason, { count: number | null; bytes: number | null }>();

  /** Whether nothing was left out. */
  get isEmpty(): boolean {
    return this.#byReason.size === 0;
  }

  /** Adds publications. What is unknown makes the sum unknown. */
  add(reason: MissedReason, count: number | null, bytes: number | null): void {
    const sum = this.#byReason.get(reason);
    if (sum === undefined) this.#byReason.set(reason, { count, bytes });
    else {
      sum.count = sum.count === null || count === null ? null : sum.count + count;
      sum.bytes = sum.bytes === null || bytes === null ? null : sum.bytes + bytes;
    }
  }

  /** Moves what another has to this one. */
  take(other: MissedTally): void {
    for (const [reason, { count, bytes }] of other.#byReason) this.add(reason, count, bytes);
    other.#byReason.clear();
  }

  /** What a program is told, by reason. */
  *told(filter: string): Generator<MissedPublications> {
    for (const [reason, sum] of this.#byReason) yield { filter, ...sum, reason };
  }
}
