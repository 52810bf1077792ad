/** Queries whose time is remembered. */
const REMEMBERED = 2048;
/** A search that takes longer is costly: an interactive one beside it would notice. */
const COSTLY_MS = 10;

/**
 * Tells costly queries from cheap ones before they run: by the time they took last, or, of one not
 * seen before, by its look.
 */
export class CostEstimate {
  readonly #costly = new Map<string, boolean>();

  /** Whether a query is likely to be costly. */
  isCostly(query: string): boolean {
    return this.#costly.get(query) ?? looksCostly(query);
  }

  /** Remembers how long a query took. */
  took(query: string, ms: number): void {
    const isCostly = ms > COSTLY_MS;
    this.#costly.delete(query);
    if (isCostly === looksCostly(query)) return;
    this.#costly.set(query, isCostly);
    if (this.#costly.size > REMEMBERED) {
      for (const oldest of this.#costly.keys()) {
        this.#costly.delete(oldest);
        break;
      }
    }
  }
}

/** A beginning of one or two letters, or many words: both match a large part of all entries. */
function looksCostly(query: string): boolean {
  return query.length > 100 || /(?:^|[\s"-])\S{1,2}\*/u.test(query);
}
