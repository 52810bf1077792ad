import { makeMemory, releaseMemory } from "../../base/large_memory.ts";

/**
 * The size of the largest read in bytes. Where a broker sends 1 KiB to ten subscribers, the rate
 * with 128 KiB is 1.06 of that with 64 KiB, and 0.93 with 256 KiB, which no longer fit the
 * processor's cache.
 */
export const READ_BYTES = 131_072;

/** How much unused memory is kept for later readers, in bytes. */
const MAX_KEPT_BYTES = 8_388_608;

/** Unused memory by size. It is kept because new memory has to be cleared, which takes longer. */
const kept = new Map<number, SharedMemory[]>();
let keptBytes = 0;

/**
 * Memory that bytes are read into, and from which others send them without a copy. Each sender
 * borrows the memory until its bytes are sent. While it is borrowed, nothing is read into it.
 */
export class SharedMemory {
  /** Whether others send from it, too. */
  readonly isShared: boolean = true;
  /** The memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  #borrowers = 0;
  #left = false;

  /** Takes over memory. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
  }

  /** Whether somebody borrows it. */
  get borrowed(): boolean {
    return this.#borrowers > 0;
  }

  /** Borrows it: nothing is read into it until it is given back. */
  borrow(): void {
    this.#borrowers++;
  }

  /**
   * Ends one {@linkcode SharedMemory.borrow}.
   *
   * @throws {RangeError} if nobody borrows it.
   */
  giveBack(): void {
    if (this.#borrowers === 0) throw new RangeError("Nobody borrows this memory");
    if (--this.#borrowers === 0 && this.#left) keep(this);
  }

  /**
   * Notes that its reader uses other memory. It becomes free when nobody borrows it any more.
   * Memory larger than a read goes back to the system at once if nobody borrows it; views of it are
   * empty then.
   *
   * @param isTight Whether smaller memory goes back at once, too.
   */
  leave(isTight?: boolean): void {
    this.#left = true;
    if (this.#borrowers === 0 && this.bytes.length > (isTight ? 0 : READ_BYTES)) {
      releaseMemory(this.bytes);
    }
  }

  /** Makes it ready for a new reader. */
  reuse(): this {
    this.#left = false;
    return this;
  }
}

/** Takes memory that nobody uses. */
export function takeMemory(size: number): SharedMemory {
  const memory = kept.get(size)?.pop();
  if (memory === undefined) return new SharedMemory(makeMemory(size));
  keptBytes -= size;
  return memory.reuse();
}

function keep(memory: SharedMemory): void {
  const size = memory.bytes.length;
  if (size > READ_BYTES) releaseMemory(memory.bytes);
  if (size > READ_BYTES || keptBytes + size > MAX_KEPT_BYTES) return;
  keptBytes += size;
  const others = kept.get(size);
  if (others) others.push(memory);
  else kept.set(size, [memory]);
}
