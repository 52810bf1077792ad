import { READ_BYTES, SharedMemory, takeMemory } from "./shared_memory.ts";

/** The size in bytes with which a connection begins; most never receive more at once. */
const FIRST_BYTES = 1_024;

/** The factor by which the memory grows after a read that filled it. */
const GROWTH = 8;

/** The size of the memory that is read into where memory is tight; the bytes are copied from there. */
const ASIDE_BYTES = 65_536;

const NOTHING = new SharedMemory(new Uint8Array(0));

/** Decides how much memory a {@linkcode ReadBuffer} may take beyond its first KiB. */
export interface ReadMemory {
  /** Asks for more bytes, without which reads are only slower. */
  grow(bytes: number): boolean;
  /**
   * Asks for more bytes, without which nothing more can be read.
   *
   * @throws {OverBudgetError} if there are none.
   */
  need(bytes: number): void;
  /** Gives bytes back. */
  shrink(bytes: number): void;
  /** Whether little is left. Then memory may have to be given back while a read waits. */
  readonly isTight: boolean;
}

/**
 * The bytes of a connection that were received and are not handled yet, `bytes[start, end)`. The
 * memory is small at first, because a server has thousands of idle connections, and grows when
 * reads fill it. Beyond the size of the largest read it grows only as bytes of an incomplete frame
 * arrive.
 *
 * The memory may be lent to senders of the bytes in it. The next read then uses other memory.
 */
export class ReadBuffer {
  /** The memory; it is replaced when it grows, and when it is lent. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Where the bytes that are not handled begin. */
  start = 0;
  /** Where they end. */
  end = 0;

  /** Whether the last read filled the memory, so that more was probably available. */
  #wasFull = false;
  /** Whether the last read used only a small part of the memory. */
  #wasSmall = false;
  #memory = NOTHING;
  /** What the current read reads into, if not into {@linkcode ReadBuffer.bytes}. */
  #aside: Uint8Array<ArrayBuffer> | undefined;
  readonly #limit: ReadMemory | undefined;
  readonly #firstBytes: number;

  /**
   * Begins without memory.
   *
   * @param limit Decides how much memory it may take. Without it, it takes what it needs.
   * @param firstBytes With how much it begins when something is read, 1 KiB at most.
   */
  constructor(limit?: ReadMemory, firstBytes: number = FIRST_BYTES) {
    this.bytes = this.#memory.bytes;
    this.#limit = limit;
    this.#firstBytes = firstBytes;
  }

  /** The memory, to be lent. */
  get memory(): SharedMemory {
    return this.#memory;
  }

  /**
   * Gives memory to read into, behind the bytes that are not handled; those may be moved. It is
   * never empty, and larger than before if the last read filled it.
   *
   * @throws {OverBudgetError} if an incomplete frame needs more memory and cannot have it.
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
    if (size > READ_BYTES && this.#limit?.isTight) {
      // A read that waits keeps the whole memory that it reads into, even if that is given back.
      this.#aside ??= new Uint8Array(ASIDE_BYTES);
      return this.#aside.subarray(0, Math.min(ASIDE_BYTES, size - held));
    }
    this.#aside = undefined;
    return held === 0 ? this.bytes : this.bytes.subarray(held);
  }

  /**
   * Notes that a read put `count` bytes into what {@linkcode free} gave. They are dropped if all memory
   * was given back meanwhile.
   */
  filled(count: number): void {
    if (this.bytes.length === 0) return;
    if (this.#aside) this.bytes.set(this.#aside.subarray(0, count), this.end);
    this.end += count;
    this.#wasFull = this.end === this.bytes.length;
    this.#wasSmall = count * GROWTH * 2 <= this.bytes.length;
  }

  /** Notes that the first `count` bytes are handled. */
  consume(count: number): void {
    this.start += count;
  }

  /** Gives all memory back. Views of it are no longer valid. */
  release(): void {
    this.#limit?.shrink(limitedBytes(this.bytes.length));
    this.#memory.leave(this.#limit?.isTight);
    this.#memory = NOTHING;
    this.bytes = NOTHING.bytes;
    this.#aside = undefined;
    this.start = this.end = 0;
    this.#wasFull = this.#wasSmall = false;
  }

  #move(size: number): void {
    const memory = takeMemory(size);
    memory.bytes.set(this.bytes.subarray(this.start, this.end));
    this.#memory.leave(this.#limit?.isTight);
    this.#memory = memory;
    this.bytes = memory.bytes;
  }

  /** The wanted size, or the present one if the limit refuses more. */
  #granted(wanted: number, held: number, limit: ReadMemory): number {
    const size = this.bytes.length;
    const counted = limitedBytes(size);
    const more = limitedBytes(wanted) - counted;
    if (more < 0) limit.shrink(-more);
    if (more <= 0) return wanted;
    if (limit.grow(more)) return wanted;
    if (held < size) return size;
    // Where memory is tight, no more than the frame needs to go on.
    const least = Math.min(wanted, size * 2);
    limit.need(limitedBytes(least) - counted);
    return least;
  }

  #nextSize(held: number): number {
    const size = this.bytes.length;
    if (size === 0) return this.#firstBytes;
    // Twice what has arrived of an incomplete frame, and never the size that it merely claims.
    if (held * 2 > size) return Math.max(size * 2, this.#wasFull ? READ_BYTES : 0);
    if (this.#wasFull && size < READ_BYTES) return Math.min(READ_BYTES, size * GROWTH);
    // The connection may be idle now, and should hold little.
    if (size === READ_BYTES && held === 0 && this.#wasSmall) return size / GROWTH;
    // The large frame was handled.
    if (size > READ_BYTES && held * 2 <= READ_BYTES) return READ_BYTES;
    return size;
  }
}

/** The first KiB does not count. */
function limitedBytes(size: number): number {
  return size > FIRST_BYTES ? size : 0;
}
