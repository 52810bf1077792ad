/**
 * The one class of error that the search role raises.
 *
 * @module
 */

/**
 * What went wrong.
 *
 * | code | when |
 * | --- | --- |
 * | `data-unreadable` | a data path does not exist, may not be read, or is neither file nor folder |
 * | `index-not-database` | the index file is something else than an SQLite database |
 * | `index-foreign` | the index file is another program's SQLite database |
 * | `index-newer` | a later version of this program made the index |
 * | `index-damaged` | the index's content is broken |
 * | `index-locked` | another process, or another engine of this one, has the index open |
 * | `index-read-only` | the index's place cannot be written |
 * | `index-full` | the disk is full |
 * | `index-failed` | any other failure of the index file |
 * | `bad-entry` | an entry to be stored has an empty, malformed or too long key, or is too large |
 * | `not-writable` | the engine was opened without `writable` |
 * | `busy` | too many searches or writes wait |
 * | `timeout` | a search took longer than `searchTimeoutMs` |
 * | `worker-died` | the worker that had the request ended; another one takes its place |
 * | `closed` | the engine was closed |
 */
export type SearchErrorCode =
  | "data-unreadable"
  | "index-not-database"
  | "index-foreign"
  | "index-newer"
  | "index-damaged"
  | "index-locked"
  | "index-read-only"
  | "index-full"
  | "index-failed"
  | "bad-entry"
  | "not-writable"
  | "busy"
  | "timeout"
  | "worker-died"
  | "closed";

/** What a {@linkcode SearchError} is made with. */
export interface SearchErrorOptions {
  /** The file or folder that the error is about. */
  readonly path?: string;
  /** The error behind it. */
  readonly cause?: unknown;
}

/** A failure of the search role. Catch it by its `code`; the message says what helps. */
export class SearchError extends Error {
  /** Always `SearchError`. */
  override readonly name = "SearchError";
  /** The condition. */
  readonly code: SearchErrorCode;
  /** The file or folder concerned, where there is one. */
  readonly path: string | undefined;

  /**
   * Makes an error; nothing is thrown.
   *
   * @param code The condition.
   * @param message What was tried, what happened, what helps.
   */
  constructor(code: SearchErrorCode, message: string, options: SearchErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.path = options.path;
  }
}
