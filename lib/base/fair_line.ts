/**
 * A queue whose items belong to keys, such as the peers that asked for them, and whose keys take
 * turns: a thousand items of one key delay an item of another key by one, not by a thousand. Items
 * of the same key leave in the order in which they came.
 *
 * @example
 * ```ts
 * import { FairLine } from "./fair_line.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const line = new FairLine<string>();
 * for (const item of ["a1", "a2", "a3", "b1"]) line.push(item[0], item);
 * assertEquals([line.shift(), line.shift(), line.shift()], ["a1", "b1", "a2"]);
 * ```
 */
export class FairLine<Item extends NonNullable<unknown>> {
  /** Items by their key, never an empty set. The first key is the next that has its turn. */
  readonly #byKey = new Map<unknown, Set<Item>>();
  #size = 0;

  /** The items of each key, first come first. */
  get groups(): Iterable<ReadonlySet<Item>> {
    return this.#byKey.values();
  }

  /** How many items there are. */
  get size(): number {
    return this.#size;
  }

  /** How many items a key has. */
  countOf(key: unknown): number {
    return this.#byKey.get(key)?.size ?? 0;
  }

  /** Adds an item, which must not be in the line already. */
  push(key: unknown, item: Item): void {
    const others = this.#byKey.get(key);
    if (others) others.add(item);
    else this.#byKey.set(key, new Set([item]));
    this.#size++;
  }

  /** The item that {@linkcode FairLine.shift} would return. */
  get next(): Item | undefined {
    const first = this.#first();
    return first?.[1].values().next().value;
  }

  /** Removes and returns the next item; `undefined` if there is none. */
  shift(): Item | undefined {
    const first = this.#first();
    if (first === undefined) return undefined;
    const [key, items] = first;
    const item = items.values().next().value!;
    this.delete(key, item);
    if (items.size > 0) {
      // The key goes to the end of the line.
      this.#byKey.delete(key);
      this.#byKey.set(key, items);
    }
    return item;
  }

  /** Removes an item. @returns whether it was there. */
  delete(key: unknown, item: Item): boolean {
    const items = this.#byKey.get(key);
    if (!items?.delete(item)) return false;
    this.#size--;
    if (items.size === 0) this.#byKey.delete(key);
    return true;
  }

  /** Removes and returns all items of a key, in their order. */
  take(key: unknown): Item[] {
    const items = [...this.#byKey.get(key) ?? []];
    this.#byKey.delete(key);
    this.#size -= items.length;
    return items;
  }

  /** Removes and returns all items. */
  clear(): Item[] {
    const all = [...this.groups].flatMap((items) => [...items]);
    this.#byKey.clear();
    this.#size = 0;
    return all;
  }

  #first(): [unknown, Set<Item>] | undefined {
    return this.#byKey.entries().next().value;
  }
}
