import { firstDifference } from "../base/first_difference.ts";

/** Consecutive messages, to be sent in one write. */
export interface Batch {
  /** Their bytes: a view of memory that never changes. */
  readonly bytes: Uint8Array;
  /** Where each of them ends in `bytes`. */
  readonly ends: readonly number[];
}

/**
 * The endless stream that each connection sends: the messages in order, over and over. It is laid
 * out in memory once, for all connections.
 */
export class Payload {
  /** The length of all messages together: the stream repeats after it. */
  readonly periodBytes: number;
  /** The most messages in one batch. */
  readonly maxBatch: number;
  readonly #turn: number;
  /** The messages, repeated until a batch of `maxBatch` fits behind each of them. */
  readonly #bytes: Uint8Array;
  /** Where each message in `#bytes` begins; the last element is the end. */
  readonly #starts: readonly number[];
  readonly #batches = new Map<number, Batch>();

  /** @param maxBatch The most messages in one batch. */
  constructor(messages: readonly Uint8Array[], maxBatch: number) {
    this.maxBatch = maxBatch;
    this.#turn = messages.length;
    this.periodBytes = messages.reduce((sum, { length }) => sum + length, 0);
    const starts = [0];
    const count = messages.length + maxBatch - 1;
    for (let i = 0; i < count; i++) starts.push(starts[i]! + messages[i % this.#turn]!.length);
    const bytes = new Uint8Array(starts[count]!);
    for (let i = 0; i < count; i++) bytes.set(messages[i % this.#turn]!, starts[i]);
    this.#bytes = bytes;
    this.#starts = starts;
  }

  /** `count` messages from number `first` on. The same arguments give the same object. */
  batch(first: number, count: number): Batch {
    const phase = first % this.#turn;
    const key = phase * (this.maxBatch + 1) + count;
    let batch = this.#batches.get(key);
    if (!batch) {
      const start = this.#starts[phase]!;
      const ends = this.#starts.slice(phase + 1, phase + count + 1).map((end) => end - start);
      batch = { bytes: this.#bytes.subarray(start, start + ends[count - 1]!), ends };
      this.#batches.set(key, batch);
    }
    return batch;
  }

  /** The length of message number `index`. */
  lengthOf(index: number): number {
    const phase = index % this.#turn;
    return this.#starts[phase + 1]! - this.#starts[phase]!;
  }

  /** The byte of the stream at a position. */
  byteAt(position: number): number {
    return this.#bytes[position % this.periodBytes]!;
  }

  /**
   * Compares bytes with the stream.
   *
   * @param position Where in the stream they should be.
   * @returns the index of the first byte that differs; -1 if none does.
   */
  firstDifference(position: number, bytes: Uint8Array): number {
    const laidOut = this.#bytes.length;
    for (let at = 0; at < bytes.length;) {
      const from = (position + at) % this.periodBytes;
      const count = Math.min(laidOut - from, bytes.length - at);
      const expected = this.#bytes.subarray(from, from + count);
      const difference = firstDifference(bytes.subarray(at, at + count), expected);
      if (difference >= 0) return at + difference;
      at += count;
    }
    return -1;
  }
}
