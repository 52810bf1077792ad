/**
 * The tables by which entries are found. They hold what `words/` makes of the shown records, and are
 * made anew from these where an index has none.
 *
 * `words` is the full-text index. It does not keep the texts: what is returned to clients comes from
 * `record`. Its column `stems` has the stems of words that differ from them, where the language of an
 * entry is known; `language` has these languages. `heading` has the words of each title, and of what
 * counts as a title (`words/heading.ts`). `vocabulary` has the words that spelling is corrected by,
 * by their first letter and their number of letters; a row of no letters says that it has to be made
 * anew.
 *
 * @module
 */

/** What makes a table of {@linkcode WORD_TABLES}'s form under another name. */
export function vocabularyTable(name: string): string {
  return `CREATE TABLE ${name} (
    initial TEXT NOT NULL, letters INTEGER NOT NULL, word TEXT NOT NULL, entries INTEGER NOT NULL,
    PRIMARY KEY (initial, letters, word)) WITHOUT ROWID;`;
}

/** What the full-text index holds in memory before it writes a segment, in bytes. */
const SEGMENT_BYTES = 16 * 1024 * 1024;

/**
 * The lists of one- and two-letter prefixes make such queries, the slowest of all, two to seven
 * times faster, and the file about a third larger. Lists of longer prefixes make nothing faster.
 *
 * The texts are normalised, so that the tokenizer only has to split them at ASCII characters.
 */
export const WORD_TABLES = `
CREATE VIRTUAL TABLE words USING fts5 (
  key, title, text, stems,
  content='', contentless_delete=1, prefix='1 2', tokenize='ascii'
);
INSERT INTO words (words, rank) VALUES ('hashsize', ${SEGMENT_BYTES});
CREATE VIRTUAL TABLE word USING fts5vocab (words, 'row');
CREATE TABLE heading (form TEXT, id INTEGER, PRIMARY KEY (form, id)) WITHOUT ROWID;
${vocabularyTable("vocabulary")}
CREATE TABLE language (code TEXT PRIMARY KEY);
`;

/**
 * Leaves the merging of segments to `segment_merger.ts`: FTS5 does none by itself, unless there are a
 * thousand on one level.
 */
export const NO_MERGING = `
INSERT INTO words (words, rank) VALUES ('automerge', 0);
INSERT INTO words (words, rank) VALUES ('crisismerge', 1000);
`;

/** The languages whose stems an index has. Each makes a query longer, so their number is bounded. */
export const LANGUAGES_OF_INDEX = "SELECT code FROM language ORDER BY rowid LIMIT 8";

/** Removes the tables, of any version. */
export const DROP_WORD_TABLES = `
DROP TABLE IF EXISTS word;
DROP TABLE IF EXISTS words;
DROP TABLE IF EXISTS heading;
DROP TABLE IF EXISTS vocabulary;
DROP TABLE IF EXISTS language;
`;
