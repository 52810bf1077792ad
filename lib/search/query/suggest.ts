/**
 * Completes what a user has typed so far.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { servedBetween } from "../index/schema.ts";
import { fromStored } from "../index/stored_text.ts";
import { MAX_QUERY_LENGTH, MAX_SHOWN_TITLE } from "../limits.ts";
import type { Suggestion } from "../types.ts";
import { wordsOf } from "../words/words.ts";
import type { Effort } from "./effort.ts";
import type { Term } from "./parse.ts";
import { isGathered, type WordCounts } from "./word_counts.ts";

/**
 * The most matches to rank. A prefix of one letter, the first thing that is typed, has the most
 * matches. If all were ranked, it would be the slowest.
 */
const CONSIDERED = 500;
/** The most words of a prefix to look for. */
const MAX_WORDS = 8;
/**
 * How many of the first entries are searched for titles with a common word, which takes 1 ms: most often
 * enough are among them. Only the number of entries with a word is known, not that of titles.
 */
const FIRST_ENTRIES = 32_768;
const SHOWN_TITLE = `substr(title, 1, ${MAX_SHOWN_TITLE}) AS title`;

/** Completes prefixes by the keys and titles of one index. */
export class Suggester {
  readonly #byKey: StatementSync;
  readonly #among: StatementSync;
  readonly #shortest: StatementSync;
  readonly #counts: WordCounts;

  /** @param db A connection for reading; the caller closes it. */
  constructor(db: DatabaseSync, counts: WordCounts) {
    this.#counts = counts;
    this.#byKey = db.prepare(servedBetween(SHOWN_TITLE));
    // Bound as it is, a number is REAL, which FTS5 does not take for a limit.
    this.#among = db.prepare(
      `SELECT json_group_array(rowid) AS ids, count(*) AS n FROM (SELECT rowid FROM words
        WHERE words MATCH ? AND rowid <= CAST(? AS INTEGER) LIMIT ${CONSIDERED})`,
    );
    this.#shortest = db.prepare(
      `SELECT key, ${SHOWN_TITLE} FROM record WHERE id IN
         (SELECT value FROM json_each(?)) ORDER BY length(record.title), record.title LIMIT +?`,
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
    const add = (rows: readonly Record<string, unknown>[]) => {
      for (const row of rows) {
        const key = fromStored(row["key"]);
        if (found.size < limit && !found.has(key)) {
          found.set(key, { key, title: fromStored(row["title"]) });
        }
      }
    };
    // Texts that begin with `text` sort between `text` and `text` plus the last character.
    add(this.#byKey.all(text, `${text}\u{10ffff}`, limit));
    const words = wordsOf(text).slice(0, MAX_WORDS);
    if (found.size < limit && words.length > 0) {
      const ids = this.#first(words, !/\s$/u.test(text), effort);
      add(this.#shortest.all(ids, limit + found.size));
    }
    return [...found.values()];
  }

  /** The first entries with these words in their keys or titles, as a list in JSON. */
  #first(words: readonly string[], isBeginning: boolean, effort: Effort): string {
    const terms = words.map((word, i): Term => {
      const prefix = isBeginning && i === words.length - 1;
      return { words: [word], places: [], quoted: false, prefix };
    });
    const parts = terms.map(({ words, prefix }) => `"${words[0]}"${prefix ? " *" : ""}`);
    const match = `{key title} : (${parts.join(" AND ")})`;
    if (!effort.isFree) {
      const { looks } = this.#counts.estimate({ groups: terms.map((term) => [term]), without: [] });
      const [{ words: [word], prefix }, other] = terms as [Term, Term?];
      const isGatheredFirst = other !== undefined || (prefix && isGathered(word!));
      if (looks > FIRST_ENTRIES && !isGatheredFirst) {
        const first = this.#among.get(match, FIRST_ENTRIES)!;
        if (first["n"] === CONSIDERED) return String(first["ids"]);
      }
      effort.lookAt(looks);
    }
    return String(this.#among.get(match, Number.MAX_SAFE_INTEGER)!["ids"]);
  }
}
