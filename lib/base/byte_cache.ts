import { countOption, numericOption } from "./numeric_options.ts";

/** The longest key, in bytes: it bounds the memory of a cache. */
export const MAX_CACHED_BYTES = 256;

/** Slots of a set. With 4, of 1,000 keys in 4,096 slots, 10 evicted another. */
const WAYS = 8;

/** After this many misses in a row, only every 16th key is looked up and added. */
const MISSES_BEFORE_SAMPLING = 64;
const SAMPLE = 16;

const NO_NUMBERS = new Int32Array(0);

const CAPACITY = countOption(64, 1, 2 ** 20);

/**
 * A cache whose keys are bytes, such as the headers of frames, and whose values were made from them.
 * Finding a key of 120 bytes takes about 50 ns.
 *
 * It is an 8-way set-associative table: the hash of a key selects a set of eight slots, and the ninth
 * key of a set evicts one. Two keys are compared before any hash is made: the one found last, and the
 * one that followed it the last time. So a sender that repeats the same thousand topics in the same
 * order costs no hash. While all keys differ the cache can only cost time: after 64 misses in a row
 * it looks up every 16th key only.
 *
 * Keys longer than 256 bytes are never found. The first value that is added takes the memory for all
 * keys, `capacity × 256` bytes.
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
 * @typeParam V What is found by a key.
 */
export class ByteCache<V> {
  readonly #capacity: number;
  /** How many slots a set has. */
  readonly #ways: number;
  /** The keys: that of a slot begins at `slot × MAX_CACHED_BYTES`. Empty until the first value. */
  #bytes = new Uint8Array(0);
  #words = new DataView(this.#bytes.buffer);
  /** The buffer of the last call of `find`, and a view of it once it came twice in a row. */
  #viewed: Uint8Array = this.#bytes;
  #view: DataView | undefined;
  /** For each slot: the hash and length of its key, -1 for none; and the slot found next after it. */
  #hashes = NO_NUMBERS;
  #lengths = NO_NUMBERS;
  #followers = NO_NUMBERS;
  readonly #values: (V | undefined)[] = [];
  /** The slot that was found last; -1 for none. */
  #last = -1;
  /** The key that `find` missed last, and its hash: `add` may add it. */
  #missed = false;
  #missedHash = 0;
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
    this.#ways = Math.min(WAYS, this.#capacity);
  }

  /** The value of the key `buffer[start, end)`, or `undefined`. */
  find(buffer: Uint8Array, start: number, end: number): V | undefined {
    this.#missed = false;
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
    const hash = this.#hash(start, end);
    const home = hash & (this.#capacity - 1);
    this.#missedHash = hash;
    this.#missedStart = start;
    this.#missedEnd = end;
    this.#missed = true;
    if (this.#values.length === 0) return undefined;
    const hashes = this.#hashes;
    for (let way = 0; way < this.#ways; way++) {
      const slot = home ^ way;
      // Most keys of a set differ in their hash, and need not be looked at.
      if (hashes[slot] !== hash || !this.#holds(slot, start, end)) continue;
      this.#misses = 0;
      this.#missed = false;
      if (last >= 0) this.#followers[last] = slot;
      this.#last = slot;
      return this.#values[slot];
    }
    return undefined;
  }

  /**
   * Adds a value for the key that the last call of {@linkcode ByteCache.find} looked up and did not
   * find. For any other key it does nothing. The key is copied.
   */
  add(buffer: Uint8Array, start: number, end: number, value: V): void {
    const same = buffer === this.#viewed && start === this.#missedStart && end === this.#missedEnd;
    if (!this.#missed || !same) return;
    if (this.#values.length === 0) this.#takeMemory();
    const home = this.#missedHash & (this.#capacity - 1);
    let slot = home ^ (this.#victim++ & (this.#ways - 1));
    for (let way = 0; way < this.#ways; way++) {
      if (this.#lengths[home ^ way] === -1) slot = home ^ way;
    }
    this.#bytes.set(buffer.subarray(start, end), slot * MAX_CACHED_BYTES);
    this.#hashes[slot] = this.#missedHash;
    this.#lengths[slot] = end - start;
    this.#values[slot] = value;
    if (this.#last >= 0) this.#followers[this.#last] = slot;
    this.#last = slot;
    this.#missed = false;
    this.#misses++;
  }

  #takeMemory(): void {
    const capacity = this.#capacity;
    this.#bytes = new Uint8Array(capacity * MAX_CACHED_BYTES);
    this.#words = new DataView(this.#bytes.buffer);
    this.#hashes = new Int32Array(capacity);
    this.#lengths = new Int32Array(capacity).fill(-1);
    this.#followers = new Int32Array(capacity);
    for (let i = 0; i < capacity; i++) this.#values.push(undefined);
  }

  // A view compares four bytes at a time, but to make one costs as much as to compare a key byte by
  // byte. So it is made when a buffer comes twice in a row: many keys lie in the read buffer of a
  // busy publisher, and one in each of those of idle clients.
  #look(buffer: Uint8Array): void {
    if (buffer !== this.#viewed) {
      this.#viewed = buffer;
      this.#view = undefined;
    } else {
      this.#view ??= new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    }
  }

  // Compares from the end: the headers of one sender begin alike and differ in their last fields.
  #holds(slot: number, start: number, end: number): boolean {
    if (this.#lengths[slot] !== end - start) return false;
    const offset = slot * MAX_CACHED_BYTES - start;
    const view = this.#view;
    let at = end;
    if (view) {
      const words = this.#words;
      for (; at - start >= 4; at -= 4) {
        if (words.getInt32(offset + at - 4, true) !== view.getInt32(at - 4, true)) return false;
      }
    }
    const bytes = this.#bytes;
    const buffer = this.#viewed;
    for (at--; at >= start; at--) {
      if (bytes[offset + at] !== buffer[at]) return false;
    }
    return true;
  }

  /** Gives the same result with and without a view. */
  #hash(start: number, end: number): number {
    const view = this.#view;
    const buffer = this.#viewed;
    let h = end - start;
    let at = end;
    for (; at - start >= 4; at -= 4) {
      const word = view ? view.getInt32(at - 4, true) : wordAt(buffer, at - 4);
      h = Math.imul(h ^ word, 0x9e3779b1);
      h ^= h >>> 15;
    }
    for (at--; at >= start; at--) h = Math.imul(h ^ buffer[at]!, 0x01000193);
    return h ^ (h >>> 15);
  }
}

/** The same number as `DataView.getInt32` reads, low byte first: half as fast the other way round. */
function wordAt(buffer: Uint8Array, at: number): number {
  return buffer[at]! | (buffer[at + 1]! << 8) | (buffer[at + 2]! << 16) | (buffer[at + 3]! << 24);
}
