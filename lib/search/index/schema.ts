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
 * Most records have the key of their file: by `local` they are found, and the index of `key` has only
 * the others.
 *
 * `language` is that of the texts, where it is known.
 *
 * What makes the shown records be found is in `word_schema.ts`. The key that is indexed there is
 * `local`, so nothing is indexed again when a record's `key` changes.
 *
 * @module
 */
import type { SqliteSchema } from "../../sqlite/mod.ts";
import { DROP_WORD_TABLES, NO_MERGING, WORD_TABLES } from "./word_schema.ts";

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
${DROP_WORD_TABLES}`;

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
  language TEXT,
  title,
  text,
  UNIQUE (local, source)
);
CREATE INDEX record_key ON record (key);
CREATE INDEX record_source ON record (source, shown);
INSERT INTO source (id, root, path, name, label) VALUES (${CLIENT_SOURCE}, 0, '', '', '');
`;

/** One index less is written for most records. */
const OTHER_KEYS = `
DROP INDEX record_key;
CREATE INDEX record_key ON record (key) WHERE key <> local;
`;

/** One index less is written for what clients put: nobody looks for all of that. */
const SOURCES_OF_DATA = `
DROP INDEX record_source;
CREATE INDEX record_source ON record (source) WHERE source <> ${CLIENT_SOURCE};
`;

/** What has to be said of records of the data where they are looked for by their `source`. */
export const OF_DATA = `source <> ${CLIENT_SOURCE}`;

/** Counts the records that are shown: the full-text index has a row of a few bytes for each. */
export const COUNT_SHOWN = "SELECT count(*) AS n FROM words_docsize";

/**
 * A query for the records with a key, which is its only parameter.
 *
 * @param condition What else is asked of them.
 */
export function recordsWithKey(columns: string, condition = "TRUE"): string {
  return `SELECT ${columns} FROM record WHERE local = ?1 AND key = ?1 AND ${condition}
    UNION ALL SELECT ${columns} FROM record WHERE key = ?1 AND key <> local AND ${condition}`;
}

/** {@linkcode recordsWithKey} for the one that is served. */
export function servedRecord(columns: string): string {
  return recordsWithKey(columns, "shown = 1");
}

/** Marks index files, by "sock", and makes their tables. */
export const INDEX_SCHEMA: SqliteSchema = {
  applicationId: 0x736f636b,
  migrations: [FIRST, REBUILD + TABLES + WORD_TABLES, OTHER_KEYS, NO_MERGING, SOURCES_OF_DATA],
};
