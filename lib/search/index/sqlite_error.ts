/**
 * Tells SQLite's failures apart. Deno's `node:sqlite` has no error numbers, so it goes by SQLite's
 * own messages, which have been stable for many years.
 *
 * @module
 */
import { SearchError, type SearchErrorCode } from "../error.ts";

const CASES: readonly (readonly [RegExp, SearchErrorCode, string])[] = [
  [
    /database (table )?is locked/,
    "index-locked",
    "another program has it open; close that program, or name another index file",
  ],
  [
    /file is not a database/,
    "index-not-database",
    "the file is no SQLite database; name another file, or move it away",
  ],
  [
    /readonly database|read-only/i,
    "index-read-only",
    "its place cannot be written; name an index file in a folder that can",
  ],
  [
    /database or disk is full|no space left/i,
    "index-full",
    "the disk is full; make room, or name an index file on another disk. " +
    "What was committed before is still there",
  ],
  [
    /malformed|corrupt|vtable constructor failed/,
    "index-damaged",
    "its content is broken; move it away and it is built anew from the data",
  ],
  [
    /unable to open database file/,
    "index-failed",
    "the file cannot be opened; does its folder exist, and may it be written?",
  ],
];

/**
 * A {@linkcode SearchError} for what SQLite threw; an error that is one already stays as it is.
 *
 * @param error What was thrown.
 * @param path The index file.
 * @param action What was tried, such as `open` or `write to`.
 */
export function asIndexError(error: unknown, path: string, action: string): SearchError {
  if (error instanceof SearchError) return error;
  const text = error instanceof Error ? error.message : String(error);
  for (const [pattern, code, help] of CASES) {
    if (!pattern.test(text)) continue;
    return new SearchError(code, `Cannot ${action} the index ${path}: ${help}`, {
      path,
      cause: error,
    });
  }
  return new SearchError("index-failed", `Cannot ${action} the index ${path}: ${text}`, {
    path,
    cause: error,
  });
}
