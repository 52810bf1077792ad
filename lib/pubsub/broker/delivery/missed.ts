import type { ByteBuffer } from "../../../frame/mod.ts";
import { writeControl } from "../../protocol/control_frame.ts";
import type { Subscription } from "../routing/subscription.ts";

/** Why publications are left out that are not simply too many: the `reason` of a `missed`. */
export type MissedReason = "too-large";

/** How much one subscription missed. */
interface Tally {
  count: number;
  bytes: number;
}

/** Publications that were left out, and that the subscriber is to be told of. */
export class Missed {
  readonly #slow = new Map<Subscription, Tally>();
  #tooLarge: Map<Subscription, Tally> | undefined;

  /** How many publications. */
  get count(): number {
    let sum = 0;
    for (const { count } of this.#slow.values()) sum += count;
    for (const { count } of this.#tooLarge?.values() ?? []) sum += count;
    return sum;
  }

  /** Adds publications of one subscription; without a reason, it was too slow for them. */
  add(subscription: Subscription, count: number, bytes: number, reason?: MissedReason): void {
    const tallies = reason === undefined ? this.#slow : this.#tooLarge ??= new Map();
    addTo(tallies, subscription, count, bytes);
  }

  /** Adds what was left out after this. */
  addAll(later: Missed): void {
    for (const [subscription, { count, bytes }] of later.#slow) {
      addTo(this.#slow, subscription, count, bytes);
    }
    for (const [subscription, { count, bytes }] of later.#tooLarge ?? []) {
      addTo(this.#tooLarge ??= new Map(), subscription, count, bytes);
    }
  }

  /** Writes a frame for each filter that matched. */
  writeTo(buffer: ByteBuffer): void {
    for (const [subscription, tally] of this.#slow) writeMissed(buffer, subscription, tally);
    for (const [subscription, tally] of this.#tooLarge ?? []) {
      writeMissed(buffer, subscription, tally, "too-large");
    }
  }
}

/** Writes what a subscription missed: a frame for each filter that it stands for. */
export function writeMissed(
  buffer: ByteBuffer,
  subscription: Subscription,
  { count, bytes }: Readonly<Tally>,
  reason?: MissedReason,
): void {
  for (const { entry, group } of subscription.overlapping ?? [subscription]) {
    const fields = { topic: entry.filter, group: group?.name, count, bytes, reason };
    writeControl(buffer, "missed", fields);
  }
}

function addTo(
  tallies: Map<Subscription, Tally>,
  subscription: Subscription,
  count: number,
  bytes: number,
): void {
  const known = tallies.get(subscription);
  if (known) {
    known.count += count;
    known.bytes += bytes;
  } else tallies.set(subscription, { count, bytes });
}
