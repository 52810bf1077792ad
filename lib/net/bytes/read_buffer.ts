import { OverBudgetError } from "../../base/budget.ts";
import { READ_BYTES, SharedMemory, takeMemory } from "./shared_memory.ts";

/** What an idle connection holds: most never receive more at once. */
const FIRST_BYTES = 1_024;

/** How much more there is after a read that filled the memory. */
const GROWTH = 8;

const NOTHING = new SharedMemory(new Uint8Array(0));

/** Who decides how much memory a {@linkcode ReadBuffer} may take beyond its first KiB. */
export interface ReadMemory {
  /**
   * Asks for bytes more.
   *
   * @param isNeeded Whether nothing more can be read without them; else reads are only slower.
   */
  grow(bytes: number, isNeeded: boolean): boolean;
  /** Gives bytes back. */
  shrink(bytes: number): void;
}

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
  readonly #limit: ReadMemory | undefined;

  /**
   * Begins without memory.
   *
   * @param limit Who decides how much it may take. Without one, it takes what it needs.
   */
  constructor(limit?: ReadMemory) {
    this.bytes = this.#memory.bytes;
    this.#limit = limit;
  }

  /** The memory, to be lent. */
  get memory(): SharedMemory {
    return this.#memory;
  }

  /**
   * Memory to read into, behind the bytes that are there: never empty. Those bytes may move.
   * Where the last read filled the memory there is more of it than before.
   *
   * @throws {OverBudgetError} if an unfinished frame needs memory that is not to be had.
   */
  free(): Uint8Array<ArrayBuffer> {
    const held = this.end - this.start;
    const size = this.#limit
      ? this.#granted(this.#nextSize(held), held, this.#limit)
      : this.#nextSize(held);
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

  /** Gives all memory back. What was read is gone, also for those who have views of it. */
  release(): void {
    this.#limit?.shrink(limitedBytes(this.bytes.length));
    this.#memory.leave();
    this.#memory = NOTHING;
    this.bytes = NOTHING.bytes;
    this.start = this.end = 0;
    this.#wasFull = this.#wasSmall = false;
  }

  #move(size: number): void {
    const memory = takeMemory(size);
    memory.bytes.set(this.bytes.subarray(this.start, this.end));
    this.#memory.leave();
    this.#memory = memory;
    this.bytes = memory.bytes;
  }

  /** The size that is wanted, or what may be had of it. */
  #granted(wanted: number, held: number, limit: ReadMemory): number {
    const size = this.bytes.length;
    const more = limitedBytes(wanted) - limitedBytes(size);
    if (more < 0) limit.shrink(-more);
    if (more <= 0) return wanted;
    const isNeeded = held === size;
    if (limit.grow(more, isNeeded)) return wanted;
    if (isNeeded) throw new OverBudgetError(`There is no memory for ${wanted} bytes of a frame`);
    return size;
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

/** The first KiB is every connection's own. */
function limitedBytes(size: number): number {
  return size > FIRST_BYTES ? size : 0;
}
