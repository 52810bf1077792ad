import { countOption, numericOption } from "./numeric_options.ts";

/** Keys longer than this are not remembered, so that a cache's memory has a bound. */
export const MAX_CACHED_BYTES = 256;

/** After so many misses in a row only every `SAMPLE`th key is looked for and remembered. */
const MISSES_BEFORE_SAMPLING = 64;
const SAMPLE = 16;

const CAPACITY = countOption(64, 1, 2 ** 20);

/**
 * Remembers values by short runs of bytes, so that what was made of bytes equal to earlier ones is
 * not made again: recognising 120 bytes takes about 50 ns. It is a table in which each key has
 * four places: it takes a fifth of the same hash to push one out. The key that followed the last
 * one before is looked for first, so that a sender who goes through a thousand topics over and
 * over costs no hash. Where it does not help, because every key differs, it steps aside. Keys
 * longer than 256 bytes are never found.
 *
 * It takes `capacity × 256` bytes, once the first value is there, and the values.
 *
 * @example
 * ```ts
 * import { ByteCache } from "@socktool/socktool/frame";
 * import { assertEquals } from "@std/assert";
 *
 * const cache = new ByteCache<string>();
 * const key = new Uint8Array([1, 2, 3]);
 * if (cache.find(key, 0, 3) === undefined) cache.add(key, 0, 3, "made once");
 * assertEquals(cache.find(key, 0, 3), "made once");
 * ```
 *
 * @typeParam V What is remembered.
 */
export class ByteCache<V> {
  readonly #capacity: number;
  /** How many places a key has. */
  readonly #ways: number;
  /** A slot's bytes begin at `slot × MAX_CACHED_BYTES`. Taken when the first value comes. */
  #bytes = new Uint8Array(0);
  #words = new DataView(this.#bytes.buffer);
  /** The buffer of the last call and, once it was that of two calls in a row, its words. */
  #viewed: Uint8Array = this.#bytes;
  #view: DataView | undefined;
  /** By slot: the bytes of its key, -1 for none; and the slot that was found after it. */
  readonly #lengths: number[] = [];
  readonly #followers: number[] = [];
  readonly #values: (V | undefined)[] = [];
  /** The slot that was found last, and the one that the next `add` fills; -1 for none. */
  #last = -1;
  #missed = -1;
  #missedStart = 0;
  #missedEnd = 0;
  #misses = 0;
  #victim = 0;

  /**
   * Makes an empty cache.
   *
   * @param capacity How many values it holds at most, rounded up to a power of two; 64 if not given.
   * @throws {TypeError | RangeError} if the capacity is no whole number from 1 to 2^20.
   */
  constructor(capacity?: number) {
    const count = numericOption("capacity", capacity, CAPACITY);
    this.#capacity = 2 ** Math.ceil(Math.log2(count));
    this.#ways = Math.min(4, this.#capacity);
  }

  /** The value for the bytes `buffer[start, end)`, if it is remembered. */
  find(buffer: Uint8Array, start: number, end: number): V | undefined {
    this.#missed = -1;
    this.#look(buffer);
    const last = this.#last;
    if (last >= 0) {
      if (this.#holds(last, start, end)) {
        this.#misses = 0;
        return this.#values[last];
      }
      const next = this.#followers[last]!;
      if (this.#holds(next, start, end)) {
        this.#misses = 0;
        this.#last = next;
        return this.#values[next];
      }
    }
    if (end - start > MAX_CACHED_BYTES) return undefined;
    if (this.#misses > MISSES_BEFORE_SAMPLING && this.#misses++ % SAMPLE !== 0) return undefined;
    const home = this.#hash(start, end) & (this.#capacity - 1);
    this.#missed = home;
    this.#missedStart = start;
    this.#missedEnd = end;
    if (this.#values.length === 0) return undefined;
    for (let way = 0; way < this.#ways; way++) {
      const slot = home ^ way;
      if (!this.#holds(slot, start, end)) continue;
      this.#misses = 0;
      this.#missed = -1;
      if (last >= 0) this.#followers[last] = slot;
      this.#last = slot;
      return this.#values[slot];
    }
    return undefined;
  }

  /**
   * Remembers the value that the last call of {@linkcode ByteCache.find} did not find; for any
   * other bytes it does nothing. The bytes are copied.
   */
  add(buffer: Uint8Array, start: number, end: number, value: V): void {
    const home = this.#missed;
    const same = buffer === this.#viewed && start === this.#missedStart && end === this.#missedEnd;
    if (home < 0 || !same) return;
    if (this.#values.length === 0) {
      this.#bytes = new Uint8Array(this.#capacity * MAX_CACHED_BYTES);
      this.#words = new DataView(this.#bytes.buffer);
      for (let i = 0; i < this.#capacity; i++) {
        this.#lengths.push(-1);
        this.#followers.push(0);
        this.#values.push(undefined);
      }
    }
    let slot = home ^ (this.#victim++ & (this.#ways - 1));
    for (let way = 0; way < this.#ways; way++) {
      if (this.#lengths[home ^ way] === -1) slot = home ^ way;
    }
    this.#bytes.set(buffer.subarray(start, end), slot * MAX_CACHED_BYTES);
    this.#lengths[slot] = end - start;
    this.#values[slot] = value;
    if (this.#last >= 0) this.#followers[this.#last] = slot;
    this.#last = slot;
    this.#missed = -1;
    this.#misses++;
  }

  // A view of words pays where many keys lie in one buffer, as those of a busy publisher do. To
  // make it costs as much as comparing a key by bytes, which is done where buffers take turns.
  #look(buffer: Uint8Array): void {
    if (buffer !== this.#viewed) {
      this.#viewed = buffer;
      this.#view = undefined;
    } else {
      this.#view ??= new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    }
  }

  // From the end: headers and requests of one sender begin alike and differ in their last fields.
  #holds(slot: number, start: number, end: number): boolean {
    if (this.#lengths[slot] !== end - start) return false;
    const offset = slot * MAX_CACHED_BYTES - start;
    const view = this.#view;
    let at = end;
    if (view) {
      const words = this.#words;
      for (; at - start >= 4; at -= 4) {
        if (words.getInt32(offset + at - 4) !== view.getInt32(at - 4)) return false;
      }
    }
    const bytes = this.#bytes;
    const buffer = this.#viewed;
    for (at--; at >= start; at--) {
      if (bytes[offset + at] !== buffer[at]) return false;
    }
    return true;
  }

  /** The same with a view of words and without. */
  #hash(start: number, end: number): number {
    const view = this.#view;
    const buffer = this.#viewed;
    let h = end - start;
    let at = end;
    for (; at - start >= 4; at -= 4) {
      const word = view ? view.getInt32(at - 4) : wordAt(buffer, at - 4);
      h = Math.imul(h ^ word, 0x9e3779b1);
      h ^= h >>> 15;
    }
    for (at--; at >= start; at--) h = Math.imul(h ^ buffer[at]!, 0x01000193);
    return h ^ (h >>> 15);
  }
}

/** What `DataView.getInt32` gives. */
function wordAt(buffer: Uint8Array, at: number): number {
  return (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
}
