/**
 * The layout of an index file.
 *
 * A `root` is one data path; a `source` is one file under it; a `record` is one entry of a source.
 * Source 0 under root 0 is what clients put. All records of a key are kept, and `shown` marks the
 * one that is served: the last by root, then by path, with root 0 after all others. When that one
 * goes, the one before it is served again, so an index that was updated step by step equals one
 * built at once. `removed` marks a client's deletion, which hides the records of the data.
 *
 * `words` is the full-text index over the shown records. It keeps no text of its own: what it holds
 * is segmented (see tokens.ts), what is returned comes from `record`.
 *
 * @module
 */
import type { SqliteSchema } from "../../sqlite/mod.ts";

/** The source that holds what clients put. */
export const CLIENT_SOURCE = 0;

/**
 * The prefix lists make one- and two-letter prefixes, the costliest queries, two to seven times
 * faster and the file about a third larger; longer prefixes gain nothing from lists of their own.
 *
 * So are symbols, emoji among them; Cn are characters younger than SQLite's tables; with M words of
 * Indic scripts stay whole.
 */
const TABLES = `
CREATE TABLE root (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  ordinal INTEGER NOT NULL
);
CREATE TABLE source (
  id INTEGER PRIMARY KEY,
  root INTEGER NOT NULL,
  path TEXT NOT NULL,
  bytes INTEGER,
  modifiedMs REAL,
  hash TEXT,
  settings TEXT,
  UNIQUE (root, path)
);
CREATE TABLE record (
  id INTEGER PRIMARY KEY,
  key NOT NULL,
  source INTEGER NOT NULL,
  shown INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  title,
  text,
  UNIQUE (key, source)
);
CREATE INDEX record_source ON record (source, shown);
CREATE VIRTUAL TABLE words USING fts5 (
  key, title, text,
  content='', contentless_delete=1, prefix='1 2',
  tokenize="unicode61 remove_diacritics 2 categories 'L* N* M* Co So Cn'"
);
CREATE VIRTUAL TABLE word USING fts5vocab (words, 'row');
INSERT INTO root (id, path, ordinal) VALUES (0, '', 2147483647);
INSERT INTO source (id, root, path) VALUES (0, 0, '');
`;

/** Marks index files, by "sock", and makes their tables. */
export const INDEX_SCHEMA: SqliteSchema = { applicationId: 0x736f636b, migrations: [TABLES] };
