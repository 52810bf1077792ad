/**
 * Answers searches from one read-only connection. It runs in search workers.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { fromStored, type Stored, toStored } from "../index/stored_text.ts";
import { MAX_COUNTED, MAX_RANKED, MAX_SHOWN_TITLE, MAX_SNIPPET_SCAN } from "../limits.ts";
import type { SearchHit, SearchResult, Suggestion } from "../types.ts";
import { matchExpression, parseQuery, type Query } from "./parse.ts";
import { Spelling } from "./spelling.ts";
import { snippetOf, WordMatcher } from "./snippet.ts";
import { Suggester } from "./suggest.ts";

/** A search with its defaults filled in. */
export interface SearchRequest {
  readonly query: string;
  readonly limit: number;
  readonly offset: number;
}

interface Ranked {
  readonly id: number;
  readonly score: number;
}

/** Searches one index. Each worker has its own. */
export class Searcher {
  readonly #db: DatabaseSync;
  readonly #find: StatementSync;
  readonly #rank: StatementSync;
  readonly #rankOne: StatementSync;
  readonly #count: StatementSync;
  readonly #fetchPart: StatementSync;
  readonly #fetchText: StatementSync;
  readonly #spelling: Spelling;
  readonly #suggester: Suggester;

  /** @param db A connection for reading; the caller closes it. */
  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#find = db.prepare("SELECT id FROM record WHERE key = ? AND shown = 1");
    // The inner LIMIT bounds the time: without it SQLite ranks every match.
    this.#rank = db.prepare(`SELECT id, score FROM (
        SELECT rowid AS id, bm25(words, 4.0, 8.0, 1.0) AS score FROM words
        WHERE words MATCH ? LIMIT ${MAX_RANKED}
      ) WHERE id <> ? ORDER BY score, id LIMIT ?`);
    this.#rankOne = db.prepare(
      "SELECT bm25(words, 4.0, 8.0, 1.0) AS score FROM words WHERE words MATCH ? AND rowid = ?",
    );
    this.#count = db.prepare(
      `SELECT count(*) AS n FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ${MAX_COUNTED})`,
    );
    // A passage is taken from the first part of a large text.
    this.#fetchPart = db.prepare(
      `SELECT key, substr(title, 1, ${MAX_SHOWN_TITLE}) AS title, substr(text, 1, ?) AS text
        FROM record WHERE id = ?`,
    );
    this.#fetchText = db.prepare("SELECT text FROM record WHERE id = ?");
    this.#spelling = new Spelling(db);
    this.#suggester = new Suggester(db);
  }

  /** Answers a search, from one state of the index. */
  search(request: SearchRequest): SearchResult {
    return this.#reading(() => this.#search(request));
  }

  /** Completes a prefix. */
  suggest(prefix: string, limit: number): Suggestion[] {
    return this.#reading(() => this.#suggester.suggest(prefix, limit));
  }

  /** How many entries can be found. */
  countEntries(): number {
    const row = this.#db.prepare("SELECT count(*) AS n FROM record WHERE shown = 1").get();
    return Number(row?.["n"] ?? 0);
  }

  #search({ query: text, limit, offset }: SearchRequest): SearchResult {
    const exactId = this.#findKey(text) ?? this.#findKey(text.trim());
    let query = parseQuery(text);
    let match = matchExpression(query);
    let total = match === undefined ? 0 : this.#countMatches(match);
    let corrected: string | undefined;
    if (total === 0 && exactId === undefined && match !== undefined) {
      const correction = this.#spelling.correct(query);
      if (correction !== undefined) {
        ({ query, match, text: corrected } = correction);
        total = this.#countMatches(match);
      }
    }
    const ranked = this.#ranked(match, total, exactId, offset + limit);
    if (exactId !== undefined) {
      const own = match === undefined ? undefined : this.#rankOne.get(match, exactId);
      if (own === undefined) total++;
      ranked.unshift({ id: exactId, score: own === undefined ? 0 : -Number(own["score"]) });
    }
    const best = ranked[0];
    return {
      result: this.#result(best, query, exactId !== undefined),
      exact: exactId !== undefined,
      hits: this.#hits(ranked.slice(offset, offset + limit), query),
      total: Math.min(total, MAX_COUNTED),
      totalExact: total < MAX_COUNTED,
      ...(corrected === undefined ? {} : { corrected }),
    };
  }

  /** The best matches without the exact entry; at least one, since the result is a passage of it. */
  #ranked(
    match: string | undefined,
    total: number,
    exactId: number | undefined,
    count: number,
  ): Ranked[] {
    if (match === undefined || total === 0) return [];
    return this.#rank.all(match, exactId ?? -1, Math.max(1, count)).map((row) => ({
      id: Number(row["id"]),
      score: -Number(row["score"]),
    }));
  }

  #result(best: Ranked | undefined, query: Query, exact: boolean): string | undefined {
    if (best === undefined) return undefined;
    if (exact) return fromStored(this.#fetchText.get(best.id)?.["text"]);
    const row = this.#fetchPart.get(MAX_SNIPPET_SCAN, best.id);
    const text = fromStored(row?.["text"]);
    return snippetOf(text, new WordMatcher(query)) || fromStored(row?.["title"]);
  }

  #hits(ranked: readonly Ranked[], query: Query): SearchHit[] {
    const matcher = new WordMatcher(query);
    const scanEach = Math.floor(MAX_SNIPPET_SCAN / Math.max(1, ranked.length));
    return ranked.flatMap(({ id, score }) => {
      const row = this.#fetchPart.get(scanEach, id);
      if (row === undefined) return [];
      const snippet = snippetOf(fromStored(row["text"]), matcher);
      return [{ key: fromStored(row["key"]), title: fromStored(row["title"]), score, snippet }];
    });
  }

  #findKey(key: string): number | undefined {
    if (key === "" || !key.isWellFormed()) return undefined;
    const id = this.#find.get(toStored(key) as Stored)?.["id"];
    return id === undefined ? undefined : Number(id);
  }

  #countMatches(match: string): number {
    return Number(this.#count.get(match)?.["n"] ?? 0);
  }

  #reading<T>(action: () => T): T {
    this.#db.exec("BEGIN");
    try {
      return action();
    } finally {
      this.#db.exec("COMMIT");
    }
  }
}
