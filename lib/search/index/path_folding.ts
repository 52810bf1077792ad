/**
 * File systems that take several spellings for one name, as those of macOS and Windows do: `a.db` and
 * `A.DB`, or an accent apart from its letter.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";

/** One spelling for all that such a file system takes for the same path. */
export function foldPath(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

/**
 * Whether the file system takes another spelling of a file's name for the same file.
 *
 * @param real The path of something that exists, without links.
 */
export async function foldsNames(real: string): Promise<boolean> {
  const name = basename(real);
  const other = name.replace(/\p{L}/gu, (letter) => {
    const lower = letter.toLowerCase();
    return letter === lower ? letter.toUpperCase() : lower;
  });
  if (other === name) return false;
  const spelled = join(dirname(real), other);
  try {
    const [a, b] = [await Deno.lstat(spelled), await Deno.lstat(real)];
    // A link to it is another name of it everywhere.
    if (a.isSymlink) return false;
    return await Deno.realPath(spelled) === real ||
      (a.ino !== null && a.ino === b.ino && a.dev === b.dev);
  } catch {
    return false;
  }
}

/** Paths that stand for files, however they are spelled. */
export interface KnownPaths {
  /** Whether a path is one of them. */
  has(path: string): boolean;
}

/**
 * The files of an index that is open: the database, and what SQLite and the lock put beside it.
 *
 * @param path The index, which exists.
 */
export async function ownFiles(path: string): Promise<KnownPaths> {
  // SQLite puts its files beside the database itself, the lock lies beside the name that was given.
  const real = await Deno.realPath(path);
  const named = join(await Deno.realPath(dirname(path)), basename(path));
  const paths = [...["", "-wal", "-shm", "-journal"].map((end) => real + end), `${named}.lock`];
  if (!await foldsNames(real)) return new Set(paths);
  const folded = new Set(paths.map(foldPath));
  return { has: (path) => folded.has(foldPath(path)) };
}
