/**
 * The limits of the search role. Each keeps one request, or one file, from using up memory or time.
 *
 * @module
 */

/** The longest key, in bytes of UTF-8: as long as the longest path on Linux. */
export const MAX_KEY_BYTES = 4096;
/** The largest entry by default, in bytes of UTF-8. */
export const MAX_ENTRY_BYTES = 4 * 1024 * 1024;
/** The most characters of a query that are used. */
export const MAX_QUERY_LENGTH = 1000;
/** The most terms of a query that are used. */
export const MAX_TERMS = 16;
/** The largest `limit` of a search. */
export const MAX_LIMIT = 100;
/** The largest `offset` of a search. */
export const MAX_OFFSET = 10_000;
/** The largest `limit` of completions. */
export const MAX_SUGGESTIONS = 50;
/** The most matches that are ranked. Ranking one takes about 1 µs. */
export const MAX_RANKED = 100_000;
/** The most matches that are counted. Counting one takes about 50 ns. */
export const MAX_COUNTED = 1_000_000;
/** The most code units of text that are read for the snippets of one answer. */
export const MAX_SNIPPET_SCAN = 4 * 1024 * 1024;
/** The most broken records, duplicates and skipped files that a pass reports one by one. */
export const MAX_NAMED = 1000;
/** The most words kept in memory for correcting spelling; the rarest are left out. */
export const MAX_VOCABULARY = 400_000;
