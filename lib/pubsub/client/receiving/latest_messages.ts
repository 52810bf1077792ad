import type { PubSubMessage } from "./message.ts";
import { type MissedReason, MissedTally } from "./missed_publications.ts";
import type { WaitingBounds, WaitingItem, WaitingMessages } from "./waiting_messages.ts";

interface Slot {
  message: PubSubMessage;
  /** The older messages of the topic, which it replaced. */
  replaced: MissedTally | undefined;
}

/**
 * Messages for the policy `latest`: of each topic only the newest waits, in the place of the first
 * that it replaced.
 */
export class LatestMessages implements WaitingMessages {
  readonly #bounds: WaitingBounds;
  readonly #byTopic = new Map<string, Slot>();
  /** What was left out before the first message. */
  #ahead = new MissedTally();

  /** Nothing waits at first. */
  constructor(bounds: WaitingBounds) {
    this.#bounds = bounds;
  }

  get isFull(): boolean {
    return this.#bounds.isFull;
  }

  push(message: PubSubMessage): boolean {
    const slot = this.#byTopic.get(message.topic);
    if (slot) {
      this.#bounds.remove(slot.message);
      (slot.replaced ??= new MissedTally()).add("slow", 1, slot.message.frameBytes);
      slot.message = message;
    } else {
      while (this.#bounds.isFull && this.#bounds.reached()) this.#dropOldest();
      this.#byTopic.set(message.topic, { message, replaced: undefined });
    }
    this.#bounds.add(message);
    return true;
  }

  pushMissed(
    reason: MissedReason,
    count: number | null,
    bytes: number | null,
    atLeast?: boolean,
  ): void {
    this.#ahead.add(reason, count, bytes, atLeast);
  }

  shift(): WaitingItem | undefined {
    const first = this.#byTopic.values().next().value;
    if (first?.replaced !== undefined) {
      this.#ahead.take(first.replaced);
      first.replaced = undefined;
    }
    if (!this.#ahead.isEmpty) {
      const missed = this.#ahead;
      this.#ahead = new MissedTally();
      return missed;
    }
    if (first === undefined) return undefined;
    this.#byTopic.delete(first.message.topic);
    this.#bounds.remove(first.message);
    return first.message;
  }

  *messages(): Iterable<PubSubMessage> {
    for (const { message } of this.#byTopic.values()) yield message;
  }

  #dropOldest(): void {
    const { message, replaced } = this.#byTopic.values().next().value!;
    this.#byTopic.delete(message.topic);
    this.#bounds.remove(message);
    if (replaced) this.#ahead.take(replaced);
    this.#ahead.add("slow", 1, message.frameBytes);
  }
}
