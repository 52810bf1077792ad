/**
 * Keeps two engines from working on one index file.
 *
 * SQLite itself would let both write, one after the other, but each would serve what it remembers,
 * and both would take in the same data. So an engine holds a lock on a file beside the index. The
 * system gives the lock back when the process ends, however it ends. The index itself cannot be
 * locked in this way: closing any handle of it would drop SQLite's own locks.
 *
 * @module
 */
import { messageOf } from "../data/walk.ts";
import { SearchError } from "../error.ts";

/** A held lock. */
export class IndexLock implements AsyncDisposable {
  readonly #file: Deno.FsFile;
  readonly #path: string;

  private constructor(file: Deno.FsFile, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /**
   * Takes the lock of an index file.
   *
   * @throws {SearchError} `index-locked`, `index-read-only`, `index-failed`.
   */
  static async take(index: string): Promise<IndexLock> {
    const path = `${index}.lock`;
    while (true) {
      const file = await open(path, index);
      try {
        if (!await file.tryLock(true)) throw locked(index);
        // Whoever had the lock may have removed the file between our opening and locking it.
        const [held, named] = [await file.stat(), await Deno.stat(path).catch(() => undefined)];
        if (named !== undefined && named.ino === held.ino) return new IndexLock(file, path);
        file.close();
      } catch (error) {
        file.close();
        if (error instanceof SearchError) throw error;
        const message = `Cannot lock the index ${index}: ${messageOf(error)}; ` +
          "name an index file on a file system that can lock files";
        throw new SearchError("index-failed", message, { path: index, cause: error });
      }
    }
  }

  /** Gives the lock back. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Removed while it is still held, so that nobody's lock is removed. Windows refuses to remove an
    // open file; it then stays, empty, and does no harm.
    await Deno.remove(this.#path).catch(() => {});
    this.#file.close();
  }
}

async function open(path: string, index: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { create: true, write: true });
  } catch (error) {
    const cannot = `Cannot open the index ${index}`;
    if (error instanceof Deno.errors.NotFound) {
      const message = `${cannot}: its folder does not exist; make it first, or name another place`;
      throw new SearchError("index-failed", message, { path: index, cause: error });
    }
    const isDenied = error instanceof Deno.errors.PermissionDenied ||
      /read-only|not permitted/i.test(messageOf(error));
    throw new SearchError(
      isDenied ? "index-read-only" : "index-failed",
      isDenied
        ? `${cannot}: its folder cannot be written; name an index file in a folder that can`
        : `${cannot}: ${messageOf(error)}`,
      { path: index, cause: error },
    );
  }
}

function locked(index: string): SearchError {
  const message = `Cannot open the index ${index}: another server has it open; ` +
    "stop that one, or give each an index file of its own";
  return new SearchError("index-locked", message, { path: index });
}
