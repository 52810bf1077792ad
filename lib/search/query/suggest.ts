/**
 * Completes what a user has typed so far.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { fromStored } from "../index/stored_text.ts";
import { MAX_QUERY_LENGTH } from "../limits.ts";
import type { Suggestion } from "../types.ts";
import { wordsOf } from "../words/words.ts";
import type { Effort } from "./effort.ts";
import { KeyCompleter, type Shown, SHOWN_COLUMNS } from "./key_completer.ts";
import type { Term } from "./parse.ts";
import { isGathered, type WordCounts } from "./word_counts.ts";

/**
 * The most matches to rank. A prefix of one letter, the first thing that is typed, has the most
 * matches. If all were ranked, it would be the slowest.
 */
const CONSIDERED = 500;
/** The most words of a prefix to look for. */
const MAX_WORDS = 8;

/** Completes prefixes by the keys and titles of one index. */
export class Suggester {
  readonly #keys: KeyCompleter;
  readonly #byWords: StatementSync;
  readonly #byFirst: StatementSync;
  readonly #counts: WordCounts;

  /** @param db A connection for reading; the caller closes it. */
  constructor(db: DatabaseSync, counts: WordCounts) {
    this.#counts = counts;
    this.#keys = new KeyCompleter(db);
    const matches = "SELECT rowid AS match FROM words WHERE words MATCH ?1";
    const shortest = (columns: string, found: string) =>
      `SELECT ${columns} FROM ${found} CROSS JOIN record ON id = match
        ORDER BY length(record.title), record.title LIMIT +?2`;
    this.#byWords = db.prepare(shortest(SHOWN_COLUMNS, `(${matches} LIMIT ${CONSIDERED})`));
    // Bound as it is, a number is REAL, which FTS5 does not take for a limit.
    this.#byFirst = db.prepare(
      `WITH first AS MATERIALIZED
        (${matches} AND rowid <= CAST(?3 AS INTEGER) LIMIT ${CONSIDERED})
        ${shortest(`${SHOWN_COLUMNS}, (SELECT count(*) FROM first) AS n`, "first")}`,
    );
  }

  /**
   * The completions, first keys that begin with the prefix. An empty prefix has none.
   *
   * @throws {CostlySearchError} if they cost more than the effort.
   */
  suggest(prefix: string, limit: number, effort: Effort): Suggestion[] {
    const text = prefix.slice(0, MAX_QUERY_LENGTH).toWellFormed().trimStart();
    if (text === "" || limit === 0) return [];
    const found = new Map<string, Suggestion>();
    const add = (rows: readonly Shown[]) => {
      for (const row of rows) {
        const key = fromStored(row["key"]);
        if (found.size < limit && !found.has(key)) {
          found.set(key, { key, title: fromStored(row["title"]) });
        }
      }
    };
    add(this.#keys.complete(text, limit, effort));
    const words = wordsOf(text).slice(0, MAX_WORDS);
    if (found.size < limit && words.length > 0) {
      add(this.#withWords(words, !/\s$/u.test(text), limit + found.size, effort));
    }
    return [...found.values()];
  }

  /** The entries with the shortest titles of the first with these words in their keys or titles. */
  #withWords(
    words: readonly string[],
    isBeginning: boolean,
    limit: number,
    effort: Effort,
  ): Shown[] {
    const terms = words.map((word, i): Term => {
      const prefix = isBeginning && i === words.length - 1;
      return { words: [word], places: [], quoted: false, prefix };
    });
    const parts = terms.map(({ words, prefix }) => `"${words[0]}"${prefix ? " *" : ""}`);
    const match = `{key title} : (${parts.join(" AND ")})`;
    const isOneList = words.length === 1 && !(isBeginning && isGathered(words[0]!));
    const { lookedAt } = effort;
    // One list is read only as far as it is needed, and has no more than all entries.
    if (!effort.isFree && !(isOneList && this.#counts.all <= lookedAt)) {
      const { looks } = this.#counts.estimate({ groups: terms.map((term) => [term]), without: [] });
      if (isOneList && looks > lookedAt) {
        const rows = this.#byFirst.all(match, limit, lookedAt);
        if (rows[0]?.["n"] === CONSIDERED) return rows;
      }
      effort.lookAt(looks);
    }
    return this.#byWords.all(match, limit);
  }
}
