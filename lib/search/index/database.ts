/**
 * Opens connections to an index file, and refuses files that are none.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { SearchError } from "../error.ts";
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from "./schema.ts";
import { asIndexError } from "./sqlite_error.ts";

/** How to open the one connection that writes. */
export interface WriterOptions {
  /** Whether the file need not outlive the process: commits then do not wait for the disk. */
  readonly temporary: boolean;
  /** The largest size of the file in pages of 4096 bytes; for tests of a full disk. */
  readonly maxPages?: number;
}

/**
 * Opens the connection that writes, and makes the tables in a file that is new or empty.
 *
 * @throws {SearchError} `index-*`. The file is then as it was.
 */
export function openWriter(path: string, options: WriterOptions): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: 1000 });
    const isNew = inspect(db, path);
    // WAL is what lets lookups and searches go on while something is written.
    db.exec("PRAGMA journal_mode = WAL");
    if (options.maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${options.maxPages}`);
    db.exec(`PRAGMA synchronous = ${options.temporary ? "OFF" : "NORMAL"}`);
    db.exec("PRAGMA cache_size = -32768; PRAGMA temp_store = FILE; PRAGMA foreign_keys = OFF");
    if (isNew) transaction(db, () => db!.exec(SCHEMA));
    return db;
  } catch (error) {
    closeQuietly(db);
    throw asIndexError(error, path, "open");
  }
}

/**
 * Opens a connection that reads. It never waits for the writer: under WAL it need not.
 *
 * @throws {SearchError} `index-*`.
 */
export function openReader(path: string): DatabaseSync {
  try {
    const db = new DatabaseSync(path, { readOnly: true, timeout: 1000 });
    db.exec("PRAGMA cache_size = -16384");
    return db;
  } catch (error) {
    throw asIndexError(error, path, "read");
  }
}

/** Runs `action` in a transaction: all of it, or, when it throws, nothing. */
export function transaction<T>(db: DatabaseSync, action: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const value = action();
    db.exec("COMMIT");
    return value;
  } catch (error) {
    try {
      db.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself already, as it does when the disk is full.
    }
    throw error;
  }
}

/**
 * Runs `action` in a transaction that is on the disk when this returns, whatever happens to the
 * machine then. Others are in order and whole, but the last of them may be lost with the power:
 * data that are read from files can be read again, and waiting for the disk costs milliseconds.
 */
export function durableTransaction<T>(db: DatabaseSync, action: () => T): T {
  const before = pragma(db, "synchronous");
  if (before === SYNCHRONOUS_OFF) return transaction(db, action);
  db.exec("PRAGMA synchronous = FULL");
  try {
    return transaction(db, action);
  } finally {
    db.exec(`PRAGMA synchronous = ${before}`);
  }
}

/** A temporary index need not be on the disk at all. */
const SYNCHRONOUS_OFF = 0;

/** Closes a connection whatever state it is in. */
export function closeQuietly(db: DatabaseSync | undefined): void {
  try {
    db?.close();
  } catch {
    // It was closed before.
  }
}

/** Whether the file is empty and its tables are still to be made. */
function inspect(db: DatabaseSync, path: string): boolean {
  const id = pragma(db, "application_id");
  const version = pragma(db, "user_version");
  const tables = db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"];
  if (id === 0 && version === 0 && tables === 0) return true;
  if (id !== APPLICATION_ID) {
    throw new SearchError(
      "index-foreign",
      `Cannot use ${path} as an index: it is a database of another program and stays untouched; ` +
        "name another file",
      { path },
    );
  }
  if (version > SCHEMA_VERSION) {
    throw new SearchError(
      "index-newer",
      `Cannot use the index ${path}: its version is ${version} and this program knows up to ` +
        `${SCHEMA_VERSION}; use the later program, or name another file`,
      { path },
    );
  }
  return false;
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}
