/**
 * Bytes that are being written: a buffer that doubles as it fills, so that appending costs the
 * same however much came before.
 */
export class ByteBuffer {
  /** The memory; the bytes written are `bytes[0, length)`. Replaced when it grows. */
  bytes: Uint8Array<ArrayBuffer>;
  /** How many bytes are written. */
  length = 0;

  /**
   * Makes an empty buffer.
   *
   * @param capacity Bytes that fit before it grows.
   */
  constructor(capacity = 1_024) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Makes room for `count` more bytes behind {@linkcode length}, which stays as it is. */
  reserve(count: number): void {
    const due = this.length + count;
    if (due <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(due, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** Copies bytes behind those written. */
  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** The bytes written: a view, good until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }

  /** Forgets the bytes written; keeps the memory. */
  clear(): void {
    this.length = 0;
  }
}
