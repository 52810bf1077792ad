import { makeMemory } from "./large_memory.ts";

/**
 * A buffer to write bytes into. When it is full it doubles its memory, so that appending a byte takes
 * constant time on average.
 */
export class ByteBuffer {
  /** The memory, of which `bytes[0, length)` is written. Another array once the buffer has grown. */
  bytes: Uint8Array<ArrayBuffer>;
  /** How many bytes have been written. */
  length = 0;

  /**
   * Makes an empty buffer.
   *
   * @param capacity How many bytes it takes before it grows.
   */
  constructor(capacity = 1_024) {
    this.bytes = makeMemory(capacity);
  }

  /** Makes room for `count` more bytes. It writes none: {@linkcode length} stays as it is. */
  reserve(count: number): void {
    const due = this.length + count;
    if (due <= this.bytes.length) return;
    if (!(due > 0)) throw new TypeError("Cannot append what is no Uint8Array");
    const grown = makeMemory(Math.max(due, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** Copies bytes to the end. They may be a part of this buffer. @throws {TypeError} if they are none. */
  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** The written bytes: a view, valid until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }

  /** Empties the buffer, and keeps its memory. */
  clear(): void {
    this.length = 0;
  }
}
