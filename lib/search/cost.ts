import { MAX_QUERY_LENGTH } from "./limits.ts";

/** The most queries to remember. */
const REMEMBERED = 2048;
/** What is done within this time is not costly: nobody would notice waiting for it. */
const COSTLY_MS = 10;
/** A search that ranks more entries is costly, whatever it looked like. It takes about 10 ms. */
export const CHEAP_ENTRIES = 8_000;

/**
 * Predicts which queries are costly: by the time that the same query took last, or for a new query
 * by its form. If a query was wrongly taken for a cheap one, the worker hands it back.
 */
export class CostEstimate {
  readonly #costly = new Map<string, boolean>();

  /** Whether a query is likely to be costly. */
  isCostly(query: string): boolean {
    return this.#costly.get(query) ?? looksCostly(query);
  }

  /** Notes how long a query took. It is remembered if its form would give a wrong prediction. */
  took(query: string, ms: number): void {
    // A longer one may fill a whole request: thousands of those would take too much memory.
    if (query.length > MAX_QUERY_LENGTH) return;
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

/**
 * A prefix of one or two letters matches a large part of all entries; alternatives match as many as all
 * of them together; many words take long.
 */
function looksCostly(query: string): boolean {
  return query.length > 100 || /(?:^|[\s"-])\S{1,2}\*|\sOR\s/u.test(query);
}
