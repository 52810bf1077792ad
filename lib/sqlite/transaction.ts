import type { DatabaseSync, StatementSync } from "node:sqlite";

interface Statements {
  readonly begin: StatementSync;
  readonly beginReading: StatementSync;
  readonly commit: StatementSync;
  readonly rollback: StatementSync;
  /** What `PRAGMA synchronous` was when it was first looked at; `undefined` before. */
  synchronous?: number;
  /** Whether it was set to `FULL` meanwhile. */
  isFull?: boolean;
}

/** Prepared, because only a prepared statement's failure tells SQLite's result code. */
const statements = new WeakMap<DatabaseSync, Statements>();

function statementsOf(db: DatabaseSync): Statements {
  let own = statements.get(db);
  if (own === undefined) {
    own = {
      begin: db.prepare("BEGIN IMMEDIATE"),
      beginReading: db.prepare("BEGIN"),
      commit: db.prepare("COMMIT"),
      rollback: db.prepare("ROLLBACK"),
    };
    statements.set(db, own);
  }
  return own;
}

/**
 * Runs `action` in a transaction: all that it writes is committed, or, when it throws, nothing. It
 * takes the write lock first, so it never fails in the middle because another connection writes.
 *
 * Whether the commit has reached the disk when this returns is up to the connection's
 * `synchronous`: with `full` it has.
 *
 * @param action Synchronous; it must not begin a transaction itself.
 * @returns what `action` returned.
 * @throws what `action` or SQLite throws; see {@linkcode asSqliteError}.
 *
 * @example
 * ```ts
 * import { transaction } from "./mod.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 * import { DatabaseSync } from "node:sqlite";
 *
 * const db = new DatabaseSync(":memory:");
 * db.exec("CREATE TABLE t (x)");
 * assertThrows(() =>
 *   transaction(db, () => {
 *     db.exec("INSERT INTO t VALUES (1)");
 *     throw new Error("changed my mind");
 *   })
 * );
 * assertEquals(db.prepare("SELECT count(*) AS n FROM t").get()?.["n"], 0);
 * db.close();
 * ```
 */
export function transaction<T>(db: DatabaseSync, action: () => T): T {
  const own = statementsOf(db);
  if (own.isFull) {
    db.exec(`PRAGMA synchronous = ${own.synchronous}`);
    own.isFull = false;
  }
  return between(own.begin, own, action);
}

/**
 * Has all statements of `action` read the database as it is at one moment, whatever another
 * connection commits meanwhile. It also costs less: without it each statement takes SQLite's locks and
 * gives them back. Meanwhile what others write cannot all be moved out of the write-ahead log, so
 * `action` should be short.
 *
 * @param action Synchronous; it must not write, nor begin a transaction itself.
 * @returns what `action` returned.
 * @throws what `action` or SQLite throws; see {@linkcode asSqliteError}.
 *
 * @example
 * ```ts
 * import { openReader, openWriter, readTransaction } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * const schema = { applicationId: 0x6e6f7465, migrations: ["CREATE TABLE note (text)"] };
 * using writer = openWriter(`${folder}/notes.db`, { schema });
 * using reader = openReader(`${folder}/notes.db`);
 * const count = () => reader.prepare("SELECT count(*) AS n FROM note").get()?.["n"];
 * readTransaction(reader, () => {
 *   assertEquals(count(), 0);
 *   writer.exec("INSERT INTO note VALUES ('new')");
 *   assertEquals(count(), 0);
 * });
 * assertEquals(count(), 1);
 * ```
 */
export function readTransaction<T>(db: DatabaseSync, action: () => T): T {
  const own = statementsOf(db);
  return between(own.beginReading, own, action);
}

function between<T>(begin: StatementSync, { commit, rollback }: Statements, action: () => T): T {
  begin.run();
  try {
    const value = action();
    commit.run();
    return value;
  } catch (error) {
    try {
      rollback.run();
    } catch {
      // SQLite has rolled back by itself already, as it does when the disk is full.
    }
    throw error;
  }
}

/** Values of `PRAGMA synchronous`. */
const OFF = 0;
const FULL = 2;

/**
 * {@linkcode transaction}, but what it wrote has reached the disk when this returns, also where the
 * connection's `synchronous` is `normal`. Where it is `off`, nothing waits for the disk: the file
 * need not outlive the process.
 *
 * This is for a connection most of whose writes can be made again, and some cannot. One whose
 * writes all matter is opened with `full`.
 *
 * The connection's `synchronous` stays `full` until its next {@linkcode transaction}: to set it costs
 * more than a statement, and such transactions follow each other. Nothing else may change it.
 */
export function durableTransaction<T>(db: DatabaseSync, action: () => T): T {
  const own = statementsOf(db);
  own.synchronous ??= Number(db.prepare("PRAGMA synchronous").get()?.["synchronous"]);
  if (own.synchronous === OFF || own.synchronous >= FULL) return transaction(db, action);
  if (!own.isFull) {
    db.exec("PRAGMA synchronous = FULL");
    own.isFull = true;
  }
  return between(own.begin, own, action);
}
