import { FileLock } from "../../../../sqlite/mod.ts";
import { syncFolderOf } from "../../../../sqlite/sync_folder.ts";
import { isThere } from "./is_there.ts";
import { journalPathOf } from "./journal/reading.ts";

/** What a repair makes beside a database, and leaves there if it is killed, by the ends of their names. */
const REMAINS = ["old", "repaired", "readable"] as const;

/** What lies beside a database, by the ends of their names. */
const COMPANIONS = ["-wal", "-shm", ".journal"] as const;

/** The name of what a repair makes beside a database. */
export function beside(path: string, end: typeof REMAINS[number]): string {
  return `${path}.${end}`;
}

/**
 * Takes the lock of a store. An earlier process may have been killed while it repaired it: what it made is
 * removed, or the database that it was putting in its place is put there.
 *
 * @throws {SqliteError} as {@linkcode FileLock.take} does.
 */
export async function lockStore(path: string): Promise<FileLock> {
  while (true) {
    const lock = await FileLock.take(path);
    try {
      if (!isThere(nextOf(path))) {
        await removeRemains(path);
        return lock;
      }
      putInPlace(path);
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
    // It is the lock of the file that was there before.
    await lock[Symbol.asyncDispose]();
  }
}

/** Removes what repairs made that did not come to their end. The caller has the store's lock. */
export async function removeRemains(path: string): Promise<void> {
  for (const end of REMAINS) {
    for (const companion of ["", ...COMPANIONS]) {
      const name = beside(path, end) + companion;
      if (isThere(name)) await Deno.remove(name).catch(() => {});
    }
  }
}

/**
 * Puts another database in the place of a store's. If the process is killed meanwhile, or the power is cut,
 * the store is as it was, or {@linkcode lockStore} does the rest: at no moment a database lies beside the log
 * or the journal of another one, or without its own. So that a disk has the names in this order too, the
 * folder is synced between the steps.
 *
 * @param copy The other database, which is whole and on the disk, and has no log.
 * @returns where the old files are.
 * @throws what keeps it from being done. The store is as it was then, or `lockStore` does the rest.
 */
export async function exchange(path: string, copy: string): Promise<string> {
  const old = beside(path, "old");
  try {
    for (const [companion, from] of filesOf(path)) {
      if (isThere(from)) await addName(from, old + companion);
    }
    syncFolderOf(path);
    Deno.renameSync(copy, nextOf(path));
  } catch (error) {
    await removeRemains(path);
    throw error;
  }
  return putInPlace(path);
}

/** The files of a store, and how their names differ where a database of another name has them. */
function filesOf(path: string): readonly (readonly [companion: string, path: string])[] {
  return [["", path], ["-wal", `${path}-wal`], [".journal", journalPathOf(path)]];
}

/** The name of a database that is whole, and is to take the place of the store's. */
function nextOf(path: string): string {
  return `${path}.next`;
}

/**
 * In one go: no signal is heard in between. What it removes has other names. The time in these names is
 * that of the new database, so they are the same if a later process has to finish this.
 *
 * @returns where the old files are.
 */
function putInPlace(path: string): string {
  const next = nextOf(path);
  syncFolderOf(path);
  const time = Deno.statSync(next).mtime ?? new Date();
  const damaged = `${path}.damaged-${time.toISOString().replace(/[:.]/g, "-")}`;
  for (const [companion] of filesOf(path)) {
    const old = beside(path, "old") + companion;
    if (isThere(old)) Deno.renameSync(old, damaged + companion);
  }
  for (const each of [`${path}-wal`, `${path}-shm`, journalPathOf(path)]) {
    if (isThere(each)) Deno.removeSync(each);
  }
  syncFolderOf(path);
  Deno.renameSync(next, path);
  syncFolderOf(path);
  return damaged;
}

/** It takes no room and no time; but some file systems have no links. */
async function addName(from: string, to: string): Promise<void> {
  try {
    await Deno.link(from, to);
  } catch {
    await Deno.copyFile(from, to);
    using file = await Deno.open(to, { read: true, write: true });
    await file.sync();
  }
}
