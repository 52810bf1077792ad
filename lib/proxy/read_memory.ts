import { Budget } from "../base/budget.ts";

/** Each side has this much memory to be read into. */
export const SMALL_BYTES = 4_096;
/** A side whose reads fill that has this much, if it is to be had. */
const LARGE_BYTES = 65_536;

/** Who has not read for this long can do without. */
const IDLE_MS = 100;
/** How many are looked at to find one. */
const LOOKED_AT = 4;
/** The clock is looked at once in this many reads into large memory: counting them is cheaper. */
const READS_A_NOTE = 8;

/** Gets what was read: a view. Returns whether its memory may be read into again. */
export type Reader = (bytes: Uint8Array<ArrayBuffer>) => boolean;

/** Bounds the memory that all sides of a proxy are read into together, beyond the first 4 KiB of each. */
export class ReadBudget {
  readonly #budget: Budget;
  /** Those with large memory that can give it back while a read waits, in the order to look at them. */
  readonly #holders = new Set<ReadMemory>();

  /** @param maxBytes The most memory of all. */
  constructor(maxBytes = Infinity) {
    this.#budget = new Budget("memory for reads", maxBytes);
  }

  /** How much memory is taken. */
  get usedBytes(): number {
    return this.#budget.usedBytes;
  }

  /** Takes large memory, of a side that has not read for a while if there is no other. */
  tryTake(): boolean {
    if (this.#budget.tryTake(LARGE_BYTES)) return true;
    const now = performance.now();
    let left = LOOKED_AT;
    for (const holder of this.#holders) {
      if (holder.isIdleAt(now)) {
        holder.shrink();
        return this.#budget.tryTake(LARGE_BYTES);
      }
      // The next who asks looks at others.
      this.add(holder);
      if (--left === 0) break;
    }
    return false;
  }

  /** Lets a side be asked for its large memory, behind all others. */
  add(memory: ReadMemory): void {
    this.#holders.delete(memory);
    this.#holders.add(memory);
  }

  /** Gives large memory back. */
  give(memory: ReadMemory): void {
    this.#holders.delete(memory);
    this.#budget.give(LARGE_BYTES);
  }
}

/**
 * Memory that a side reads into again and again. Memory that is made for each read is collected
 * late: at full speed, half a gigabyte of it lies about.
 */
export class ReadMemory {
  readonly #budget: ReadBudget;
  /** Has the next read go into other memory; without it one that waits cannot. */
  readonly #move: (() => void) | undefined;
  #small = new Uint8Array(SMALL_BYTES);
  /** The same, for reads while that is lent. */
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #large: Uint8Array<ArrayBuffer> | undefined;
  /** What the next read goes into. */
  #next = this.#small;
  /** What a reader still has. */
  #lent: Uint8Array<ArrayBuffer> | undefined;
  #wasFull = false;
  /** Reads into large memory, and when one was last noted, in milliseconds. */
  #reads = 0;
  #readAt = 0;
  #isOver = false;

  /**
   * @param budget That of the proxy.
   * @param move Is called when a read that waits is to go into {@linkcode ReadMemory.free}.
   */
  constructor(budget: ReadBudget, move?: () => void) {
    this.#budget = budget;
    this.#move = move;
  }

  /** Whether it has large memory that it can give back, as it has not read for a while. */
  isIdleAt(now: number): boolean {
    return this.#large !== undefined && this.#large !== this.#lent &&
      now - this.#readAt >= IDLE_MS;
  }

  /** What the next read goes into: never what is lent. */
  get free(): Uint8Array<ArrayBuffer> {
    const best = this.#large ?? this.#small;
    if (best !== this.#lent) return this.#next = best;
    if (best === this.#small) {
      this.#small = this.#spare ?? new Uint8Array(SMALL_BYTES);
      this.#spare = best;
    }
    return this.#next = this.#small;
  }

  /** Lends what was read to a reader, and returns what that says. */
  lend(count: number, read: Reader): boolean {
    const memory = this.#next;
    this.#wasFull = count === memory.length;
    const isFree = read(memory.subarray(0, count));
    if (isFree) this.#fit(count);
    else {
      // A runtime may read once more after it was told to stop. Then its reader has both.
      this.leave();
      this.#lent = memory;
    }
    if (this.#large && this.#reads++ % READS_A_NOTE === 0) this.#readAt = performance.now();
    return isFree;
  }

  /** What was lent is free again. @returns whether the next read may go into other memory than before. */
  takeBack(): boolean {
    if (this.#lent === undefined) return false;
    this.#lent = undefined;
    this.#fit(LARGE_BYTES);
    return true;
  }

  /** Leaves what was lent to its reader for good. */
  leave(): void {
    const lent = this.#lent;
    if (lent === undefined) return;
    this.#lent = undefined;
    if (lent === this.#large) this.shrink();
    else if (lent === this.#spare) this.#spare = undefined;
    else this.#small = this.#spare ?? new Uint8Array(SMALL_BYTES);
  }

  /** Reads into small memory from here on. */
  shrink(): void {
    if (this.#large === undefined) return;
    this.#large = undefined;
    this.#budget.give(this);
    if (this.#next.length === LARGE_BYTES) this.#move?.();
  }

  /** Is read into no more. */
  release(): void {
    this.#isOver = true;
    this.shrink();
  }

  /** Takes large memory if the last read filled the small one; gives it back if it need not be so large. */
  #fit(count: number): void {
    if (this.#large === undefined) {
      if (!this.#wasFull || this.#isOver || !this.#budget.tryTake()) return;
      this.#large = new Uint8Array(LARGE_BYTES);
      this.#readAt = performance.now();
      this.#reads = 1;
      if (this.#move) this.#budget.add(this);
    } else if (!this.#move && count <= SMALL_BYTES) this.shrink();
  }
}
