import type { DatabaseSync } from "node:sqlite";
import { closeQuietly } from "../../../../base/close_quietly.ts";
import {
  asSqliteError,
  openReader,
  openWriter,
  SqliteError,
  transaction,
  versionOf,
} from "../../../../sqlite/mod.ts";
import {
  contentFor,
  contentOf,
  firstSaltOf,
  type JournalContent,
  readJournal,
  saltOf,
} from "./journal/reading.ts";
import { readableBytes } from "./readable_parts.ts";
import { readableSource } from "./readable_source.ts";
import { Rescuer } from "./rescuer.ts";
import { STREAM_SCHEMA } from "./schema.ts";
import { Statements } from "./statements.ts";

/** Which store is rescued, where a copy of it may be made that SQLite can read, and the file to be made. */
interface Rescue {
  readonly path: string;
  readonly readable: string;
  readonly target: string;
}

/**
 * Copies what is whole of a store into a new file.
 *
 * @param isMissing Whether only remains of the database are there.
 * @returns what is lost.
 */
export function rescue(
  { path, readable, target }: Rescue,
  isMissing: boolean,
  onCopied: (progress: { step: "copying"; messages: number; of: number }) => void,
): string[] {
  let from: DatabaseSync | undefined;
  let to: DatabaseSync | undefined;
  try {
    const { source, lost } = readableSource(path, readable);
    const found = openSource(source, path, isMissing);
    from = found ?? openWriter(":memory:", { schema: STREAM_SCHEMA });
    const db = to = openWriter(target, { schema: STREAM_SCHEMA });
    const onLost = (what: string) => void lost.push(what);
    const image = readJournal(path, (journal) => readableBytes(journal, onLost));
    const journal = journalFor(from, image);
    const isBare = found === undefined;
    const onRun = (messages: number) => onCopied({ step: "copying", messages, of: 0 });
    const statements = [new Statements(from), new Statements(db)] as const;
    const rescuer = new Rescuer(...statements, { journal, isBare, onRun });
    transaction(db, () => rescuer.run());
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return [...lost, ...rescuer.lost];
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
