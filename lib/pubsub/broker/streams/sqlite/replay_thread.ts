/**
 * The thread that reads a store, over a connection of its own: it waits for no commit.
 *
 * @module
 */
import { backup, type DatabaseSync } from "node:sqlite";
import { openThreadPort } from "../../../../base/threads/thread_port.ts";
import type { PostedError } from "../../../../base/threads/error_codec.ts";
import { messageOf } from "../../../../base/message_of.ts";
import { asSqliteError, openReader, SqliteError } from "../../../../sqlite/mod.ts";
import type { StreamStart } from "../stream_store.ts";
import { Replay, type ReplayPart, type ReplayPlace } from "./replay.ts";
import { ERRORS } from "./thread_errors.ts";

/**
 * What the thread is told. Each is answered, in their order; the first opens the database. A thread
 * that backs up does nothing else.
 */
export type ReplayOrder =
  | { readonly type: "open"; readonly path: string }
  | { readonly type: "begin"; readonly stream: string; readonly start: StreamStart }
  | { readonly type: "read"; readonly place: ReplayPlace }
  | { readonly type: "backup"; readonly to: string }
  | { readonly type: "close" };

/** What it tells. */
export type ReplayAnswer =
  | { readonly value: Pick<ReplayPlace, "next" | "lastUntil"> | ReplayPart | undefined }
  | { readonly error: PostedError };

/** Memory for pages of the file. */
const CACHE_BYTES = 16_777_216;

let db: DatabaseSync | undefined;
let replay: Replay | undefined;
let path = "";

const port = openThreadPort<ReplayOrder, ReplayAnswer>(ERRORS, (order) => {
  if (order.type === "backup") return void copyTo(order.to);
  try {
    const value = carryOut(order);
    port.report({ value }, value && "bytes" in value ? [value.bytes.buffer as ArrayBuffer] : []);
  } catch (error) {
    port.report({ error: ERRORS.encode(asSqliteError(error, path, "read")) });
  }
});

/** All pages in one step: else a writer has the copy begin again and again. */
const ALL_PAGES = 2 ** 31 - 1;

/** Copies the database into a new file, which has all of the copy or does not exist. */
async function copyTo(target: string): Promise<void> {
  const partial = `${target}.part-${crypto.randomUUID()}`;
  try {
    // VACUUM INTO would do as well, but Deno allows it only to programs with all permissions.
    await backup(db!, partial, { rate: ALL_PAGES });
    {
      using file = await Deno.open(partial, { read: true, write: true });
      await file.sync();
    }
    // A file that is there already is not replaced, as renaming would.
    await Deno.link(partial, target);
    port.report({ value: undefined });
  } catch (cause) {
    const reason = cause instanceof Deno.errors.AlreadyExists
      ? `${target} exists already; name a new file`
      : `${target} cannot be written: ${messageOf(cause)}`;
    port.report({
      error: ERRORS.encode(new SqliteError("failed", path, "back up", reason, { cause })),
    });
  } finally {
    await Deno.remove(partial).catch(() => {});
  }
}

function carryOut(order: Exclude<ReplayOrder, { type: "backup" }>) {
  switch (order.type) {
    case "open":
      path = order.path;
      db = openReader(path, { cacheBytes: CACHE_BYTES });
      replay = new Replay(db);
      return undefined;
    case "begin":
      return replay!.begin(order.stream, order.start);
    case "read":
      return replay!.read(order.place);
    case "close":
      db?.close();
      return undefined;
  }
}
