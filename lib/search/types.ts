/**
 * What goes into a search engine and what comes out of it.
 *
 * @module
 */

/** One thing that can be found. */
export interface SearchEntry {
  /**
   * Its identity: not empty, well-formed Unicode, at most 4096 bytes of UTF-8. Compared exactly, so
   * `Ring` and `ring` are two entries.
   */
  readonly key: string;
  /** A short name for people. Where the data has none, it is the key. */
  readonly title: string;
  /** The whole text, plain. */
  readonly text: string;
}

/** An entry that a search found. */
export interface SearchHit {
  /** The entry's key. */
  readonly key: string;
  /** The entry's title. */
  readonly title: string;
  /**
   * How well it matches: BM25, with a word in the title counting eight times and one in the key four
   * times as much as one in the text. Higher is better; 0 for an exact key whose words do not match.
   * Comparable within one answer only.
   */
  readonly score: number;
  /** The passage around the match, at most about 240 characters of plain text on one line. */
  readonly snippet: string;
}

/** The answer to a search. */
export interface SearchResult {
  /**
   * The whole text of the entry whose key is the query; else the best passage; `undefined` where
   * nothing matched. It belongs to the best match of all, whatever the `offset`.
   */
  readonly result: string | undefined;
  /** Whether the query is the key of an entry. That entry is then the first hit. */
  readonly exact: boolean;
  /** The best matches from `offset` on, best first. */
  readonly hits: readonly SearchHit[];
  /** How many entries match. */
  readonly total: number;
  /** Whether `total` is the exact number. Counting stops at 1,000,000, and `total` is then that. */
  readonly totalExact: boolean;
  /** The query that was answered instead, after its spelling was corrected. */
  readonly corrected?: string;
}

/** A completion of what somebody typed so far. */
export interface Suggestion {
  /** The text to put into the box: searching for it finds the entry exactly. */
  readonly key: string;
  /** What to show beside it. */
  readonly title: string;
}

/** How to search. */
export interface SearchQueryOptions {
  /** How many hits to return. A whole number from 0; what is above 100 counts as 100. @default {10} */
  readonly limit?: number;
  /** How many hits to leave out first. A whole number from 0; at most 10,000. @default {0} */
  readonly offset?: number;
  /** Ends the wait: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** How to complete a prefix. */
export interface SuggestOptions {
  /** How many completions. A whole number from 0; what is above 50 counts as 50. @default {10} */
  readonly limit?: number;
  /** Ends the wait: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What an operator wants to know. Counters start when the engine is opened. */
export interface SearchStats {
  /** Entries that can be found. */
  readonly entries: number;
  /** Size of the index on disk, its write-ahead log included, in bytes. */
  readonly indexBytes: number;
  /** The engine's {@linkcode SearchEngine.generation}. */
  readonly generation: number;
  /** Searches answered. */
  readonly searches: number;
  /** Of these, how many were answered after correcting the spelling. */
  readonly corrected: number;
  /** Searches that ended in an error, those refused with `busy` included. */
  readonly failed: number;
  /** Exact lookups. */
  readonly lookups: number;
  /** Of these, how many came from memory. */
  readonly lookupCacheHits: number;
  /** Bytes that the cache of lookups takes, about. */
  readonly lookupCacheBytes: number;
  /** Entries stored and deleted by clients. */
  readonly writes: number;
  /** Searches that wait for a worker at this moment. */
  readonly queued: number;
  /** Search workers that run. */
  readonly workers: number;
  /** Workers that died and were replaced. */
  readonly workersReplaced: number;
  /** Median time of the last 1024 searches, waiting included, in milliseconds. 0 before the first. */
  readonly searchP50Ms: number;
  /** The time within which 99 of 100 of them were answered, in milliseconds. */
  readonly searchP99Ms: number;
}

/**
 * A search engine over one index. Made by {@linkcode openSearch}; whoever opened it closes it.
 *
 * After {@linkcode SearchEngine.close} every method fails with the code `closed`.
 */
export interface SearchEngine extends AsyncDisposable {
  /**
   * Changes whenever an entry may have changed, so that callers can keep answers: take the number
   * before asking, keep it with the answer, drop the answer when the number differs.
   */
  readonly generation: number;
  /** Whether {@linkcode SearchEngine.put} and {@linkcode SearchEngine.delete} are allowed. */
  readonly writable: boolean;
  /**
   * The entry with exactly this key. Synchronous, from memory or with one read from the index; it
   * never waits for a search or a write. The object is frozen and shared.
   *
   * @throws {TypeError} if the key is not a string.
   * @throws {SearchError} `closed`, or `index-*` if the index cannot be read.
   */
  lookup(key: string): SearchEntry | undefined;
  /**
   * Searches, in a worker: the caller's event loop goes on. No query is a syntax error.
   *
   * - `white rabbit`: entries with both words, in any order.
   * - `"white rabbit"`: the words next to each other.
   * - `rab*`: words that begin so.
   * - `rabbit OR ring`: either. It binds tighter than the space: `a b OR c` is a and (b or c).
   * - `-white`: not that; it needs at least one word beside it that is wanted.
   *
   * Case and diacritics do not count. In Chinese, Japanese and other writing without spaces every
   * run of characters is found wherever it occurs. Only the first 16 terms and 1000 characters of
   * a query count. Where more than 100,000 entries match, the ranked ones are the first 100,000
   * that were indexed. Where nothing matches, words that occur nowhere are replaced by ones that
   * do, up to two edits away (one for words of two and three letters).
   *
   * @throws {SearchError} `busy` when too many searches wait, `timeout`, `worker-died`, `closed`.
   * @throws {TypeError | RangeError} (as a rejection) for a wrong argument.
   */
  search(query: string, options?: SearchQueryOptions): Promise<SearchResult>;
  /**
   * Completes a prefix: first the keys that begin with it, then entries in whose title or key each
   * word occurs, the last one as a beginning.
   *
   * @throws {SearchError} as {@linkcode SearchEngine.search}.
   */
  suggest(prefix: string, options?: SuggestOptions): Promise<readonly Suggestion[]>;
  /** What {@linkcode SearchEngine.lookup} returns, as a promise. */
  get(key: string): Promise<SearchEntry | undefined>;
  /**
   * Stores an entry. It resolves after the commit: the entry then survives a crash of this process.
   * It hides an entry of the same key from the data, and stays when the data are read again.
   *
   * @throws {SearchError} `not-writable`, `bad-entry`, `busy`, `index-full`, `closed`, …
   */
  put(entry: SearchEntry): Promise<void>;
  /**
   * Deletes an entry, whether a client stored it or it comes from the data; in the latter case it
   * stays deleted until it is put again. It resolves after the commit.
   *
   * @returns whether there was one.
   * @throws {SearchError} as {@linkcode SearchEngine.put}.
   */
  delete(key: string): Promise<boolean>;
  /** Counters and sizes. */
  stats(): Promise<SearchStats>;
  /**
   * Ends the engine: writes that were accepted are finished, searches fail with `closed`, workers
   * end, a temporary index is removed. A second call returns the same promise.
   */
  close(): Promise<void>;
}
