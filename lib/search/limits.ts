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
/** The most code units of a title in hits and suggestions; the entry itself has all of it. */
export const MAX_SHOWN_TITLE = 1000;
/**
 * The largest entry, title and text together, that is looked up and encoded on the thread that
 * serves, and the largest request that is parsed there, in bytes: each takes less than 1 ms.
 */
export const MAX_INLINE_BYTES = 64 * 1024;
/**
 * The largest request that puts an entry of this many bytes: JSON writes a byte as up to six, as
 * \u0001, and needs some more around it.
 */
export function maxPutBytes(maxEntryBytes: number): number {
  return Math.max(MAX_INLINE_BYTES, 6 * maxEntryBytes + 4096);
}
/**
 * The most that `maxEntryBytes` may be: JSON of six times this size still fits into a string of V8.
 */
export const ENTRY_BYTES_BOUND = 64 * 1024 * 1024;
/** The most values in a larger request: `put` has at most four. */
export const MAX_LARGE_VALUES = 1000;
/** The most matches that are ranked. Ranking one takes about 1 µs. */
export const MAX_RANKED = 50_000;
/** The most matches that are counted. Counting one takes about 50 ns. */
export const MAX_COUNTED = 1_000_000;
/** The most code units of text that are read for the snippets of one answer. */
export const MAX_SNIPPET_SCAN = 1024 * 1024;
/** The most broken records, duplicates and skipped files that a pass reports one by one. */
export const MAX_NAMED = 1000;
