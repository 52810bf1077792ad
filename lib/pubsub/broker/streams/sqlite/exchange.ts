import { FileLock } from "../../../../sqlite/mod.ts";
import { journalPathOf } from "./journal/reading.ts";

/**
 * Takes the lock of a store. An earlier process may have been killed while it put a repaired database in
 * its place: that is done first.
 *
 * @throws {SqliteError} as {@linkcode FileLock.take} does.
 */
export async function lockStore(path: string): Promise<FileLock> {
  while (true) {
    const lock = await FileLock.take(path);
    try {
      if (!isThere(nextOf(path))) return lock;
      putInPlace(path);
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
    // It is the lock of the file that was there before.
    await lock[Symbol.asyncDispose]();
  }
}

/**
 * Puts another database in the place of a store's. If the process is killed meanwhile, the store is as it
 * was, or {@linkcode lockStore} does the rest: at no moment a database lies beside the log or the journal
 * of another one, or without its own.
 *
 * @param copy The other database, which is whole and on the disk, and has no log.
 * @returns where the old files are.
 * @throws what keeps it from being done. The store is as it was then, or `lockStore` does the rest.
 */
export async function exchange(path: string, copy: string): Promise<string> {
  const old = `${path}.damaged-${new Date().toISOString().replace(/[:.]/g, "-")}`;
  const names = [
    [path, old],
    [`${path}-wal`, `${old}-wal`],
    [journalPathOf(path), `${old}.journal`],
  ] as const;
  try {
    for (const [from, to] of names) if (isThere(from)) await addName(from, to);
    Deno.renameSync(copy, nextOf(path));
  } catch (error) {
    for (const [, to] of names) await Deno.remove(to).catch(() => {});
    throw error;
  }
  putInPlace(path);
  return old;
}

/** The name of a database that is whole, and is to take the place of the store's. */
function nextOf(path: string): string {
  return `${path}.next`;
}

/** In one go: no signal is heard in between. What it removes has other names. */
function putInPlace(path: string): void {
  for (const each of [`${path}-wal`, `${path}-shm`, journalPathOf(path)]) {
    if (isThere(each)) Deno.removeSync(each);
  }
  Deno.renameSync(nextOf(path), path);
}

/** It takes no room and no time; but some file systems have no links. */
async function addName(from: string, to: string): Promise<void> {
  await Deno.link(from, to).catch(() => Deno.copyFile(from, to));
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
