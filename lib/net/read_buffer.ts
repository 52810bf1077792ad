/** What an idle connection holds: most never receive more at once. */
const FIRST_BYTES = 2_048;

/** Reading more at once gains nothing on a socket. */
const READ_BYTES = 65_536;

/**
 * The bytes of a connection that came and are not dealt with yet, `bytes[start, end)`. It begins
 * small, because a server has thousands of idle connections, grows when reads fill it, and grows
 * beyond what a read can use only as far as an unfinished frame already has bytes.
 */
export class ReadBuffer {
  /** The memory; replaced when it grows. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** Where the bytes that are not dealt with begin. */
  start = 0;
  /** Where they end. */
  end = 0;

  /** Memory to read into, behind the bytes that are there: never empty. Moves those bytes. */
  free(): Uint8Array<ArrayBuffer> {
    const { bytes, start, end } = this;
    if (start === end) {
      this.start = this.end = 0;
      if (bytes.length === 0) this.bytes = new Uint8Array(FIRST_BYTES);
      return this.bytes;
    }
    if (end === bytes.length || start > bytes.length / 2) this.#makeRoom();
    return this.bytes.subarray(this.end);
  }

  /** Notes that a read put `count` bytes into what {@linkcode free} gave. */
  filled(count: number): void {
    this.end += count;
  }

  /**
   * Notes that `count` bytes are dealt with. To be called once per read: when that read filled the
   * memory, the next one gets more.
   */
  consume(count: number): void {
    this.start += count;
    if (this.start !== this.end) return;
    const wasFull = this.end === this.bytes.length;
    this.start = this.end = 0;
    if (wasFull && this.bytes.length < READ_BYTES) {
      this.bytes = new Uint8Array(Math.min(READ_BYTES, this.bytes.length * 8));
    } else if (this.bytes.length > READ_BYTES) {
      this.bytes = new Uint8Array(READ_BYTES);
    }
  }

  #makeRoom(): void {
    const { bytes, start, end } = this;
    const held = end - start;
    const size = held * 2 <= bytes.length ? bytes.length : Math.max(bytes.length * 2, FIRST_BYTES);
    if (size === bytes.length) bytes.copyWithin(0, start, end);
    else {
      this.bytes = new Uint8Array(size);
      this.bytes.set(bytes.subarray(start, end));
    }
    this.start = 0;
    this.end = held;
  }
}
