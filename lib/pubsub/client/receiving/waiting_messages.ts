import { Deque } from "../../../base/deque.ts";
import type { SlowPolicy } from "../../protocol/slow_policy.ts";
import type { PubSubMessage } from "./message.ts";
import { type MissedReason, MissedTally } from "./missed_publications.ts";

/** What keeping a message costs beside its bytes. */
const ITEM_BYTES = 256;

/** With `block` nothing is left out below this many times the bounds. */
const BLOCK_FACTOR = 2;

/** What comes next: a message, or what was left out before it. */
export type WaitingItem = PubSubMessage | MissedTally;

/** The messages of a subscription that the program has not taken. */
export interface WaitingMessages {
  /**
   * Whether a bound was reached and there has not been enough room since: the next message may push
   * another one out.
   */
  readonly isFull: boolean;
  /** Adds a message, or does what the policy says; `false` if the policy ends the subscription. */
  push(message: PubSubMessage): boolean;
  /** Notes what the broker left out. */
  pushMissed(
    reason: MissedReason,
    count: number | null,
    bytes: number | null,
    atLeast?: boolean,
  ): void;
  /** Takes what comes next; `undefined` if nothing waits. */
  shift(): WaitingItem | undefined;
  /** The messages, in order. */
  messages(): Iterable<PubSubMessage>;
}

/**
 * How much room there must be before more is read: this, or half of the bound if that is less. If it
 * were more, a slow program would for longer look like one that takes nothing.
 */
const ROOM_MESSAGES = 64;
const ROOM_BYTES = 65_536;

/** Counts messages and their bytes, and knows their bounds. */
export class WaitingBounds {
  /** See {@linkcode WaitingMessages.isFull}. */
  isFull = false;
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  #messages = 0;
  #bytes = 0;

  /** Nothing waits at first. */
  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  /** Whether a bound, times a factor, is reached. */
  reached(factor = 1): boolean {
    return this.#messages >= this.#maxMessages * factor || this.#bytes >= this.#maxBytes * factor;
  }

  /** Counts a message that waits. */
  add(message: PubSubMessage): void {
    this.#messages++;
    this.#bytes += ITEM_BYTES + message.frameBytes;
    if (this.reached()) this.isFull = true;
  }

  /** Counts a message that waits no more. */
  remove(message: PubSubMessage): void {
    this.#messages--;
    this.#bytes -= ITEM_BYTES + message.frameBytes;
    if (this.isFull && this.#hasRoom()) this.isFull = false;
  }

  #hasRoom(): boolean {
    const messages = this.#maxMessages - Math.min(this.#maxMessages / 2, ROOM_MESSAGES);
    const bytes = this.#maxBytes - Math.min(this.#maxBytes / 2, ROOM_BYTES);
    return this.#messages < messages && this.#bytes < bytes;
  }
}

/** Messages in the order in which they came, for all policies but `latest`. */
export class OrderedMessages implements WaitingMessages {
  readonly #slow: SlowPolicy;
  readonly #bounds: WaitingBounds;
  readonly #items = new Deque<WaitingItem>();
  /** What was left out before the first item. */
  #ahead = new MissedTally();
  /** The last item, if it is no message. */
  #tail: MissedTally | undefined;

  /** Nothing waits at first. */
  constructor(slow: SlowPolicy, bounds: WaitingBounds) {
    this.#slow = slow;
    this.#bounds = bounds;
  }

  get isFull(): boolean {
    return this.#bounds.isFull;
  }

  push(message: PubSubMessage): boolean {
    if (this.#bounds.isFull && this.#bounds.reached()) {
      if (this.#slow === "disconnect") return false;
      if (this.#slow === "drop-oldest") this.#dropOldest();
      else if (this.#slow === "drop-new" || this.#bounds.reached(BLOCK_FACTOR)) {
        this.pushMissed("slow", 1, message.frameBytes);
        return true;
      }
    }
    this.#items.push(message);
    this.#tail = undefined;
    this.#bounds.add(message);
    return true;
  }

  pushMissed(
    reason: MissedReason,
    count: number | null,
    bytes: number | null,
    atLeast?: boolean,
  ): void {
    if (this.#tail === undefined) this.#items.push(this.#tail = new MissedTally());
    this.#tail.add(reason, count, bytes, atLeast);
  }

  shift(): WaitingItem | undefined {
    if (!this.#ahead.isEmpty) {
      const missed = this.#ahead;
      this.#ahead = new MissedTally();
      return missed;
    }
    const item = this.#items.shift();
    if (item === this.#tail) this.#tail = undefined;
    if (item !== undefined && !(item instanceof MissedTally)) this.#bounds.remove(item);
    return item;
  }

  *messages(): Iterable<PubSubMessage> {
    for (const item of this.#items) if (!(item instanceof MissedTally)) yield item;
  }

  #dropOldest(): void {
    while (this.#bounds.reached() || this.#items.peek() instanceof MissedTally) {
      const item = this.#items.shift()!;
      if (item instanceof MissedTally) {
        this.#ahead.take(item);
        if (item === this.#tail) this.#tail = undefined;
      } else {
        this.#bounds.remove(item);
        this.#ahead.add("slow", 1, item.frameBytes);
      }
    }
  }
}
