/**
 * Copies an index, and checks one, also while a server has it open.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { checkGiven } from "../../base/option_kinds.ts";
import { backUp, openReader, versionOf } from "../../sqlite/mod.ts";
import { SearchError } from "../error.ts";
import { asIndexError } from "./index_error.ts";
import { INDEX_SCHEMA } from "./schema.ts";

/** What {@linkcode checkIndex} found. */
export interface IndexCheck {
  /** Entries that can be found. */
  readonly entries: number;
  /** Files that they were read from. */
  readonly files: number;
  /** Entries that clients put. */
  readonly put: number;
  /** The version of its layout. An earlier one is built anew when a server opens it. */
  readonly version: number;
  /** What is wrong with it, the first ten things; empty if it is whole. */
  readonly problems: readonly string[];
}

const MAX_PROBLEMS = 10;

/**
 * Copies an index into a new file, as it is at one moment, also while a server has it open and
 * writes. Takes about as long as copying the file, and the calling thread waits.
 *
 * @example
 * ```ts
 * import { backupIndex, checkIndex, openSearch } from "@socktool/socktool/search";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * {
 *   await using engine = await openSearch({ index: `${folder}/index.db`, writable: true });
 *   await engine.put({ key: "key", title: "", text: "put by a client" });
 *   await backupIndex(`${folder}/index.db`, `${folder}/copy.db`);
 * }
 * const { put, problems } = checkIndex(`${folder}/copy.db`);
 * assertEquals([put, problems], [1, []]);
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @param path The index.
 * @param target The file to be made; it has all of the copy or does not exist.
 * @returns the size of the copy, in bytes.
 * @throws {SearchError} `index-*`; `index-failed` if there is no such index, or `target` exists.
 * @throws {TypeError} (as a rejection) if a path is not a string.
 */
export async function backupIndex(path: string, target: string): Promise<number> {
  checkGiven("path", path, "text");
  checkGiven("target", target, "text");
  let db: DatabaseSync | undefined;
  try {
    db = openIndex(path, "back up");
    return await backUp(db, path, target);
  } catch (error) {
    throw asIndexError(error, path, "back up");
  } finally {
    db?.close();
  }
}

/**
 * Checks an index: whether the file is whole, and whether what can be found is what is stored. It
 * reads all of the file, and the calling thread waits.
 *
 * @throws {SearchError} `index-*` if it cannot be read at all.
 * @throws {TypeError} if the path is not a string.
 */
export function checkIndex(path: string): IndexCheck {
  checkGiven("path", path, "text");
  let db: DatabaseSync | undefined;
  try {
    db = openIndex(path, "check");
    const version = versionOf(db, path, INDEX_SCHEMA);
    const rows = db.prepare(`PRAGMA integrity_check(${MAX_PROBLEMS})`).all();
    const problems = rows.map((row) => String(row["integrity_check"]))
      .filter((text) => text !== "ok");
    const count = (sql: string) =>
      Number(db!.prepare(`SELECT count(*) AS n FROM ${sql}`).get()!["n"]);
    const entries = count("record WHERE shown = 1");
    const indexed = count("words");
    if (entries !== indexed) {
      problems.push(`${indexed} entries are in the full-text index, and ${entries} are stored`);
    }
    const put = count("record WHERE source = 0 AND removed = 0");
    const files = count("source WHERE id <> 0");
    return { entries, files, put, version, problems: problems.slice(0, MAX_PROBLEMS) };
  } catch (error) {
    throw asIndexError(error, path, "check");
  } finally {
    db?.close();
  }
}

/** Opens an index for reading. */
function openIndex(path: string, action: string): DatabaseSync {
  const db = openReader(path);
  try {
    if (versionOf(db, path, INDEX_SCHEMA) > 0) return db;
    throw new SearchError("index-failed", `Cannot ${action} ${path}: it is empty, and no index`, {
      path,
    });
  } catch (error) {
    db.close();
    throw asIndexError(error, path, action);
  }
}
