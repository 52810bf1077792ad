/**
 * Opens connections to a database file: one that writes, and beside it any number that read.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { closeQuietly } from "../base/close_quietly.ts";
import { bytesOption, countOption, FINITE, numericOption } from "../base/numeric_options.ts";
import { timerMs } from "../base/timer_ms.ts";
import { migrate, type SqliteSchema, versionOf } from "./schema.ts";
import { asSqliteError, SqliteError } from "./sqlite_error.ts";

/** Options of both kinds of connection. */
export interface ConnectionOptions {
  /** Memory for pages of the file, in bytes. @default {2 MiB, as SQLite has it} */
  readonly cacheBytes?: number | undefined;
  /** How long a statement waits for another connection's lock. @default {1000} */
  readonly busyTimeoutMs?: number | undefined;
}

/** Options of {@linkcode openWriter}. */
export interface WriterOptions extends ConnectionOptions {
  /** What the file holds. A file of another kind is refused. */
  readonly schema: SqliteSchema;
  /**
   * When a commit waits for the disk.
   *
   * - `full`: each does. What was committed survives a power cut.
   * - `normal`: none does. The file survives a power cut whole, without the last commits.
   * - `off`: none does, and a power cut may break the file.
   *
   * With each of them, what was committed survives the end of the process.
   *
   * @default {"full"}
   */
  readonly synchronous?: "off" | "normal" | "full" | undefined;
  /** Where temporary tables are kept. @default {"file"} */
  readonly temporary?: "file" | "memory" | undefined;
  /** The largest size of the file, in pages of 4096 bytes. @default {no bound} */
  readonly maxPages?: number | undefined;
}

/**
 * Opens the connection that writes. A file that does not exist, or is empty, is made; one of an
 * earlier version is brought to the last. It has a write-ahead log, so that others read while this
 * one writes. Foreign keys are not enforced.
 *
 * SQLite lets several connections write, one after the other; to be the only one, take a
 * {@linkcode FileLock} first.
 *
 * @param path The file, whose folder must exist, or `:memory:` for a database of this connection
 * alone.
 * @throws {SqliteError} The file is then as it was.
 * @throws {TypeError | RangeError} if a number among the options is none, or out of range.
 *
 * @example
 * ```ts
 * import { openReader, openWriter, transaction } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * const schema = { applicationId: 0x6e6f7465, migrations: ["CREATE TABLE note (text)"] };
 * const writer = openWriter(`${folder}/notes.db`, { schema, synchronous: "normal" });
 * const reader = openReader(`${folder}/notes.db`);
 * transaction(writer, () => writer.prepare("INSERT INTO note VALUES (?)").run("hello"));
 * assertEquals(reader.prepare("SELECT text FROM note").get()?.["text"], "hello");
 * reader.close();
 * writer.close();
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export function openWriter(path: string, options: WriterOptions): DatabaseSync {
  const { schema, synchronous = "full", temporary = "file" } = options;
  const limits = connectionLimits(options);
  const maxPages = numericOption("maxPages", options.maxPages, PAGES);
  let db: DatabaseSync | undefined;
  try {
    db = connect(path, limits, false);
    // A file of another kind is refused before anything is written into it.
    versionOf(db, path, schema);
    const mode = db.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"];
    if (mode !== "wal" && mode !== "memory") {
      const reason = `SQLite cannot keep a write-ahead log there (${mode}); ` +
        "name a file on another file system";
      throw new SqliteError("failed", path, "open", reason);
    }
    if (maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${maxPages}`);
    db.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA temp_store = ${temporary}`);
    migrate(db, path, schema);
    return db;
  } catch (error) {
    closeQuietly(db);
    throw asSqliteError(error, path, "open");
  }
}

/**
 * Opens a connection that only reads. It sees each transaction of the writer as a whole or not at
 * all, and waits for none.
 *
 * @param path A file that {@linkcode openWriter} made.
 * @throws {SqliteError} if it cannot be opened. What it holds is not looked at.
 * @throws {TypeError | RangeError} if a number among the options is none, or out of range.
 */
export function openReader(path: string, options: ConnectionOptions = {}): DatabaseSync {
  const limits = connectionLimits(options);
  let db: DatabaseSync | undefined;
  try {
    return db = connect(path, limits, true);
  } catch (error) {
    closeQuietly(db);
    throw asSqliteError(error, path, "read");
  }
}

/** The largest file that SQLite makes has 2³² − 2 pages. */
const PAGES = countOption(undefined, 1, 2 ** 32 - 2);
const CACHE = bytesOption(undefined, 0, FINITE);

interface ConnectionLimits {
  readonly cacheBytes: number | undefined;
  readonly busyTimeoutMs: number;
}

function connectionLimits({ cacheBytes, busyTimeoutMs }: ConnectionOptions): ConnectionLimits {
  return {
    cacheBytes: numericOption("cacheBytes", cacheBytes, CACHE),
    busyTimeoutMs: Math.ceil(timerMs("busyTimeoutMs", busyTimeoutMs, 1_000)),
  };
}

function connect(path: string, limits: ConnectionLimits, readOnly: boolean): DatabaseSync {
  const { cacheBytes, busyTimeoutMs } = limits;
  const db = new DatabaseSync(path, {
    readOnly,
    timeout: busyTimeoutMs,
    enableForeignKeyConstraints: false,
  });
  if (cacheBytes === undefined) return db;
  // A negative number is one of kibibytes. It is the first that looks at the file: what fails has to tell a
  // full disk from a broken one, as only prepared statements do.
  db.prepare(`PRAGMA cache_size = ${-Math.ceil(cacheBytes / 1024)}`).get();
  return db;
}
