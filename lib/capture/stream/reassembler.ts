import type { Budget } from "../../base/budget.ts";

/** Bytes that came before those in front of them. */
interface HeldPart {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly cutBytes: number;
}

/** Of one direction, at most this much is held until what is before it comes. */
const MAX_HELD_BYTES = 1_048_576;
const MAX_HELD_PARTS = 4_096;

/** Shared by all that hold nothing; nothing is added to it. */
const NONE_HELD: HeldPart[] = [];

/** What a part that is held takes besides its bytes. */
const PART_BYTES = 300;

/**
 * What is missing, though the receiver has acknowledged it, is given up after this time in the
 * capture: until then it may only have been captured out of order.
 */
const REORDERED_US = 100_000;

/**
 * Puts the segments of one direction in order. What was sent again is left out, and what the capture
 * does not have is told as a gap: bytes on both sides of it are never joined. Sequence numbers may
 * wrap any number of times.
 */
export abstract class Reassembler {
  readonly #memory: Budget;
  /** The sequence number of the next byte; `undefined` until it is known. */
  #next: number | undefined;
  /** In the order of their sequence numbers. */
  #held = NONE_HELD;
  #heldBytes = 0;
  /** The sequence number behind the last byte, once that is known. */
  #end: number | undefined;
  #over = false;
  /** What the receiver has acknowledged. */
  #acknowledged: number | undefined;
  /** Since when something that was acknowledged is missing. */
  #missingSinceUs: number | undefined;
  /** Bytes that were captured more than once. */
  repeatedBytes = 0;

  /**
   * Makes the reassembler of a direction.
   *
   * @param memory What all of them together may hold; who holds something when it is over gives up
   * what is missing.
   */
  constructor(memory: Budget) {
    this.#memory = memory;
  }

  /** The next bytes: a view, valid until this returns. */
  protected abstract bytes(bytes: Uint8Array, timeUs: number): void;
  /** Bytes are missing here. @param count How many. */
  protected abstract missing(count: number, timeUs: number): void;
  /** Nothing follows. */
  protected abstract ended(timeUs: number): void;

  /** Whether its first byte is known. */
  get begun(): boolean {
    return this.#next !== undefined;
  }

  /** Whether its end was handed out. */
  get over(): boolean {
    return this.#over;
  }

  /** Says which sequence number the next byte has, unless that is known. */
  begin(sequence: number): void {
    this.#next ??= sequence >>> 0;
  }

  /** Takes a segment's payload. `cutBytes` at its end were not captured. */
  segment(sequence: number, payload: Uint8Array, cutBytes: number, timeUs: number): void {
    if (this.#over || payload.length + cutBytes === 0) return;
    this.begin(sequence);
    const ahead = distance(this.#next!, sequence);
    if (ahead > 0) this.#hold(sequence, payload, cutBytes);
    else this.#deliver(-ahead, payload, cutBytes, timeUs);
    this.#drain(timeUs);
  }

  /** Notes that the sender ends the stream before this sequence number. */
  finish(sequence: number, timeUs: number): void {
    if (this.#over) return;
    this.begin(sequence);
    this.#end = sequence >>> 0;
    this.#drain(timeUs);
  }

  /** Notes what the receiver has acknowledged. */
  acknowledge(sequence: number, timeUs: number): void {
    if (this.#next === undefined) return;
    this.#acknowledged = sequence;
    this.#drain(timeUs);
  }

  /** Hands out all that is held, with the gaps in it. */
  flush(timeUs: number): void {
    while (this.#held.length > 0) this.#giveUp(timeUs);
    if (this.#end !== undefined && !this.#over) {
      const missing = distance(this.#next!, this.#end);
      if (missing > 0) this.#gap(missing, timeUs);
      this.#drain(timeUs);
    }
  }

  #deliver(skipped: number, payload: Uint8Array, cutBytes: number, timeUs: number): void {
    const total = payload.length + cutBytes;
    this.repeatedBytes += Math.min(skipped, total);
    if (skipped >= total) return;
    const fresh = payload.subarray(skipped);
    if (fresh.length > 0) {
      this.#next = (this.#next! + fresh.length) >>> 0;
      this.bytes(fresh, timeUs);
    }
    const cut = Math.min(cutBytes, total - skipped);
    if (cut > 0) this.#gap(cut, timeUs);
  }

  #hold(sequence: number, payload: Uint8Array, cutBytes: number): void {
    if (this.#held === NONE_HELD) this.#held = [];
    const held = this.#held;
    let at = held.length;
    while (at > 0 && distance(held[at - 1]!.sequence, sequence) < 0) at--;
    const before = held[at - 1];
    // The same again.
    if (
      before && before.sequence === sequence &&
      before.bytes.length + before.cutBytes >= payload.length + cutBytes
    ) {
      this.repeatedBytes += payload.length;
      return;
    }
    held.splice(at, 0, { sequence, bytes: payload.slice(), cutBytes });
    this.#heldBytes += payload.length;
    this.#memory.take(payload.length + PART_BYTES);
  }

  /** Hands out what is in order, gives up what will not come, and tells the end. */
  #drain(timeUs: number): void {
    while (this.#held.length > 0) {
      const first = this.#held[0]!;
      const ahead = distance(this.#next!, first.sequence);
      if (ahead > 0) {
        if (!this.#isLost(first, timeUs)) return;
        this.#gap(ahead, timeUs);
      }
      this.#takeFirst(timeUs);
    }
    this.#missingSinceUs = undefined;
    if (this.#end !== undefined && distance(this.#next!, this.#end) <= 0 && !this.#over) {
      this.#over = true;
      this.ended(timeUs);
    }
  }

  #isLost(first: HeldPart, timeUs: number): boolean {
    if (
      this.#memory.isOver || this.#heldBytes > MAX_HELD_BYTES || this.#held.length > MAX_HELD_PARTS
    ) return true;
    if (this.#acknowledged === undefined) return false;
    if (distance(first.sequence, this.#acknowledged) < 0) return false;
    this.#missingSinceUs ??= timeUs;
    return timeUs - this.#missingSinceUs >= REORDERED_US;
  }

  #giveUp(timeUs: number): void {
    const ahead = distance(this.#next!, this.#held[0]!.sequence);
    if (ahead > 0) this.#gap(ahead, timeUs);
    this.#takeFirst(timeUs);
  }

  #takeFirst(timeUs: number): void {
    const first = this.#held.shift()!;
    this.#heldBytes -= first.bytes.length;
    this.#memory.give(first.bytes.length + PART_BYTES);
    this.#missingSinceUs = undefined;
    const skipped = -distance(this.#next!, first.sequence);
    this.#deliver(skipped, first.bytes, first.cutBytes, timeUs);
  }

  #gap(count: number, timeUs: number): void {
    this.#next = (this.#next! + count) >>> 0;
    this.missing(count, timeUs);
  }
}

/** How far ahead of `from` a sequence number is; negative if it is behind. They wrap at 2^32. */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}
