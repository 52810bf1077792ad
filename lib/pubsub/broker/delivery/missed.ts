import type { ByteBuffer } from "../../../frame/mod.ts";
import { writeControl } from "../../protocol/control_frame.ts";
import type { Subscription } from "../routing/subscription.ts";

/** Publications that were left out, and that the subscriber is to be told of. */
export class Missed {
  readonly #bySubscription = new Map<Subscription, { count: number; bytes: number }>();

  /** How many publications. */
  get count(): number {
    let sum = 0;
    for (const { count } of this.#bySubscription.values()) sum += count;
    return sum;
  }

  /** Adds publications of one subscription. */
  add(subscription: Subscription, count: number, bytes: number): void {
    const known = this.#bySubscription.get(subscription);
    if (known) {
      known.count += count;
      known.bytes += bytes;
    } else this.#bySubscription.set(subscription, { count, bytes });
  }

  /** Adds what was left out after this. */
  addAll(later: Missed): void {
    for (const [subscription, { count, bytes }] of later.#bySubscription) {
      this.add(subscription, count, bytes);
    }
  }

  /** Writes a frame for each filter that matched. */
  writeTo(buffer: ByteBuffer): void {
    for (const [subscription, { count, bytes }] of this.#bySubscription) {
      for (const { entry, group } of subscription.overlapping ?? [subscription]) {
        writeControl(buffer, "missed", { topic: entry.filter, group: group?.name, count, bytes });
      }
    }
  }
}
