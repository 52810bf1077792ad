/**
 * Places for indexes that go with their process.
 *
 * @module
 */
import { messageOf } from "../base/message_of.ts";
import { PeriodicLook } from "../base/periodic_look.ts";
import { FileLock } from "../sqlite/file_lock.ts";
import { SearchError } from "./error.ts";

const PREFIX = "socktool-search-";
const NAME = "index.db";
/** A younger folder without an index may be one whose process has not locked its index yet. */
const MIN_AGE_MS = 60_000;
/** Folders that are looked at, at most. */
const MAX_LOOKED_AT = 100;
/** How long after the start this is done: first, the program is to do what it was started for. */
const LOOK_AFTER_MS = 500;

/**
 * Makes a place for an index, and some time later removes those that processes left behind which were
 * killed.
 *
 * @returns the index file's path. @param opened Removes it in the end.
 */
export async function temporaryIndex(opened: AsyncDisposableStack): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: PREFIX }).catch((error) => {
    const message = `Cannot make a temporary folder for the index: ${messageOf(error)}; ` +
      "name an index file";
    throw new SearchError("index-failed", message, { cause: error });
  });
  opened.defer(() => removeFolder(folder));
  // No link is on the way, so nobody has to find that out.
  const path = `${await Deno.realPath(folder)}/${NAME}`;
  // The process that ends gives the lock back: so others know that the folder is nobody's any more.
  opened.use(await FileLock.take(path));
  let removing: Promise<void> | undefined;
  const later = new PeriodicLook(LOOK_AFTER_MS, () => {
    later.stop();
    removing = removeAbandoned(folder).catch(() => {});
  });
  later.start();
  opened.defer(async () => {
    later.stop();
    await removing;
  });
  return path;
}

/** Removes the folders beside `own` of indexes that nobody has open. */
export async function removeAbandoned(own: string): Promise<void> {
  const parent = own.slice(0, own.lastIndexOf(PREFIX));
  const { uid } = await Deno.stat(own);
  let lookedAt = 0;
  for await (const { name, isDirectory } of Deno.readDir(parent)) {
    if (!isDirectory || !name.startsWith(PREFIX)) continue;
    if (++lookedAt > MAX_LOOKED_AT) return;
    await removeIfAbandoned(parent + name, uid).catch(() => {});
  }
}

async function removeIfAbandoned(folder: string, uid: number | null): Promise<void> {
  const info = await Deno.lstat(folder);
  const isOld = Date.now() - (info.mtime?.getTime() ?? Date.now()) > MIN_AGE_MS;
  // Somebody else's folder is left alone, and so is one that holds anything but an index.
  if (!info.isDirectory || info.uid !== uid) return;
  // What is in an index was written by one who had locked it.
  const written = await Deno.lstat(`${folder}/${NAME}`).catch(() => undefined);
  if (!isOld && !(written?.isFile && written.size > 0)) return;
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile || !name.startsWith(NAME)) return;
  }
  const lock = await FileLock.take(`${folder}/${NAME}`);
  try {
    await removeFolder(folder);
  } finally {
    await lock[Symbol.asyncDispose]();
  }
}

/**
 * Another process may be at it too: once the lock is given back, the folder is abandoned. Taking the
 * lock may put the index file there again just before the folder is removed.
 */
async function removeFolder(folder: string): Promise<void> {
  for (let triesLeft = 5;; triesLeft--) {
    try {
      return await Deno.remove(folder, { recursive: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      if ((error as { code?: string }).code !== "ENOTEMPTY" || triesLeft === 0) throw error;
    }
  }
}
