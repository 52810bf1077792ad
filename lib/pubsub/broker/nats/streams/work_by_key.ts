/** Work that is done one after the other for each key. */
export class WorkByKey {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Whether anything is done for a key, or waits. */
  has(key: string): boolean {
    return this.#last.has(key);
  }

  /** Does work behind what was asked for before, however that ends. Rejects as the work does. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }
}
