/**
 * Answers searches from one read-only connection. It runs in search workers.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { COUNT_SHOWN, servedRecord } from "../index/schema.ts";
import { fromStored, type Stored, toStored } from "../index/stored_text.ts";
import { LANGUAGES_OF_INDEX } from "../index/word_schema.ts";
import { MAX_COUNTED, MAX_SHOWN_TITLE, MAX_SNIPPET_SCAN } from "../limits.ts";
import type { SearchHit, SearchResult, Suggestion } from "../types.ts";
import { loadStemmer, type Stem, stemmerOf } from "../words/stemmer.ts";
import { wideForms } from "./forms.ts";
import { Effort } from "./effort.ts";
import { parseQuery } from "./parse.ts";
import { type Plan, plans } from "./plan.ts";
import { NO_ENTRY, type Ranked, Ranker } from "./ranker.ts";
import { highlightsIn, snippetOf } from "./snippet.ts";
import { Spelling } from "./spelling.ts";
import { Suggester } from "./suggest.ts";
import { WordCounts } from "./word_counts.ts";
import { WordMatcher } from "./word_matcher.ts";

/** A search with its defaults filled in. */
export interface SearchRequest {
  readonly query: string;
  readonly limit: number;
  readonly offset: number;
  /** Whether only the words as they are written count. */
  readonly exactly: boolean;
}

/** What a plan finds. */
interface Found {
  readonly plan: Plan | undefined;
  readonly ranked: readonly Ranked[];
  readonly total: number;
}

/** Searches one index. Each worker has its own. */
export class Searcher {
  readonly #db: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #find: StatementSync;
  readonly #fetchPart: StatementSync;
  readonly #fetchText: StatementSync;
  readonly #languages: StatementSync;
  readonly #counts: WordCounts;
  readonly #ranker: Ranker;
  readonly #spelling: Spelling;
  readonly #suggester: Suggester;

  /** @param db A connection for reading; the caller closes it. */
  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#begin = db.prepare("BEGIN");
    this.#commit = db.prepare("COMMIT");
    this.#find = db.prepare(servedRecord("id"));
    // A passage is taken from the first part of a large text.
    this.#fetchPart = db.prepare(
      `SELECT key, substr(title, 1, ${MAX_SHOWN_TITLE}) AS title, substr(text, 1, ?) AS text
        FROM record WHERE id = ?`,
    );
    this.#fetchText = db.prepare("SELECT text FROM record WHERE id = ?");
    this.#languages = db.prepare(LANGUAGES_OF_INDEX);
    this.#counts = new WordCounts(db);
    this.#ranker = new Ranker(db, this.#counts);
    this.#spelling = new Spelling(db, this.#ranker, this.#counts);
    this.#suggester = new Suggester(db, this.#counts);
  }

  /**
   * Answers a search, from one state of the index.
   *
   * @param effort What it may cost.
   * @throws {CostlySearchError} if it costs more.
   */
  search(request: SearchRequest, effort: Effort = new Effort()): SearchResult {
    return this.#reading(() => this.#search(request, effort));
  }

  /**
   * Completes a prefix.
   *
   * @param effort What it may cost.
   * @throws {CostlySearchError} if it costs more.
   */
  suggest(prefix: string, limit: number, effort: Effort = new Effort()): Suggestion[] {
    return this.#reading(() => this.#suggester.suggest(prefix, limit, effort));
  }

  /** How many entries can be found. */
  countEntries(): number {
    const row = this.#db.prepare(COUNT_SHOWN).get();
    return Number(row?.["n"] ?? 0);
  }

  #search({ query: text, limit, offset, exactly }: SearchRequest, effort: Effort): SearchResult {
    this.#ranker.effort = effort;
    const key = text.trim().normalize("NFC");
    const exactId = this.#findKey(text) ?? (key === text ? undefined : this.#findKey(key));
    const query = parseQuery(text);
    // At least one: the result is a passage of the best match.
    const needed = Math.max(1, offset + limit);
    const stems = exactly ? [] : this.#stems();
    const { plan, ranked, total } = this.#found(query, exactly, exactId, needed, stems);
    const best = ranked[0];
    const matcher = new WordMatcher(plan?.queries ?? [query], stems);
    const hits = this.#hits(ranked.slice(offset, offset + limit), matcher);
    return {
      result: exactId === undefined
        ? this.#passage(best, offset === 0 ? hits[0] : undefined, matcher)
        : fromStored(this.#fetchText.get(exactId)?.["text"]),
      exact: exactId !== undefined,
      hits,
      total: Math.min(total, MAX_COUNTED),
      totalExact: total < MAX_COUNTED,
      ...(plan?.corrected === undefined ? {} : { corrected: plan.corrected }),
      ...(plan?.relaxed === undefined ? {} : { relaxed: plan.relaxed }),
      ...(plan?.also === undefined ? {} : { also: plan.also }),
    };
  }

  /**
   * The stems of the index's languages. A language that has just come counts once its stems are
   * loaded.
   */
  #stems(): Stem[] {
    return this.#languages.all().flatMap((row) => {
      const language = String(row["code"]);
      const stem = stemmerOf(language);
      if (stem === undefined) loadStemmer(language).catch(() => {});
      return stem ?? [];
    });
  }

  /**
   * The results of the first plan that finds anything. An entry whose key is the query comes first.
   */
  #found(
    query: ReturnType<typeof parseQuery>,
    exactly: boolean,
    exactId: number | undefined,
    needed: number,
    stems: readonly Stem[],
  ): Found {
    const tools = { ranker: this.#ranker, spelling: this.#spelling, forms: wideForms(stems) };
    if (exactId !== undefined) {
      const [plan] = plans(query, { exactly, isKey: true }, tools);
      return this.#withExact(plan, exactId, needed);
    }
    for (const plan of plans(query, { exactly, isKey: false }, tools)) {
      const found = this.#run(plan, NO_ENTRY, needed);
      if (found.total > 0) return found;
    }
    return { plan: undefined, ranked: [], total: 0 };
  }

  #withExact(plan: Plan | undefined, id: number, needed: number): Found {
    if (plan === undefined) return { plan, ranked: [{ id, score: 0 }], total: 1 };
    const { ranked, total } = this.#run(plan, id, needed - 1);
    let score: number | undefined;
    for (const { match } of plan.passes) score ??= this.#ranker.scoreOf(match, id);
    return { plan, ranked: [{ id, score: score ?? 0 }, ...ranked], total: total + 1 };
  }

  /** Ranks as many entries as are needed, and counts all, both without one of them. */
  #run(plan: Plan, except: number, needed: number): Found {
    const ranked: Ranked[] = [];
    let total = 0;
    for (const pass of plan.passes) {
      const wanted = needed - ranked.length;
      const best = this.#ranker.best(pass, except, Math.max(0, wanted));
      ranked.push(...best.ranked);
      total += best.total ?? this.#ranker.countBut(except, pass.match);
    }
    return { plan, ranked, total };
  }

  /** The passage of the best match, which may be a hit already. */
  #passage(
    best: Ranked | undefined,
    hit: SearchHit | undefined,
    matcher: WordMatcher,
  ): string | undefined {
    if (hit !== undefined) return hit.snippet || hit.title;
    if (best === undefined) return undefined;
    const row = this.#fetchPart.get(MAX_SNIPPET_SCAN, best.id);
    return snippetOf(fromStored(row?.["text"]), matcher) || fromStored(row?.["title"]);
  }

  #hits(ranked: readonly Ranked[], matcher: WordMatcher): SearchHit[] {
    const scanEach = Math.floor(MAX_SNIPPET_SCAN / Math.max(1, ranked.length));
    return ranked.flatMap(({ id, score }) => {
      const row = this.#fetchPart.get(scanEach, id);
      if (row === undefined) return [];
      const title = fromStored(row["title"]);
      const text = fromStored(row["text"]);
      this.#ranker.effort.read(text);
      const snippet = snippetOf(text, matcher);
      const highlights = {
        title: highlightsIn(title, matcher),
        snippet: highlightsIn(snippet, matcher),
      };
      return [{ key: fromStored(row["key"]), title, score, snippet, highlights }];
    });
  }

  #findKey(key: string): number | undefined {
    if (key === "" || !key.isWellFormed()) return undefined;
    const id = this.#find.get(toStored(key) as Stored)?.["id"];
    return id === undefined ? undefined : Number(id);
  }

  #reading<T>(action: () => T): T {
    this.#counts.clear();
    this.#begin.get();
    try {
      return action();
    } finally {
      this.#commit.get();
    }
  }
}
