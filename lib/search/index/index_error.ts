/**
 * Turns failures of the index file into errors of the search role.
 *
 * @module
 */
import { asSqliteError } from "../../sqlite/sqlite_error.ts";
import type { SqliteError, SqliteErrorCode } from "../../sqlite/mod.ts";
import { SearchError, type SearchErrorCode } from "../error.ts";

const CODES: Readonly<Record<SqliteErrorCode, SearchErrorCode>> = {
  "locked": "index-locked",
  "not-a-database": "index-not-database",
  "foreign": "index-foreign",
  "newer": "index-newer",
  "read-only": "index-read-only",
  "full": "index-full",
  "damaged": "index-damaged",
  "failed": "index-failed",
};

/** Reasons in words of an index. Other codes keep the reason of the `SqliteError`. */
const REASONS: Readonly<Partial<Record<SqliteErrorCode, string>>> = {
  "locked": "another program has it open; close that program, or name another index file",
  "not-a-database": "the file is no SQLite database; name another file, or move it away",
  "read-only": "its place cannot be written; name an index file in a folder that can",
  "full": "the disk is full; make room, or name an index file on another disk. " +
    "What was committed before is still there",
  "damaged": "its content is broken; move it away and it is built anew from the data",
};

/**
 * A {@linkcode SearchError} for what SQLite threw. A `SearchError` is returned as it is.
 *
 * @param error What was thrown.
 * @param path The index file.
 * @param action What was tried, such as `open` or `write to`.
 */
export function asIndexError(error: unknown, path: string, action: string): SearchError {
  if (error instanceof SearchError) return error;
  const failure = asSqliteError(error, path, action);
  return indexError(failure, REASONS[failure.code] ?? failure.reason);
}

/** {@linkcode asIndexError} for a lock that could not be taken. */
export function asLockError(error: unknown, path: string): SearchError {
  const failure = asSqliteError(error, path, "lock");
  switch (failure.code) {
    case "locked":
      return indexError(
        failure,
        "another server has it open; stop that one, or give each an index file of its own",
      );
    case "read-only":
      return indexError(
        failure,
        "its folder cannot be written; name an index file in a folder that can",
      );
    default:
      return indexError(failure, failure.reason);
  }
}

function indexError(failure: SqliteError, reason: string): SearchError {
  const { code, path, action } = failure;
  const name = code === "foreign" ? `${path} as an index` : `the index ${path}`;
  const message = `Cannot ${action} ${name}: ${reason}`;
  return new SearchError(CODES[code], message, { path, cause: failure.cause ?? failure });
}
