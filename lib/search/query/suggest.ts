/**
 * Completes what a user has typed so far.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { fromStored } from "../index/stored_text.ts";
import { MAX_QUERY_LENGTH, MAX_SHOWN_TITLE } from "../limits.ts";
import type { Suggestion } from "../types.ts";
import { wordsOf } from "../words/words.ts";

/**
 * The most matches to rank. A prefix of one letter, the first thing that is typed, has the most
 * matches. If all were ranked, it would be the slowest.
 */
const CONSIDERED = 500;
/** The most words of a prefix to look for. */
const MAX_WORDS = 8;
const SHOWN_TITLE = `substr(title, 1, ${MAX_SHOWN_TITLE}) AS title`;

/** Completes prefixes by the keys and titles of one index. */
export class Suggester {
  readonly #byKey: StatementSync;
  readonly #byWord: StatementSync;

  /** @param db A connection for reading; the caller closes it. */
  constructor(db: DatabaseSync) {
    this.#byKey = db.prepare(
      `SELECT key, ${SHOWN_TITLE} FROM record WHERE key >= ? AND key < ? AND shown = 1
       ORDER BY key LIMIT ?`,
    );
    this.#byWord = db.prepare(
      `SELECT key, ${SHOWN_TITLE} FROM record WHERE id IN
         (SELECT rowid FROM words WHERE words MATCH ? LIMIT ${CONSIDERED})
       ORDER BY length(record.title), record.title LIMIT ?`,
    );
  }

  /** The completions, first keys that begin with the prefix. An empty prefix has none. */
  suggest(prefix: string, limit: number): Suggestion[] {
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
      const isWhole = /\s$/u.test(text);
      const parts = words.map((word, i) =>
        `"${word}"${i === words.length - 1 && !isWhole ? " *" : ""}`
      );
      add(this.#byWord.all(`{key title} : (${parts.join(" AND ")})`, limit + found.size));
    }
    return [...found.values()];
  }
}
