import type { SharedRecord } from "./shared_record.ts";

/** Gaps in the numbers that are looked at together, and how often. */
const MAX_GAPS = 1_000;
const GAPS_MS = 250;

/** Numbers from one to below another. */
type Gap = readonly [from: number, to: number];

/** What {@linkcode MissedMessages} needs of its consumer. */
export interface MissedHost {
  /** What gateways know of it together. */
  readonly record: SharedRecord;
  /** The number of the first message that its stream keeps at this moment. */
  firstSeq(): Promise<number>;
  /** Whether numbers that were passed over may be of messages that are done, and removed. */
  isSwept(): boolean;
  /** Has a member told. */
  missed(count: number): void;
}

/**
 * Finds out how many messages of a consumer retention dropped before anybody got them. JetStream
 * passes them over without a word: so the numbers that it passes over are compared with the first one
 * that is kept.
 */
export class MissedMessages {
  readonly #host: MissedHost;
  /** Up to here all is delivered, or known to be missed. */
  #seen: number;
  readonly #gaps: Gap[] = [];
  #lookedAt = 0;
  #isLooking = false;

  /** @param seen The number before the next one that JetStream delivers. */
  constructor(host: MissedHost, seen: number) {
    this.#host = host;
    this.#seen = seen;
  }

  /** A message was delivered. What was passed over, others may have got, or nobody. */
  delivered(seq: number): void {
    if (seq <= this.#seen) return;
    if (seq > this.#seen + 1 && !this.#host.isSwept() && this.#gaps.length < MAX_GAPS) {
      this.#gaps.push([this.#seen + 1, seq]);
    }
    this.#seen = seq;
  }

  /**
   * JetStream told up to where all is delivered, and which message is the first that is kept: nobody
   * gets what is between.
   */
  told(delivered: number, first: number): void {
    this.#seen = Math.max(this.#seen, delivered);
    if (first <= delivered + 1) return;
    this.#seen = Math.max(this.#seen, first - 1);
    void this.#tell([[delivered + 1, first]]);
  }

  /** Looks at what was passed over, now and then. @param now Of `performance.now()`. */
  async look(now: number): Promise<void> {
    if (this.#gaps.length === 0 || this.#isLooking || now - this.#lookedAt < GAPS_MS) return;
    this.#isLooking = true;
    this.#lookedAt = now;
    const gaps = this.#gaps.splice(0);
    const first = await this.#host.firstSeq();
    const dropped = gaps.filter(([from]) => from < first)
      .map(([from, to]): Gap => [from, Math.min(to, first)]);
    if (dropped.length > 0) await this.#tell(dropped);
    this.#isLooking = false;
  }

  /** The consumer begins anew behind a number. */
  reset(seen: number): void {
    this.#seen = seen;
    this.#gaps.length = 0;
  }

  /** Tells of messages that were dropped, unless another gateway has. */
  async #tell(dropped: readonly Gap[]): Promise<void> {
    const missing = (told: number) =>
      dropped.reduce((sum, [from, to]) => sum + Math.max(0, to - Math.max(from, told)), 0);
    let count = missing(0);
    try {
      await this.#host.record.change((state) => {
        count = missing(state.told);
        return count === 0 ? undefined : { ...state, told: dropped.at(-1)![1] };
      });
    } catch {
      // It is told all the same, if perhaps twice.
    }
    if (count > 0) this.#host.missed(count);
  }
}
