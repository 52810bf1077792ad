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

/** Publications that were left out, and that the subscriber is to be told of. */
export class Missed {
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
    if (known) {
      known.count += count;
      known.bytes += bytes;
      known.atLeast ||= atLeast;
    } else tallies.set(subscription, { count, bytes, atLeast });
  }

  /** Adds what was left out after this. */
  addAll(later: Missed): void {
    for (const [reason, tallies] of later.#all()) {
      for (const [subscription, { count, bytes, atLeast }] of tallies) {
        this.add(subscription, count, bytes, reason, atLeast);
      }
    }
  }

  /** Writes a frame for each filter that matched. */
  writeTo(buffer: ByteBuffer): void {
    for (const [reason, tallies] of this.#all()) {
      for (const [subscription, { count, bytes, atLeast }] of tallies) {
        const tally = reason === "lost" ? { count, atLeast } : { count, bytes };
        writeMissed(buffer, subscription, tally, reason);
      }
    }
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
