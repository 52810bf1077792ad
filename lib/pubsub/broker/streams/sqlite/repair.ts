/**
 * Makes a whole store of one that is damaged.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { closeQuietly } from "../../../../base/close_quietly.ts";
import {
  asSqliteError,
  FileLock,
  openReader,
  openWriter,
  SqliteError,
  transaction,
  versionOf,
} from "../../../../sqlite/mod.ts";
import { examineStore, needStore, type StreamStoreCheck } from "./care.ts";
import {
  contentFor,
  contentOf,
  firstSaltOf,
  type JournalContent,
  journalPathOf,
  readJournal,
  saltOf,
} from "./journal/reading.ts";
import { remainsOf } from "./remains.ts";
import { DATABASE_NAME, STREAM_SCHEMA } from "./schema.ts";
import { Rescuer } from "./rescuer.ts";
import { Statements } from "./statements.ts";
import { copyInWholeLength, missingLength } from "./whole_length.ts";

/** What {@linkcode repairStreamStore} did. */
export interface StreamStoreRepair {
  /** How many streams there are. */
  readonly streams: number;
  /** Messages that are kept. */
  readonly messages: number;
  /** What is lost, in sentences; empty if nothing is, or the store was whole. */
  readonly lost: readonly string[];
  /** Where the damaged database is; `undefined` if the store was whole, and nothing was changed. */
  readonly damaged: string | undefined;
}

/**
 * Repairs a store that no broker has open: all that can be read and has the right checksum is copied
 * into a new database, which takes the place of the damaged one; that is kept beside it. Where
 * messages are lost, their numbers are missing. It reads all of the store, and the calling thread
 * waits.
 *
 * @throws {SqliteError} `locked` if a broker has it; `failed` if there is none; `damaged` if nothing
 * of it can be read; `full`. The store is as it was then.
 */
export async function repairStreamStore(folder: string): Promise<StreamStoreRepair> {
  const path = `${folder}/${DATABASE_NAME}`;
  needStore(path, "repair");
  await using _lock = await FileLock.take(path);
  const remains = remainsOf(path);
  const before = examineStore(path, remains);
  if (before.problems.length === 0) return { ...figuresOf(before), lost: [], damaged: undefined };
  const copy = `${path}.repaired`;
  const lengthened = `${path}.lengthened`;
  await removeAll(copy, lengthened);
  try {
    const length = missingLength(path);
    if (length !== undefined) await copyInWholeLength(path, lengthened, length);
    const lost = rescue(
      path,
      length === undefined ? path : lengthened,
      copy,
      remains !== undefined,
    );
    const after = examineStore(copy, undefined);
    if (after.problems.length > 0) {
      throw new SqliteError("damaged", path, "repair", after.problems[0]!);
    }
    return { ...figuresOf(after), lost, damaged: await exchange(path, copy) };
  } finally {
    await removeAll(copy, lengthened);
  }
}

async function removeAll(...databases: readonly string[]): Promise<void> {
  for (const each of databases) {
    for (const suffix of ["", "-wal", "-shm"]) await Deno.remove(each + suffix).catch(() => {});
  }
}

function figuresOf({ streams, messages }: StreamStoreCheck) {
  return { streams, messages };
}

/** Puts the copy in place of the database. @returns where that is kept. */
async function exchange(path: string, copy: string): Promise<string> {
  const damaged = `${path}.damaged-${new Date().toISOString().replace(/[:.]/g, "-")}`;
  await Deno.copyFile(path, damaged);
  // The log belongs to the damaged file: beside another one it would be taken for that one's.
  await Deno.rename(`${path}-wal`, `${damaged}-wal`).catch(() => {});
  await Deno.remove(`${path}-shm`).catch(() => {});
  await Deno.rename(copy, path);
  // The new database has what is whole of the journal, and takes nothing from it.
  await Deno.rename(journalPathOf(path), `${damaged}.journal`).catch(() => {});
  return damaged;
}

/** Copies what is whole of a source, which stands for the database, into a new file. @returns what is lost. */
function rescue(path: string, source: string, target: string, isMissing: boolean): string[] {
  let from: DatabaseSync | undefined;
  let to: DatabaseSync | undefined;
  try {
    const found = openSource(source, path, isMissing);
    from = found ?? openWriter(":memory:", { schema: STREAM_SCHEMA });
    const db = to = openWriter(target, { schema: STREAM_SCHEMA });
    const image = readJournal(path);
    const journal = journalFor(from, image);
    const isBare = found === undefined;
    const rescuer = new Rescuer(new Statements(from), new Statements(db), journal, isBare);
    transaction(db, () => rescuer.run());
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return rescuer.lost;
  } catch (error) {
    const known = asSqliteError(error, path, "repair");
    if (known.code !== "damaged" && known.code !== "not-a-database") throw known;
    const reason = "nothing of it can be read; put a backup in its place";
    throw new SqliteError(known.code, path, "repair", reason, { cause: error });
  } finally {
    closeQuietly(from);
    closeQuietly(to);
  }
}

/** Opens the source; `undefined` if the database is missing and cannot be had from its log either. */
function openSource(source: string, path: string, isMissing: boolean): DatabaseSync | undefined {
  let db: DatabaseSync | undefined;
  try {
    db = openReader(source);
    if (versionOf(db, path, STREAM_SCHEMA) > 0 || !isMissing) return db;
  } catch (error) {
    closeQuietly(db);
    if (!isMissing) throw error;
    return undefined;
  }
  closeQuietly(db);
  return undefined;
}

/** What the journal has. If the database does not say with which salt, the last one written counts. */
function journalFor(db: DatabaseSync, image: Uint8Array | undefined): JournalContent {
  try {
    if (image === undefined || saltOf(db) !== undefined) return contentFor(db, image);
  } catch {
    // It cannot be read.
  }
  return contentOf(image, image && firstSaltOf(image));
}
