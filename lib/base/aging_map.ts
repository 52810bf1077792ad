/**
 * A map that gives out its entries in the order of their age, so that a bounded one can forget the
 * oldest. Each call takes constant time on average: asking a `Map` for its first key would pass over
 * all entries that were deleted before it, so that of 65,536 entries forgetting one takes 60 µs.
 *
 * @example
 * ```ts
 * import { AgingMap } from "./aging_map.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const map = new AgingMap<string, number>();
 * map.set("a", 1);
 * map.set("b", 2);
 * map.set("a", 3);
 * assertEquals([map.takeOldest(), map.takeOldest(), map.takeOldest()], [["b", 2], ["a", 3], undefined]);
 * ```
 *
 * @typeParam K What an entry is found by.
 * @typeParam V What is found.
 */
export class AgingMap<K, V> {
  readonly #entries = new Map<K, V>();
  /** Goes on where it was: what it has passed is deleted, or was added again behind it. */
  #oldest: Iterator<[K, V]> | undefined;

  /** How many entries there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** What is found by a key. */
  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** Whether there is an entry of this key. */
  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** Adds an entry as the youngest. @returns whether it replaces none. */
  set(key: K, value: V): boolean {
    const isOther = !this.#entries.delete(key);
    this.#entries.set(key, value);
    return isOther;
  }

  /** Takes an entry out, if there is one. */
  delete(key: K): V | undefined {
    const value = this.#entries.get(key);
    this.#entries.delete(key);
    return value;
  }

  /** Takes the oldest entry out, if there is one. */
  takeOldest(): [K, V] | undefined {
    this.#oldest ??= this.#entries.entries();
    let next = this.#oldest.next();
    if (next.done) {
      this.#oldest = this.#entries.entries();
      next = this.#oldest.next();
    }
    if (next.done) {
      this.#oldest = undefined;
      return undefined;
    }
    this.#entries.delete(next.value[0]);
    return next.value;
  }
}
