/**
 * The bounds of the search role, in one place: each keeps one request, or one file, from taking
 * all memory or time there is.
 *
 * @module
 */

/** The longest key, in bytes of UTF-8: as long as the longest path on Linux. */
export const MAX_KEY_BYTES = 4096;
/** The default for the largest entry, in bytes of UTF-8. */
export const MAX_ENTRY_BYTES = 4 * 1024 * 1024;
/** Characters of a query that count. */
export const MAX_QUERY_LENGTH = 1000;
/** Terms of a query that count. */
export const MAX_TERMS = 16;
/** The largest `limit` of a search. */
export const MAX_LIMIT = 100;
/** The largest `offset` of a search. */
export const MAX_OFFSET = 10_000;
/** The largest `limit` of a suggestion. */
export const MAX_SUGGESTIONS = 50;
/** Matches that are ranked. Ranking takes about a microsecond for each. */
export const MAX_RANKED = 100_000;
/** Matches that are counted. Counting takes about 50 ns for each. */
export const MAX_COUNTED = 1_000_000;
/** Code units of text read for the snippets of one answer. */
export const MAX_SNIPPET_SCAN = 4 * 1024 * 1024;
/** Broken records, duplicates and skipped files that a pass names one by one. */
export const MAX_NAMED = 1000;
/** Words kept in memory for correcting spelling; with more, the rarest are left out. */
export const MAX_VOCABULARY = 400_000;
