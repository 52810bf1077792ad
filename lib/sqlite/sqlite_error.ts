/**
 * The one class of error that this room raises, and how it is made of what `node:sqlite` throws.
 *
 * @module
 */
import { messageOf } from "../base/message_of.ts";

/**
 * What went wrong.
 *
 * | code | when |
 * | --- | --- |
 * | `locked` | another program, or another part of this one, has the file |
 * | `not-a-database` | the file is something else than an SQLite database |
 * | `foreign` | the file is another program's SQLite database |
 * | `newer` | a later version of this program made the file |
 * | `read-only` | the file, or its folder, cannot be written |
 * | `full` | the disk is full |
 * | `damaged` | the file's content is broken |
 * | `failed` | anything else |
 */
export type SqliteErrorCode =
  | "locked"
  | "not-a-database"
  | "foreign"
  | "newer"
  | "read-only"
  | "full"
  | "damaged"
  | "failed";

/** What a {@linkcode SqliteError} is made with. */
export interface SqliteErrorOptions {
  /** The version of a file that is `newer`. */
  readonly version?: number | undefined;
  /** The error behind it. */
  readonly cause?: unknown;
}

/** A failure of a database file. Catch it by its `code`. */
export class SqliteError extends Error {
  /** Always `SqliteError`. */
  override readonly name = "SqliteError";
  /** The condition. */
  readonly code: SqliteErrorCode;
  /** The database file. */
  readonly path: string;
  /** What was tried: `open`, `read`, `write to`, `lock`. */
  readonly action: string;
  /** What happened and what helps; the file is "it". The message ends with this. */
  readonly reason: string;
  /** The version that the file has, where the code is `newer`. */
  readonly version: number | undefined;

  /**
   * Makes an error; nothing is thrown.
   *
   * @param code The condition.
   * @param path The database file.
   * @param action What was tried, a verb that `the database` can follow.
   * @param reason What happened and what helps.
   */
  constructor(
    code: SqliteErrorCode,
    path: string,
    action: string,
    reason: string,
    options: SqliteErrorOptions = {},
  ) {
    const cause = "cause" in options ? { cause: options.cause } : undefined;
    super(`Cannot ${action} the database ${path}: ${reason}`, cause);
    this.code = code;
    this.path = path;
    this.action = action;
    this.reason = reason;
    this.version = options.version;
  }
}

const REASONS: Readonly<Partial<Record<SqliteErrorCode, string>>> = {
  "locked": "another program has it open; close that program, or name another file",
  "not-a-database": "it is no SQLite database; name another file, or move it away",
  "read-only": "its place cannot be written; name a file in a folder that can",
  "full": "the disk is full; make room. What was committed before is still there",
  "damaged": "its content is broken; move it away, or put a backup in its place",
};

const CANNOT_OPEN = "the file cannot be opened; does its folder exist, and may it be written?";

/** SQLite's result codes, without what extended codes add above the low byte. */
const RESULT_CODES: ReadonlyMap<number, SqliteErrorCode> = new Map<number, SqliteErrorCode>([
  [5, "locked"], // SQLITE_BUSY
  [6, "locked"], // SQLITE_LOCKED
  [8, "read-only"], // SQLITE_READONLY
  [11, "damaged"], // SQLITE_CORRUPT
  [13, "full"], // SQLITE_FULL
  [26, "not-a-database"], // SQLITE_NOTADB
]);

/** The extended code where the index of the log cannot grow, which is a file: the disk is full. */
const IOERR_SHMSIZE = 4_874;

/** SQLite's own texts, which it has kept for many years. */
const MESSAGES: readonly (readonly [RegExp, SqliteErrorCode])[] = [
  [/database (table )?is locked/, "locked"],
  [/file is not a database/, "not-a-database"],
  [/readonly database|read-only/i, "read-only"],
  [/database or disk is full|no space left/i, "full"],
  [/malformed|corrupt|vtable constructor failed/, "damaged"],
];

/**
 * A {@linkcode SqliteError} for what was thrown; an error that is one already stays as it is.
 *
 * A prepared statement's failure has SQLite's result code. One of `exec` and of opening has its
 * text only, and a virtual table may hide a damaged file behind the general code: there the text
 * decides.
 *
 * @param error What was thrown.
 * @param path The database file.
 * @param action What was tried: `open`, `read`, `write to`.
 *
 * @example
 * ```ts
 * import { asSqliteError } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 * import { DatabaseSync } from "node:sqlite";
 *
 * const db = new DatabaseSync(":memory:");
 * db.exec("PRAGMA max_page_count = 2; CREATE TABLE t (x)");
 * try {
 *   db.prepare("INSERT INTO t VALUES (zeroblob(100000))").run();
 * } catch (error) {
 *   assertEquals(asSqliteError(error, "notes.db", "write to").code, "full");
 * }
 * db.close();
 * ```
 */
export function asSqliteError(error: unknown, path: string, action: string): SqliteError {
  if (error instanceof SqliteError) return error;
  const text = messageOf(error);
  const code = codeOf(error, text);
  const reason = REASONS[code] ?? (/unable to open database file/.test(text) ? CANNOT_OPEN : text);
  return new SqliteError(code, path, action, reason, { cause: error });
}

function codeOf(error: unknown, text: string): SqliteErrorCode {
  const result: unknown = (error as { readonly errcode?: unknown } | null | undefined)?.errcode;
  if (result === IOERR_SHMSIZE) return "full";
  const byResult = typeof result === "number" ? RESULT_CODES.get(result & 0xff) : undefined;
  return byResult ?? MESSAGES.find(([pattern]) => pattern.test(text))?.[1] ?? "failed";
}
