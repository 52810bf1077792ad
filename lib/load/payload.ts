import { firstDifference } from "../base/first_difference.ts";

/** Some messages in a row, as they are written in one go. */
export interface Batch {
  /** Their bytes: a view that stays as it is. */
  readonly bytes: Uint8Array;
  /** Where each of them ends in `bytes`. */
  readonly ends: readonly number[];
}

/**
 * The endless stream that each connection sends: the messages one after the other, over and over.
 * All connections send it from memory that is laid out once.
 */
export class Payload {
  /** The length of one turn of all messages. */
  readonly periodBytes: number;
  /** How many messages a batch can hold. */
  readonly maxBatch: number;
  readonly #turn: number;
  /** The messages laid out until a batch can begin at each of them. */
  readonly #bytes: Uint8Array;
  /** Where each of those begins; and the end. */
  readonly #starts: readonly number[];
  readonly #batches = new Map<number, Batch>();

  /** @param maxBatch The most messages that are asked for at once. */
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

  /** The messages from number `first` on; the same object every time. */
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
