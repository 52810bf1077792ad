/**
 * Opens connections to an index file. Files of another kind are refused.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { assertIdentity } from "../../sqlite/file_guard.ts";
import { openReader, openWriter } from "../../sqlite/open.ts";
import type { FileIdentity } from "../../sqlite/mod.ts";
import { asIndexError } from "./index_error.ts";
import { INDEX_SCHEMA } from "./schema.ts";

/** How to open the one connection that writes. */
export interface IndexWriterOptions {
  /** Whether the file is deleted when the process ends: then commits never wait for the disk. */
  readonly temporary: boolean;
  /** The largest size of the file in pages of 4096 bytes; for tests of a full disk. */
  readonly maxPages?: number | undefined;
}

/**
 * Opens the connection that writes, and makes the tables in a file that is new or empty.
 *
 * Commits wait for the disk only in a `durableTransaction`: records of the data can be read again,
 * what a client put cannot.
 *
 * @throws {SearchError} `index-*`. The file is then as it was.
 */
export function openIndexWriter(path: string, options: IndexWriterOptions): DatabaseSync {
  try {
    return openWriter(path, {
      schema: INDEX_SCHEMA,
      synchronous: options.temporary ? "off" : "normal",
      cacheBytes: 32 * 1024 * 1024,
      maxPages: options.maxPages,
    });
  } catch (error) {
    throw asIndexError(error, path, "open");
  }
}

/** An index file that was opened before, to be opened once more. */
export interface KnownIndex {
  readonly path: string;
  /** The file that it was; `undefined` if it is opened for the first time. */
  readonly identity?: FileIdentity | undefined;
}

/** Checks that an index is still the file that it was. @throws {SearchError} `index-failed`. */
export function assertSameIndex({ path, identity }: KnownIndex): void {
  if (identity === undefined) return;
  try {
    assertIdentity(path, identity);
  } catch (error) {
    throw asIndexError(error, path, "open");
  }
}

/** Opens a connection that reads, and never waits for the writer. @throws {SearchError} `index-*`. */
export function openIndexReader(index: KnownIndex): DatabaseSync {
  const { path } = index;
  assertSameIndex(index);
  try {
    return openReader(path, { cacheBytes: 16 * 1024 * 1024 });
  } catch (error) {
    throw asIndexError(error, path, "read");
  }
}
