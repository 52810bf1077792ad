import { closeQuietly } from "../../../../base/close_quietly.ts";
import { openReader, versionOf } from "../../../../sqlite/mod.ts";
import { contentOf, firstSaltOf, readJournal } from "./journal/reading.ts";
import { readableBytes } from "./readable_parts.ts";
import { STREAM_SCHEMA } from "./schema.ts";

/** A database with tables has more pages, or a log. */
const PAGE_BYTES = 4_096;

/**
 * What is left of a store whose database is missing or empty, as the end of a sentence; `undefined` if
 * nothing is left, or the database has something in it. A log beside an empty database, or a journal with
 * messages, shows that it was not empty. It must not be opened then: SQLite would remove the log.
 */
export function remainsOf(path: string): string | undefined {
  const size = sizeOf(path);
  if (size > PAGE_BYTES || size > 0 && !isBare(path)) return undefined;
  const image = readJournal(path, (journal) => readableBytes(journal));
  const { records, behind } = contentOf(image, image && firstSaltOf(image));
  const messages = [...records, ...behind].reduce((sum, { count }) => sum + count, 0);
  const left = [
    size === 0 && sizeOf(`${path}-wal`) > 0 ? "its log is there" : "",
    messages > 0 ? `its journal has ${messages} messages` : "",
  ].filter((text) => text !== "");
  if (left.length === 0) return undefined;
  const what = size === 0 ? "the file is missing or empty" : "there is nothing in it";
  return `${what}, but ${left.join(" and ")}`;
}

/** Whether it has no tables: where a store is young, they are in its log. */
function isBare(path: string): boolean {
  let db;
  try {
    db = openReader(path);
    return versionOf(db, path, STREAM_SCHEMA) === 0;
  } catch {
    // Why it cannot be read is told by who opens it.
    return false;
  } finally {
    closeQuietly(db);
  }
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}
