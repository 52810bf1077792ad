/**
 * Database files on SQLite (`node:sqlite`): opening one to write and to read, versions of its
 * tables, transactions, copies, a lock that keeps others out, and one class of error.
 *
 * Everything here is synchronous but {@linkcode FileLock} and {@linkcode backUp}: a commit that waits
 * for the disk holds up its thread, so databases that are written to often belong in a worker.
 *
 * A limit that is a parameter is written `LIMIT +?`. SQLite plans a statement by the value of a bare
 * one, so it prepares the statement anew at each run, which takes 10 to 40 µs.
 *
 * @module
 */
export { backUp } from "./backup.ts";
export { type ConnectionOptions, openReader, openWriter, type WriterOptions } from "./open.ts";
export { type SqliteSchema, versionOf } from "./schema.ts";
export { durableTransaction, readTransaction, transaction } from "./transaction.ts";
export { FileLock } from "./file_lock.ts";
export { assertIdentity, FileGuard, type FileIdentity, identityOf } from "./file_guard.ts";
export {
  asSqliteError,
  SqliteError,
  type SqliteErrorCode,
  type SqliteErrorOptions,
} from "./sqlite_error.ts";
