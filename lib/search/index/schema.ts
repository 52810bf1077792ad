/**
 * The layout of an index file.
 *
 * A `root` is a data path, a `source` is a file under it, a `record` is an entry of a source. Source
 * 0 under root 0 holds what clients put.
 *
 * All records of a key are kept. `shown` marks the one that is served: the last one by root, then by
 * path, where root 0 is after all others. When it is removed, the one before it is served again. So
 * an index that was updated in many steps equals one that was built at once. `removed` marks a
 * client's deletion of a key, which hides the records of the data.
 *
 * `words` is the full-text index of the shown records. It indexes the segmented text (see tokens.ts)
 * and does not store it; what is returned to clients comes from `record`.
 *
 * @module
 */
import type { SqliteSchema } from "../../sqlite/mod.ts";

/** The source that holds what clients put. */
export const CLIENT_SOURCE = 0;

/**
 * The lists of one- and two-letter prefixes make such queries, the slowest of all, two to seven
 * times faster, and the file about a third larger. Lists of longer prefixes make nothing faster.
 *
 * Besides letters and numbers, these categories are parts of words: M, the marks inside words of
 * Indic scripts; So, symbols such as emoji; Cn, characters that are newer than SQLite's tables.
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
