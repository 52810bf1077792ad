import type { ByteBuffer } from "../../../frame/mod.ts";
import { writeControl } from "../../protocol/control_frame.ts";
import type { Subscription } from "../routing/subscription.ts";

/**
 * Why publications are left out that are not simply too many, the `reason` of a `missed`: they are
 * larger than the client takes, or were lost on the way from another broker.
 */
export type MissedReason = "too-large" | "lost";

/** How much one subscription missed. */
interface Tally {
  readonly count: number;
  /** `undefined` if it is not known. */
  readonly bytes?: number | undefined;
  /** Whether it may be more than `count`. */
  readonly atLeast?: boolean | undefined;
}

/** Tallies by subscription; of those without a reason the bytes are known. */
type Tallies = Map<Subscription, { count: number; bytes: number; atLeast: boolean }>;

/** What a tally takes in memory, and the place of a filter in one that several filters have together. */
export const TALLY_BYTES = 100;

/**
 * Filters of one connection that match the same topics are a set, and have one tally together. A set is
 * made anew whenever somebody subscribes. Beyond this number of sets each filter has a tally of its own:
 * so there are never many more tallies than subscriptions.
 */
const MAX_SETS = 16;

/** Publications that were left out, and that the subscriber is to be told of. */
export class Missed {
  /** How many filters are to be told: the number of tallies, where a set counts as its filters. */
  size = 0;
  #sets = 0;
  readonly #slow: Tallies = new Map();
  /** Those that have a reason. */
  #others: Map<MissedReason, Tallies> | undefined;

  /** How many publications. */
  get count(): number {
    let sum = 0;
    for (const [, tallies] of this.#all()) for (const { count } of tallies.values()) sum += count;
    return sum;
  }

  /** Adds publications of one subscription; without a reason, it was too slow for them. */
  add(
    subscription: Subscription,
    count: number,
    bytes: number,
    reason?: MissedReason,
    atLeast = false,
  ): void {
    const tallies = this.#tallies(reason);
    const known = tallies.get(subscription);
    const { overlapping } = subscription;
    if (known) {
      known.count += count;
      known.bytes += bytes;
      known.atLeast ||= atLeast;
    } else if (overlapping && this.#sets === MAX_SETS) {
      for (const one of overlapping) this.add(one, count, bytes, reason, atLeast);
    } else {
      tallies.set(subscription, { count, bytes, atLeast });
      this.size += weightOf(subscription);
      if (overlapping) this.#sets++;
    }
  }

  /**
   * Joins it with what was left out right after it: the larger one takes in the smaller one, so that
   * joining very many again and again costs little.
   */
  joinedWith(later: Missed): Missed {
    const [large, small] = this.size < later.size ? [later, this] : [this, later];
    for (const [reason, tallies] of small.#all()) {
      for (const [subscription, { count, bytes, atLeast }] of tallies) {
        large.add(subscription, count, bytes, reason, atLeast);
      }
    }
    return large;
  }

  /**
   * Writes a frame for each filter that matched, until the buffer holds `limit` bytes or more. What is
   * written is forgotten.
   *
   * @returns Whether all of it is written.
   */
  writeTo(buffer: ByteBuffer, limit: number): boolean {
    for (const [reason, tallies] of this.#all()) {
      for (const [subscription, { count, bytes, atLeast }] of tallies) {
        if (buffer.length >= limit) return false;
        const tally = reason === "lost" ? { count, atLeast } : { count, bytes };
        writeMissed(buffer, subscription, tally, reason);
        tallies.delete(subscription);
        this.size -= weightOf(subscription);
      }
    }
    return true;
  }

  *#all(): Generator<[MissedReason | undefined, Tallies]> {
    yield [undefined, this.#slow];
    if (this.#others) yield* this.#others;
  }

  #tallies(reason: MissedReason | undefined): Tallies {
    if (reason === undefined) return this.#slow;
    this.#others ??= new Map();
    let tallies = this.#others.get(reason);
    if (tallies === undefined) this.#others.set(reason, tallies = new Map());
    return tallies;
  }
}

function weightOf({ overlapping }: Subscription): number {
  return overlapping?.length ?? 1;
}

/** Writes what a subscription missed: a frame for each filter that it stands for. */
export function writeMissed(
  buffer: ByteBuffer,
  subscription: Subscription,
  { count, bytes, atLeast }: Tally,
  reason?: MissedReason,
): void {
  for (const { entry, group } of subscription.overlapping ?? [subscription]) {
    const about = { topic: entry.filter, group: group?.name, count, bytes, reason };
    writeControl(buffer, "missed", { ...about, "at-least": atLeast || undefined });
  }
}
