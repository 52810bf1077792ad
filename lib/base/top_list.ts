/**
 * The greatest of any number of items, without keeping the others: a heap whose root is the least of
 * them. Each item takes the logarithm of how many are kept.
 */
export class TopList<T> {
  readonly #size: number;
  readonly #compare: (a: T, b: T) => number;
  readonly #heap: T[] = [];

  /**
   * @param size How many are kept.
   * @param compare Negative where the first is to be told before the second, as for `Array.sort`.
   */
  constructor(size: number, compare: (a: T, b: T) => number) {
    this.#size = size;
    this.#compare = compare;
  }

  /** Takes an item, if it is among the greatest so far. */
  add(item: T): void {
    const heap = this.#heap;
    if (heap.length < this.#size) {
      heap.push(item);
      this.#rise(heap.length - 1);
    } else if (this.#size > 0 && this.#compare(item, heap[0]!) < 0) {
      heap[0] = item;
      this.#sink();
    }
  }

  /** The items, the greatest first. */
  sorted(): T[] {
    return this.#heap.toSorted(this.#compare);
  }

  /** Puts the item at `at` above those that are greater. */
  #rise(at: number): void {
    const heap = this.#heap;
    for (let child = at; child > 0;) {
      const parent = (child - 1) >> 1;
      if (this.#compare(heap[child]!, heap[parent]!) <= 0) return;
      this.#swap(child, parent);
      child = parent;
    }
  }

  /** Puts the first item below those that are less. */
  #sink(): void {
    const heap = this.#heap;
    for (let parent = 0;;) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < heap.length && this.#compare(heap[child]!, heap[least]!) > 0) least = child;
      }
      if (least === parent) return;
      this.#swap(parent, least);
      parent = least;
    }
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    const item = heap[a]!;
    heap[a] = heap[b]!;
    heap[b] = item;
  }
}
