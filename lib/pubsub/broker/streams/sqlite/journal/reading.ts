/**
 * Reads a journal that a process left, and stores what the database does not have of it.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../../../../base/message_of.ts";
import { durableTransaction, SqliteError } from "../../../../../sqlite/mod.ts";
import { encodeEnds, RunDecoder } from "../run_frames.ts";
import { Statements } from "../statements.ts";
import { JOURNAL_BYTES, kindOfJournal, RECORDS_AT } from "./layout.ts";
import { type JournalRecord, readRecord, RECORD_ALIGNMENT } from "./record.ts";

/**
 * What is wrong with a journal. A crash does none of it: behind the record that it tears there is
 * nothing.
 *
 * - `missing`: there is none, or nothing in it.
 * - `foreign`: it is another database's, or of another time.
 * - `cut-off`: its file ends at a byte. It has its whole size before the first record is written.
 * - `broken`: at a byte is a record that can no longer be read. Others behind it were written after it
 *   was on the disk.
 */
export type JournalDamage =
  | { readonly kind: "missing" | "foreign" }
  | { readonly kind: "cut-off" | "broken"; readonly at: number };

/** What a journal holds. */
export interface JournalContent {
  /** Its records in their order. */
  readonly records: readonly JournalRecord[];
  /** What is wrong with it; `undefined` if nothing is. */
  readonly damage: JournalDamage | undefined;
  /** The records behind the place where it is broken. */
  readonly behind: readonly JournalRecord[];
}

const NOTHING: JournalContent = { records: [], damage: undefined, behind: [] };

/** A journal larger than this is none of ours. */
const MAX_BYTES = 16 * JOURNAL_BYTES;

/** Where the journal of a database is: beside the file that a link leads to. */
export function journalPathOf(database: string): string {
  let path = database;
  try {
    path = Deno.realPathSync(database);
  } catch {
    // There is no database: then no link leads to it.
  }
  return `${path.replace(/\.db$/, "")}.journal`;
}

/**
 * The bytes of a database's journal; `undefined` if there is none, or it was not finished when it was
 * made.
 *
 * @param read Reads all of the file.
 * @throws {SqliteError} `newer` if this program does not know such a journal; `failed` if it cannot
 * be read.
 */
export function readJournal(
  database: string,
  read: (path: string) => Uint8Array = Deno.readFileSync,
): Uint8Array | undefined {
  const path = journalPathOf(database);
  const refused = (code: "newer" | "failed", reason: string, cause?: unknown) =>
    new SqliteError(code, database, "open", `its journal ${path} ${reason}`, { cause });
  let image: Uint8Array;
  try {
    if (Deno.statSync(path).size > MAX_BYTES) {
      throw refused("failed", "is another program's file; move it away");
    }
    image = read(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof SqliteError) throw error;
    throw refused("failed", `cannot be read: ${messageOf(error)}`, error);
  }
  const kind = kindOfJournal(image);
  if (kind === "journal") return image;
  if (kind === "unfinished") return undefined;
  throw refused("newer", kind.reason);
}

/** What stands in a database about its journal; `undefined` if it never had one. */
export function saltOf(db: DatabaseSync): number | undefined {
  const row = new Statements(db).row<[number]>("SELECT value FROM counter WHERE name = 'journal'");
  return row?.[0];
}

/**
 * What the journal has that the database lacks. After a process that did not end in order the journal
 * has to be there, and to be the one that it left.
 *
 * @param image The journal's bytes, if there is one.
 */
export function contentFor(db: DatabaseSync, image: Uint8Array | undefined): JournalContent {
  const statements = new Statements(db);
  const counter = (name: string) =>
    statements.row<[number]>("SELECT value FROM counter WHERE name = ?", name)?.[0];
  const salt = counter("journal");
  if (counter("journal-file") === undefined) return contentOf(image, salt);
  if (image === undefined) return { ...NOTHING, damage: { kind: "missing" } };
  const left = counter("journal-left");
  const first = firstSaltOf(image);
  const isOwn = left === undefined || [salt, salt! - 1, left].includes(first);
  return isOwn ? contentOf(image, salt) : { ...NOTHING, damage: { kind: "foreign" } };
}

/** The salt of what was written last, where the database does not tell. */
export function firstSaltOf(image: Uint8Array): number {
  const bytes = new DataView(image.buffer, image.byteOffset, image.byteLength);
  return bytes.byteLength < RECORDS_AT + 8 ? 0 : bytes.getFloat64(RECORDS_AT, true);
}

/** The records with a salt. */
export function contentOf(
  image: Uint8Array | undefined,
  salt: number | undefined,
): JournalContent {
  if (image === undefined || salt === undefined) return NOTHING;
  const records: JournalRecord[] = [];
  let at = RECORDS_AT;
  for (let each = readRecord(image, at, salt); each; each = readRecord(image, at, salt)) {
    records.push(each);
    at = each.end;
  }
  const end = at;
  const behind: JournalRecord[] = [];
  const heads = new DataView(image.buffer, image.byteOffset);
  while (at + 8 <= image.length) {
    const each = heads.getFloat64(at, true) === salt ? readRecord(image, at, salt) : undefined;
    if (each) behind.push(each);
    at = each?.end ?? at + RECORD_ALIGNMENT;
  }
  if (behind.some(({ synced }) => synced > end)) {
    return { records, damage: { kind: "broken", at: end }, behind };
  }
  const isUsed = image.length >= RECORDS_AT + 8 && heads.getFloat64(RECORDS_AT, true) === salt;
  const isCut = isUsed && image.length < JOURNAL_BYTES;
  const damage = isCut ? { kind: "cut-off", at: image.length } as const : undefined;
  return { records, damage, behind: [] };
}

/** How a damaged journal is told, as the end of a sentence about its database. */
export function damageOf({ damage, behind }: JournalContent): string | undefined {
  switch (damage?.kind) {
    case undefined:
      return undefined;
    case "missing":
      return "its journal is missing or empty, and had messages that only it has";
    case "foreign":
      return "its journal does not belong to it as it is: one of them, or its log, is another's, or " +
        "of another time";
    case "cut-off":
      return `its journal is cut off at byte ${damage.at}`;
    case "broken": {
      const messages = behind.reduce((sum, { count }) => sum + count, 0);
      return `its journal is damaged at byte ${damage.at}, before ${messages} whole messages`;
    }
  }
}

/** Rows of `stream` may be behind the messages. */
const END = "SELECT max(next, coalesce((SELECT first + count FROM run WHERE stream = stream.id " +
  "ORDER BY first DESC LIMIT 1), 0)) FROM stream WHERE id = ?";

/**
 * The records whose messages come behind those that a database has.
 *
 * Of a stream that was deleted, nothing is kept. A commit has all of a record or nothing of it. Where
 * numbers are missing before a record, they were in commits that did not wait for the disk, and nor
 * did what comes behind them.
 */
export function missingRecords(
  statements: Statements,
  records: readonly JournalRecord[],
): JournalRecord[] {
  const ends = new Map<number, number | undefined>();
  return records.filter(({ stream, first, count }) => {
    if (!ends.has(stream)) ends.set(stream, statements.row<[number]>(END, stream)?.[0]);
    if (first !== ends.get(stream)) return false;
    ends.set(stream, first + count);
    return true;
  });
}

/**
 * Stores what a database lacks of its journal; that is on the disk when this returns. What else
 * follows from the messages is found out from them, as after any crash.
 *
 * @returns how many messages there were.
 * @throws {SqliteError} `damaged` if the journal is.
 */
export function storeJournal(db: DatabaseSync, path: string, content: JournalContent): number {
  const damage = damageOf(content);
  if (damage) throw new SqliteError("damaged", path, "open", damage);
  const statements = new Statements(db);
  const missing = missingRecords(statements, content.records);
  if (missing.length === 0) return 0;
  durableTransaction(db, () => storeRecords(statements, missing));
  return missing.reduce((sum, { count }) => sum + count, 0);
}

/** Stores records as rows of a table. */
export function storeRecords(
  statements: Statements,
  records: readonly JournalRecord[],
  table: "run" | "journaled" = "run",
): void {
  const decoder = new RunDecoder();
  for (const { stream, first, count, time, crc, frames } of records) {
    const ends = encodeEnds(decoder.decode(frames).map(({ end }) => end));
    statements.run(
      `INSERT INTO ${table} (stream, first, count, time, bytes, crc, frames, ends) ` +
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      ...[stream, first, count, time, frames.length, crc, frames, ends],
    );
  }
}
