import { isThere } from "./is_there.ts";
import { isReadable, readableParts, unreadableText } from "./readable_parts.ts";

/** Where the header of a database tells the size of its pages, and how many it has. */
const PAGE_SIZE_AT = 16, PAGES_AT = 28;
const HEADER_BYTES = 100;

/** A page size of 65,536 is written as this. */
const LARGEST = 1;

/** Where the header of a log tells the size of a page. */
const LOG_PAGE_SIZE_AT = 8;

/** The first page of a database has this size at most. */
const MOST_PAGE_BYTES = 65_536;

/** What stands for a damaged database where SQLite can read it. */
export interface ReadableSource {
  /** Its path. */
  readonly source: string;
  /** What the disk cannot read of it, in sentences. */
  readonly lost: string[];
}

/**
 * A database as SQLite can read what is there of it. Of one that was cut off it reads nothing, nor where the
 * disk cannot read the first page, or a block of the log. Then a copy is made, with its log: in its
 * whole length, and with zeros for what is missing or cannot be read. Otherwise it is the database itself.
 *
 * @param to Where the copy is made.
 * @throws {Error} if the disk can read too little.
 */
export function readableSource(path: string, to: string): ReadableSource {
  const log = `${path}-wal`;
  const hasLog = isThere(log);
  const hasPage = isReadable(path, MOST_PAGE_BYTES);
  const length = hasPage ? missingLength(path) : undefined;
  const isWhole = hasPage && length === undefined && (!hasLog || isReadable(log));
  if (isWhole) return { source: path, lost: [] };
  const lost: string[] = [];
  for (const end of hasLog ? ["", "-wal"] : [""]) {
    const unreadable = copyReadable(path + end, to + end);
    if (unreadable > 0) lost.push(unreadableText(unreadable, path + end));
  }
  if (length !== undefined) Deno.truncateSync(to, length);
  return { source: to, lost };
}

/** Copies what the disk can read. @returns how many bytes it cannot read. */
function copyReadable(from: string, to: string): number {
  using file = Deno.openSync(to, { write: true, create: true, truncate: true });
  let unreadable = 0;
  for (const part of readableParts(from)) {
    unreadable += part.unreadable;
    for (let at = 0; at < part.bytes.length;) at += file.writeSync(part.bytes.subarray(at));
  }
  return unreadable;
}

/**
 * The size that a database's file should have, by its own header; `undefined` if it has that, or more.
 * So an empty file should have the size of one page; the log has the others.
 */
function missingLength(path: string): number | undefined {
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(HEADER_BYTES);
  const count = file.readSync(bytes);
  if (count === null) return logPageBytes(path);
  if (count !== HEADER_BYTES) return undefined;
  const header = new DataView(bytes.buffer);
  const pageBytes = header.getUint16(PAGE_SIZE_AT);
  const length = (pageBytes === LARGEST ? 65_536 : pageBytes) * header.getUint32(PAGES_AT);
  return file.statSync().size < length ? length : undefined;
}

/** The size of a page, where there is a log that tells it. */
function logPageBytes(path: string): number | undefined {
  try {
    using file = Deno.openSync(`${path}-wal`);
    const bytes = new Uint8Array(LOG_PAGE_SIZE_AT + 4);
    if (file.readSync(bytes) !== bytes.length) return undefined;
    return new DataView(bytes.buffer).getUint32(LOG_PAGE_SIZE_AT);
  } catch {
    return undefined;
  }
}
