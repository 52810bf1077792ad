import { firstDifference } from "../base/first_difference.ts";

/** The most bytes of one write. */
export const PIECE_BYTES = 262_144;

/** Messages up to this size are laid out in memory several times, to be sent in one write. */
const BATCH_BYTES = 262_144;

/** The letters a to w: no usual buffer size is a multiple of these 23. */
const LETTERS = 23;

/** Messages of a given size are views of this, whatever the size. */
let pattern: Uint8Array<ArrayBuffer> | undefined;

/** Bytes that are sent together. */
export interface Batch {
  /** How many. */
  readonly length: number;
  /** Some of them, from an offset on: a view that must not be changed. */
  piece(at: number): Uint8Array;
}

/** Makes what connections send. Messages have numbers from 0, on each connection. */
export interface MessageSource {
  /** The most messages in one batch. */
  readonly maxBatch: number;
  /** `count` messages from number `first` on. */
  batch(first: number, count: number): Batch;
}

/** A batch that is in memory. */
export class BytesBatch implements Batch {
  /** How many bytes. */
  readonly length: number;
  readonly #bytes: Uint8Array;

  /** The bytes must not change. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.length = bytes.length;
  }

  /** A view. */
  piece(at: number): Uint8Array {
    if (at === 0 && this.length <= PIECE_BYTES) return this.#bytes;
    return this.#bytes.subarray(at, at + PIECE_BYTES);
  }
}

/**
 * A message of any size that takes no memory: the letters a to w, over and over. No usual buffer
 * size is a multiple of these 23, so bytes that a buffer mixed up are noticed.
 */
export class PatternMessage implements Batch {
  /** How many bytes. */
  readonly length: number;

  /** Makes a message of a size. */
  constructor(length: number) {
    this.length = length;
  }

  /** A view of memory that all such messages share. */
  piece(at: number): Uint8Array {
    pattern ??= Uint8Array.from({ length: PIECE_BYTES + LETTERS }, (_, i) => 97 + i % LETTERS);
    const start = at % LETTERS;
    return pattern.subarray(start, start + Math.min(PIECE_BYTES, this.length - at));
  }
}

/**
 * What each connection sends where all send the same: the messages in order, over and over. Small
 * ones are laid out in memory once, for all connections, so that a batch is one view.
 */
export class Payload implements MessageSource {
  /** The most messages in one batch. */
  readonly maxBatch: number;
  /** Whether all messages have the same length. */
  readonly sameLength: boolean;
  readonly #messages: readonly Batch[];
  /** Whether they are small. */
  readonly #laidOut: boolean;
  /** The messages, repeated until a batch of `maxBatch` fits behind each of them. */
  readonly #bytes: Uint8Array;
  /** Where each message in `#bytes` begins; the last element is the end. */
  readonly #starts: readonly number[];
  readonly #batches = new Map<number, Batch>();

  /** @param mostAtOnce The most messages in one batch; large ones are sent one by one. */
  constructor(messages: readonly (Uint8Array | PatternMessage)[], mostAtOnce: number) {
    this.#messages = messages.map((each) =>
      each instanceof PatternMessage ? each : new BytesBatch(each)
    );
    this.sameLength = messages.every(({ length }) => length === messages[0]!.length);
    const largest = messages.reduce((most, { length }) => Math.max(most, length), 0);
    const turnBytes = messages.reduce((sum, { length }) => sum + length, 0);
    this.#laidOut = turnBytes <= BATCH_BYTES;
    this.maxBatch = this.#laidOut ? Math.min(mostAtOnce, Math.floor(BATCH_BYTES / largest)) : 1;
    const starts = [0];
    const count = this.#laidOut ? messages.length + this.maxBatch - 1 : 0;
    for (let i = 0; i < count; i++) starts.push(starts[i]! + this.lengthOf(i));
    const bytes = new Uint8Array(starts[count]!);
    for (let i = 0; i < count; i++) bytes.set(this.#message(i).piece(0), starts[i]);
    this.#bytes = bytes;
    this.#starts = starts;
  }

  /** `count` messages from number `first` on. The same arguments give the same object. */
  batch(first: number, count: number): Batch {
    if (!this.#laidOut) return this.#message(first);
    const phase = first % this.#messages.length;
    const key = phase * (this.maxBatch + 1) + count;
    let batch = this.#batches.get(key);
    if (!batch) {
      batch = new BytesBatch(
        this.#bytes.subarray(this.#starts[phase]!, this.#starts[phase + count]!),
      );
      this.#batches.set(key, batch);
    }
    return batch;
  }

  /** The length of message number `index`. */
  lengthOf(index: number): number {
    return this.#message(index).length;
  }

  /**
   * Compares bytes with what is sent.
   *
   * @param index The number of the message in which they begin.
   * @param offset Where in that message.
   * @returns the index of the first byte that differs; -1 if none does.
   */
  firstDifference(index: number, offset: number, bytes: Uint8Array): number {
    for (let at = 0; at < bytes.length;) {
      const message = this.#message(index);
      const piece = message.piece(offset);
      const count = Math.min(piece.length, bytes.length - at);
      const difference = firstDifference(bytes.subarray(at, at + count), piece.subarray(0, count));
      if (difference >= 0) return at + difference;
      at += count;
      offset += count;
      if (offset < message.length) continue;
      offset = 0;
      index++;
    }
    return -1;
  }

  /** A byte of what is sent, counted from the beginning of a message; it may be in a later one. */
  byteAt(index: number, offset: number): number {
    while (offset >= this.lengthOf(index)) offset -= this.lengthOf(index++);
    return this.#message(index).piece(offset)[0]!;
  }

  #message(index: number): Batch {
    return this.#messages[index % this.#messages.length]!;
  }
}
