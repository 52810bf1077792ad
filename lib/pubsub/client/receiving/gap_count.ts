/**
 * Counts what came by a filter, beside what the broker counts for it: so it is known how much was
 * published between two connections, and what was on its way when the first was lost.
 */
export class GapCount {
  /** Publications that came, and those that the broker told as missed, since the broker's count. */
  came = 0;
  #counter: string | undefined;
  #count = 0;

  /** Something was missed, nobody knows how much: the size of the next gap is not known. */
  forget(): void {
    this.#counter = undefined;
  }

  /**
   * Takes the broker's count.
   *
   * @returns How many publications there were since the last one that did not come; `null` if that is
   * not known.
   */
  restart(counter: unknown, count: unknown): number | null {
    const missed = counter !== undefined && counter === this.#counter
      ? Number(count) - this.#count - this.came
      : NaN;
    this.#counter = typeof counter === "string" ? counter : undefined;
    this.#count = Number(count);
    this.came = 0;
    return missed >= 0 ? missed : null;
  }
}
