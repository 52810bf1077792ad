/**
 * The layout of an index file.
 *
 * A `root` is a data path, a `source` is a file under it, a `record` is an entry of a source. Source
 * 0 under root 0 holds what clients put.
 *
 * A record's `local` is its key within its file, `key` the one by which it is served: `local`, where
 * no other file's record has the same, else `FILE#local`; `record_keys.ts` has the rule. `FILE` is
 * the source's `label`: the path within the data path (`name`), with as many folders before it as
 * tell it from other files of that name.
 *
 * `shown` marks records that are served: those of the data whose `key` no client has stored or
 * deleted, and those of clients. `removed` marks a client's deletion of a key.
 *
 * `words` is the full-text index of the shown records. It indexes the segmented text (see tokens.ts)
 * and does not store it; what is returned to clients comes from `record`. Its `key` is `local`, so
 * nothing is indexed again when a record's `key` changes.
 *
 * @module
 */
import type { SqliteSchema } from "../../sqlite/mod.ts";

/** The source that holds what clients put. */
export const CLIENT_SOURCE = 0;

/** What {@linkcode REBUILD} expects of the file before it; later versions made more. */
const FIRST = `
CREATE TABLE root (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, ordinal INTEGER NOT NULL);
CREATE TABLE record (key NOT NULL, source INTEGER NOT NULL, removed INTEGER NOT NULL, title, text);
INSERT INTO root (id, path, ordinal) VALUES (0, '', 2147483647);
`;

/**
 * Of an index of an earlier layout only the data paths stay, and in `kept` what clients put and
 * deleted. Everything else is read again from the data.
 */
const REBUILD = `
CREATE TABLE kept AS SELECT key, removed, title, text FROM record WHERE source = ${CLIENT_SOURCE};
DROP TABLE record;
DROP TABLE IF EXISTS source;
DROP TABLE IF EXISTS word;
DROP TABLE IF EXISTS words;
`;

/**
 * The lists of one- and two-letter prefixes make such queries, the slowest of all, two to seven
 * times faster, and the file about a third larger. Lists of longer prefixes make nothing faster.
 *
 * Besides letters and numbers, these categories are parts of words: M, the marks inside words of
 * Indic scripts; So, symbols such as emoji; Cn, characters that are newer than SQLite's tables.
 */
const TABLES = `
CREATE TABLE source (
  id INTEGER PRIMARY KEY,
  root INTEGER NOT NULL,
  path TEXT NOT NULL,
  name TEXT NOT NULL,
  label TEXT NOT NULL,
  bytes INTEGER,
  modifiedMs REAL,
  hash TEXT,
  settings TEXT,
  UNIQUE (root, path)
);
CREATE INDEX source_name ON source (name);
CREATE TABLE record (
  id INTEGER PRIMARY KEY,
  key NOT NULL,
  local NOT NULL,
  place TEXT,
  source INTEGER NOT NULL,
  shown INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  title,
  text,
  UNIQUE (local, source)
);
CREATE INDEX record_key ON record (key);
CREATE INDEX record_source ON record (source, shown);
CREATE VIRTUAL TABLE words USING fts5 (
  key, title, text,
  content='', contentless_delete=1, prefix='1 2',
  tokenize="unicode61 remove_diacritics 2 categories 'L* N* M* Co So Cn'"
);
CREATE VIRTUAL TABLE word USING fts5vocab (words, 'row');
INSERT INTO source (id, root, path, name, label) VALUES (${CLIENT_SOURCE}, 0, '', '', '');
`;

/** Marks index files, by "sock", and makes their tables. */
export const INDEX_SCHEMA: SqliteSchema = {
  applicationId: 0x736f636b,
  migrations: [FIRST, REBUILD + TABLES],
};
