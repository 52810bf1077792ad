import { READ_BYTES } from "../../../net/bytes/shared_memory.ts";

/** The memory of the first read in bytes; most clients never receive more at once. */
const FIRST_BYTES = 4_096;

/** After a read of less than this part of a large one the next memory is smaller. */
const SMALL_SHARE = 16;
const AFTER_SMALL_BYTES = 16_384;

/**
 * What a client's connection reads into. The memory is given away with the frames in it: what is
 * read next goes elsewhere, so a message owns its bytes without a copy of them. Memory that a read
 * left empty for the most part is kept, and what came moves to memory of its size.
 */
export class LinkInput {
  /** The bytes that came and are not handled: `bytes[start, end)`. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  start = 0;
  end = 0;
  /** What is read into. */
  #memory: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BYTES);
  /** Bytes at its beginning that belong to a frame which is not complete. */
  #held = 0;
  /** The size of the next memory. */
  #size = FIRST_BYTES;

  /** Gives memory to read into; it is never empty. */
  free(): Uint8Array<ArrayBuffer> {
    return this.#memory.subarray(this.#held);
  }

  /** Notes that a read put `count` bytes into what {@linkcode LinkInput.free} gave. */
  filled(count: number): void {
    const memory = this.#memory;
    const end = this.#held + count;
    if (end === memory.length) this.#size = READ_BYTES;
    // The connection may be idle from here on, and should hold little.
    else if (end * SMALL_SHARE <= READ_BYTES) this.#size = Math.min(this.#size, AFTER_SMALL_BYTES);
    this.start = 0;
    this.end = end;
    this.bytes = end * 2 >= memory.length ? memory : memory.slice(0, end);
  }

  /** Notes that the first `count` of the bytes are handled. The rest begins a frame. */
  consume(count: number): void {
    this.start += count;
  }

  /**
   * Makes ready for the next read.
   *
   * @param needed How many bytes the frame that has begun has, as far as that is known.
   */
  next(needed: number): void {
    const { bytes, start, end } = this;
    const held = end - start;
    const taken = start > 0;
    // The rest is where it was read, and nothing before it was given away.
    const stays = !taken && bytes === this.#memory;
    // Twice what has come of a frame, and never the size that it merely claims.
    const size = Math.max(this.#size, Math.min(needed, Math.max(held * 2, READ_BYTES)), held + 1);
    const present = this.#memory.length;
    if (bytes === this.#memory && taken || size > present || size * 2 < present) {
      const memory = new Uint8Array(size);
      memory.set(bytes.subarray(start, end));
      this.#memory = memory;
    } else if (!stays) this.#memory.set(bytes.subarray(start, end));
    this.#held = held;
    this.bytes = this.#memory;
    this.start = 0;
    this.end = held;
  }
}
