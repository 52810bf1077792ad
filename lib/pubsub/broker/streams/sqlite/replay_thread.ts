/**
 * The thread that reads a store, over a connection of its own: it waits for no commit.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { ByteBuffer } from "../../../../base/byte_buffer.ts";
import { openThreadPort } from "../../../../base/threads/thread_port.ts";
import type { PostedError } from "../../../../base/threads/error_codec.ts";
import {
  asSqliteError,
  backUp,
  openReader,
  openWriter,
  SqliteError,
} from "../../../../sqlite/mod.ts";
import type { StreamStart } from "../stream_store.ts";
import { Replay, type ReplayPart, type ReplayPlace } from "./replay.ts";
import {
  contentFor,
  contentOf,
  damageOf,
  readJournal,
  saltOf,
  storeJournal,
} from "./journal/reading.ts";
import { STREAM_SCHEMA } from "./schema.ts";
import { showJournal } from "./show_journal.ts";
import { ERRORS } from "./thread_errors.ts";

/**
 * What the thread is told. Each is answered, in their order; the first opens the database. A thread
 * that backs up does nothing else.
 */
export type ReplayOrder =
  | { readonly type: "open"; readonly path: string; readonly cacheBytes: number }
  | { readonly type: "begin"; readonly stream: string; readonly start: StreamStart }
  /**
   * @param maxBytes As that of `Replay.read`.
   * @param memory To be read into; it comes back with the answer, or larger memory instead.
   */
  | {
    readonly type: "read";
    readonly place: ReplayPlace;
    readonly maxBytes: number | undefined;
    readonly memory: ArrayBuffer | undefined;
  }
  /**
   * @param isWritten Whether the journal may be written to meanwhile.
   * @param unwanted The asking thread sets it to 1 to end the copy.
   */
  | {
    readonly type: "backup";
    readonly to: string;
    readonly isWritten: boolean;
    readonly unwanted: Uint8Array<SharedArrayBuffer>;
  }
  /** @param lasts The number of the last message of each stream, as it was confirmed. */
  | { readonly type: "show-journal"; readonly lasts: ReadonlyMap<string, number> }
  | { readonly type: "close" };

/** What it tells. */
export type ReplayAnswer =
  | { readonly value: Pick<ReplayPlace, "next" | "lastUntil"> | ReplayPart | undefined }
  | { readonly error: PostedError };

/** A journal is read so often before it counts as damaged. */
const MAX_TRIES = 3;

let db: DatabaseSync | undefined;
let replay: Replay | undefined;
let path = "";

const port = openThreadPort<ReplayOrder, ReplayAnswer>(ERRORS, (order) => {
  if (order.type === "backup") return void copyTo(order);
  try {
    const value = carryOut(order);
    port.report({ value }, value && "bytes" in value ? [value.bytes.buffer as ArrayBuffer] : []);
  } catch (error) {
    port.report({ error: ERRORS.encode(asSqliteError(error, path, "read")) });
  }
});

type BackupOrder = Extract<ReplayOrder, { type: "backup" }>;

async function copyTo(order: BackupOrder): Promise<void> {
  try {
    for (let tries = 1; await copyOnce(order, tries < MAX_TRIES); tries++);
    port.report({ value: undefined });
  } catch (error) {
    port.report({ error: ERRORS.encode(asSqliteError(error, path, "back up")) });
  }
}

/**
 * Copies the database with what only the journal has. If that may be written to meanwhile, it may be of a
 * moment before, and whether it is the database's own cannot be told.
 *
 * @param again Whether it may be tried again.
 * @returns whether it has to be: what was read of the journal looks damaged, as it does too where the
 * broker wrote to it at that moment.
 */
async function copyOnce(
  { to, isWritten, unwanted }: BackupOrder,
  again: boolean,
): Promise<boolean> {
  // What is accepted from here on may be missing. If the journal begins again meanwhile, the database
  // has what was in it.
  const image = readJournal(path);
  let damage: string | undefined;
  try {
    const finish = (copy: string) => {
      const copied = openWriter(copy, { schema: STREAM_SCHEMA });
      try {
        const content = isWritten ? contentOf(image, saltOf(copied)) : contentFor(copied, image);
        damage = damageOf(content);
        storeJournal(copied, copy, content);
        // Beside the copy there is no journal.
        copied.exec("DELETE FROM counter WHERE name IN ('journal', 'journal-file')");
      } finally {
        copied.close();
      }
    };
    await backUp(db!, path, to, { finish, isUnwanted: () => Atomics.load(unwanted, 0) !== 0 });
    return false;
  } catch (error) {
    if (damage === undefined) throw error;
    if (again) return true;
    const reason = `${damage}; 'socktool stream repair' keeps what is whole`;
    throw new SqliteError("damaged", path, "back up", reason, { cause: error });
  }
}

function bufferOver(memory: ArrayBuffer | undefined): ByteBuffer {
  const buffer = new ByteBuffer(memory ? 0 : undefined);
  if (memory) buffer.bytes = new Uint8Array(memory);
  return buffer;
}

function carryOut(order: Exclude<ReplayOrder, { type: "backup" }>) {
  switch (order.type) {
    case "open":
      path = order.path;
      db = openReader(path, { cacheBytes: order.cacheBytes });
      replay = new Replay(db);
      return undefined;
    case "begin":
      return replay!.begin(order.stream, order.start);
    case "read":
      return replay!.read(order.place, order.maxBytes, bufferOver(order.memory));
    case "show-journal":
      showJournal(db!, path, order.lasts);
      replay = new Replay(db!);
      return undefined;
    case "close":
      db?.close();
      return undefined;
  }
}
