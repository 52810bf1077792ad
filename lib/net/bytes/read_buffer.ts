import { READ_BYTES, SharedMemory, takeMemory } from "./shared_memory.ts";

/** What an idle connection holds: most never receive more at once. */
const FIRST_BYTES = 1_024;

/** How much more there is after a read that filled the memory. */
const GROWTH = 8;

const NOTHING = new SharedMemory(new Uint8Array(0));

/**
 * The bytes of a connection that came and are not dealt with yet, `bytes[start, end)`. It begins
 * small, because a server has thousands of idle connections, grows when reads fill it, and grows
 * beyond what a read can use only as far as an unfinished frame already has bytes.
 *
 * Its memory may be lent to those who send what was read: the next read goes elsewhere then.
 */
export class ReadBuffer {
  /** The memory; replaced when it grows, and when it is lent. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Where the bytes that are not dealt with begin. */
  start = 0;
  /** Where they end. */
  end = 0;

  /** Whether the last read filled the memory: more was there to be read. */
  #wasFull = false;
  /** Whether it brought so little that most of the memory was not needed: a burst is over. */
  #wasSmall = false;
  #memory = NOTHING;

  /** Begins without memory. */
  constructor() {
    this.bytes = this.#memory.bytes;
  }

  /** The memory, to be lent. */
  get memory(): SharedMemory {
    return this.#memory;
  }

  /**
   * Memory to read into, behind the bytes that are there: never empty. Those bytes may move.
   * Where the last read filled the memory there is more of it than before.
   */
  free(): Uint8Array<ArrayBuffer> {
    const held = this.end - this.start;
    const size = this.#nextSize(held);
    if (size !== this.bytes.length || this.#memory.borrowed) this.#move(size);
    else if (this.start > 0 && held > 0) this.bytes.copyWithin(0, this.start, this.end);
    this.start = 0;
    this.end = held;
    this.#wasFull = false;
    return held === 0 ? this.bytes : this.bytes.subarray(held);
  }

  /** Notes that a read put `count` bytes into what {@linkcode free} gave. */
  filled(count: number): void {
    this.end += count;
    this.#wasFull = this.end === this.bytes.length;
    this.#wasSmall = count * GROWTH * 2 <= this.bytes.length;
  }

  /** Notes that `count` bytes are dealt with. */
  consume(count: number): void {
    this.start += count;
  }

  #move(size: number): void {
    const memory = takeMemory(size);
    memory.bytes.set(this.bytes.subarray(this.start, this.end));
    this.#memory.leave();
    this.#memory = memory;
    this.bytes = memory.bytes;
  }

  #nextSize(held: number): number {
    const size = this.bytes.length;
    if (size === 0) return FIRST_BYTES;
    // What an unfinished frame already has, doubled: never what it merely announces.
    if (held * 2 > size) return Math.max(size * 2, this.#wasFull ? READ_BYTES : 0);
    if (this.#wasFull && size < READ_BYTES) return Math.min(READ_BYTES, size * GROWTH);
    // What comes next may be long in coming, and an idle connection should hold little.
    if (size === READ_BYTES && held === 0 && this.#wasSmall) return size / GROWTH;
    // A large frame has passed.
    if (size > READ_BYTES && held * 2 <= READ_BYTES) return READ_BYTES;
    return size;
  }
}
