/**
 * The public types of the search engine: entries, searches, answers, the engine itself.
 *
 * @module
 */

/** One thing that can be found. */
export interface SearchEntry {
  /**
   * Identifies the entry: not empty, well-formed Unicode, at most 4096 bytes of UTF-8. Keys are
   * compared exactly, so `Ring` and `ring` are two entries.
   */
  readonly key: string;
  /** A short name for people. Without one in the data it is the key. */
  readonly title: string;
  /** The whole text, without markup. */
  readonly text: string;
}

/** A part of a text, in UTF-16 code units: from `start` up to, but not with, `end`. */
export type Highlight = readonly [start: number, end: number];

/** An entry that a search found. */
export interface SearchHit {
  /** The entry's key. */
  readonly key: string;
  /** The entry's title. */
  readonly title: string;
  /**
   * How well it matches: BM25, where a word in the title counts eight times as much as one in the
   * text, and a word in the key four times. Higher is better. Only scores of one answer can be
   * compared, and hits of better kinds come first: see {@linkcode SearchEngine.search}. It is 0 for
   * an entry whose key is the query, but whose words do not match it.
   */
  readonly score: number;
  /** The passage around the match, at most about 240 characters of plain text on one line. */
  readonly snippet: string;
  /** Where in the title and in the snippet the words of the query are: ranges in their order. */
  readonly highlights: {
    readonly title: readonly Highlight[];
    readonly snippet: readonly Highlight[];
  };
}

/** The answer to a search. */
export interface SearchResult {
  /**
   * The whole text of the entry whose key is the query; without such an entry the best passage of
   * the best match, whatever the `offset`; `undefined` if nothing matched.
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
  /** The query that was answered instead: words that occur nowhere are replaced by near ones. */
  readonly corrected?: string;
  /**
   * Words that were left out, as they were written, because no entry has all words of the query. The
   * best hits have all others; further hits may lack as many others.
   */
  readonly relaxed?: readonly string[];
  /**
   * The query with a common word in place of a rare one that may be a misspelling of it. Its matches
   * follow those of the query, and `total` counts them, too.
   */
  readonly also?: string;
}

/** A completion of what a user has typed. */
export interface Suggestion {
  /** The entry's key: searching for it finds the entry exactly. */
  readonly key: string;
  /** The entry's title. */
  readonly title: string;
}

/** How to search. */
export interface SearchQueryOptions {
  /** How many hits to return: a whole number from 0. Above 100 it counts as 100. @default {10} */
  readonly limit?: number | undefined;
  /** How many hits to skip: a whole number from 0. Above 10,000 it counts as 10,000. @default {0} */
  readonly offset?: number | undefined;
  /**
   * Find only entries with all words as they are written: no other forms, no beginnings of words, no
   * corrected spelling, no words left out. @default {false}
   */
  readonly exact?: boolean | undefined;
  /** Ends waiting: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** How to complete a prefix. */
export interface SuggestOptions {
  /** How many completions to return: a whole number from 0. Above 50 it counts as 50. @default {10} */
  readonly limit?: number | undefined;
  /** Ends waiting: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Figures for operators. Counters begin when the engine is opened. */
export interface SearchStats {
  /** Entries that can be found. */
  readonly entries: number;
  /** Size of the index on disk, including its write-ahead log, in bytes. */
  readonly indexBytes: number;
  /** The engine's {@linkcode SearchEngine.generation}. */
  readonly generation: number;
  /** Searches answered. */
  readonly searches: number;
  /** How many of them were answered after correcting the spelling. */
  readonly corrected: number;
  /** Searches that ended in an error, including those refused with `busy`. */
  readonly failed: number;
  /** Exact lookups. */
  readonly lookups: number;
  /** How many of them were answered from memory. */
  readonly lookupCacheHits: number;
  /** Memory that the cache of lookups takes, about, in bytes. */
  readonly lookupCacheBytes: number;
  /** Entries stored and deleted by clients. */
  readonly writes: number;
  /** Searches that wait for a worker now. */
  readonly queued: number;
  /** Search workers that are running. */
  readonly workers: number;
  /** Workers that died and were replaced. */
  readonly workersReplaced: number;
  /** Median time of the last 1024 searches, including waiting, in ms. 0 before the first. */
  readonly searchP50Ms: number;
  /** 99th percentile of these times, in ms. */
  readonly searchP99Ms: number;
  /** The longest of these times, in ms. */
  readonly searchMaxMs: number;
}

/**
 * A search engine over one index. {@linkcode openSearch} makes it, and its caller closes it.
 *
 * After {@linkcode SearchEngine.close} every method fails with the code `closed`.
 */
export interface SearchEngine extends AsyncDisposable {
  /**
   * A number that changes whenever an entry may have changed. It lets callers cache answers: read
   * it before asking, store it with the answer, and drop the answer when it has changed.
   */
  readonly generation: number;
  /** Whether {@linkcode SearchEngine.put} and {@linkcode SearchEngine.delete} are allowed. */
  readonly writable: boolean;
  /**
   * The largest content of a request that `searchHandler` has use for, in bytes: 64 KiB; with
   * `writable` enough to put the largest entry, six bytes a character and 4 KiB. Give it to
   * `serveRequests` as `maxContentBytes`.
   */
  readonly maxRequestBytes: number;
  /**
   * The entry with exactly this key. Synchronous: it comes from memory or from one read of the
   * index, and never waits for a search or a write. The object is frozen and shared.
   *
   * @throws {TypeError} if the key is not a string.
   * @throws {SearchError} `closed`, or `index-*` if the index cannot be read.
   */
  lookup(key: string): SearchEntry | undefined;
  /**
   * Searches, in a worker, so the caller's event loop goes on. Every text is a valid query:
   *
   * - `white rabbit`: entries with both words, in any order.
   * - `"white rabbit"`: entries with the two words next to each other.
   * - `rab*`: entries with a word that begins with `rab`.
   * - `rabbit OR ring`: entries with either. `OR` binds tighter than a space: `a b OR c` means a and
   *   (b or c).
   * - `white -rabbit`: entries with the first word and without the second. A query of nothing but
   *   words with a minus finds nothing.
   *
   * Case, accents, points and compatibility forms do not count. `C++`, `C#` and `.NET` are words. In
   * Chinese, Japanese and other writing without spaces, a run of characters is found wherever it
   * occurs. Only the first 16 terms and the first 1000 characters of a query are used.
   *
   * Entries whose title is the query come first, then those whose title begins with it, then those
   * with the words near each other, then the others, each by their score. If more than 50,000
   * entries match, only the 50,000 of them that were indexed first are ranked.
   *
   * Where no entry has all words, the last word may be the beginning of one. If there is none either,
   * words that occur nowhere are replaced by near words that do (`corrected`): one edit away, from 8
   * letters on two, with the same first letter; not numbers, codes and words of up to 3 letters. Else
   * the entries with most of the words are found (`relaxed`). A rare word's common neighbour is
   * looked for, too (`also`).
   *
   * @throws {SearchError} `busy` if too many searches wait, `timeout`, `worker-died`, `closed`.
   * @throws {TypeError | RangeError} (as a rejection) for a wrong argument.
   */
  search(query: string, options?: SearchQueryOptions): Promise<SearchResult>;
  /**
   * Completes a prefix. First come the keys that begin with it, then entries whose title or key has
   * all its words, of which the last one may be only the beginning of a word.
   *
   * @throws {SearchError} as {@linkcode SearchEngine.search}.
   */
  suggest(prefix: string, options?: SuggestOptions): Promise<readonly Suggestion[]>;
  /** {@linkcode SearchEngine.lookup} as a promise, which is rejected where that throws. */
  get(key: string): Promise<SearchEntry | undefined>;
  /**
   * Stores an entry. Resolves after the commit: the entry then survives a crash, and with a named
   * index a power cut. It hides the data's entry of the same key, also when the data are read again.
   *
   * @throws {SearchError} `not-writable`, `bad-entry`, `busy`, `index-full`, `closed`, …
   * @throws {TypeError} (as a rejection) if a field of the entry is not a string.
   */
  put(entry: SearchEntry): Promise<void>;
  /**
   * Deletes an entry, one that a client stored or one from the data. An entry from the data stays
   * deleted until a client puts it again. Resolves after the commit.
   *
   * @returns whether there was such an entry.
   * @throws {SearchError} as {@linkcode SearchEngine.put}.
   */
  delete(key: string): Promise<boolean>;
  /** Counters and sizes. */
  stats(): Promise<SearchStats>;
  /**
   * Closes the engine: it finishes the writes that it accepted, fails searches with `closed`, ends
   * the workers, and deletes a temporary index. A second call returns the same promise.
   */
  close(): Promise<void>;
}
