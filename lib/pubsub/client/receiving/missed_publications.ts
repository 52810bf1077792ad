/** Publications that a subscriber did not get. */
export interface MissedPublications {
  /** The filter of the subscription. */
  readonly filter: string;
  /** How many; `null` if that is not known. */
  readonly count: number | null;
  /** Whether it may have been more than `count`; left out where not. */
  readonly atLeast?: true | undefined;
  /** The bytes of their frames; `null` if that is not known. */
  readonly bytes: number | null;
  /**
   * Why:
   *
   * - `slow`: the subscriber did not take them fast enough.
   * - `too-large`: their content is above the client's `maxContentBytes`.
   * - `disconnected`: they were on their way when the connection was lost, or the client had none.
   *   Where their number is not known, there may have been none.
   * - `lost`: they were lost on their way from another broker to the client's.
   */
  readonly reason: "slow" | "too-large" | "disconnected" | "lost";
}

/** Why publications were left out. */
export type MissedReason = MissedPublications["reason"];

/** What was left out for one reason. */
type Sum = { count: number | null; bytes: number | null; atLeast: boolean };

/** What was left out at one place between two messages, added up by reason. */
export class MissedTally {
  readonly #byReason = new Map<MissedReason, Sum>();

  /** Whether nothing was left out. */
  get isEmpty(): boolean {
    return this.#byReason.size === 0;
  }

  /** Adds publications. What is unknown makes the sum unknown. */
  add(reason: MissedReason, count: number | null, bytes: number | null, atLeast = false): void {
    const sum = this.#byReason.get(reason);
    if (sum === undefined) this.#byReason.set(reason, { count, bytes, atLeast });
    else {
      sum.count = sum.count === null || count === null ? null : sum.count + count;
      sum.bytes = sum.bytes === null || bytes === null ? null : sum.bytes + bytes;
      sum.atLeast ||= atLeast;
    }
  }

  /** Moves what another has to this one. */
  take(other: MissedTally): void {
    for (const [reason, { count, bytes, atLeast }] of other.#byReason) {
      this.add(reason, count, bytes, atLeast);
    }
    other.#byReason.clear();
  }

  /** What a program is told, by reason. */
  *told(filter: string): Generator<MissedPublications> {
    for (const [reason, { count, bytes, atLeast }] of this.#byReason) {
      yield { filter, count, bytes, reason, ...atLeast && { atLeast } };
    }
  }
}
