import { messageOf } from "../base/message_of.ts";
import { SqliteError } from "./sqlite_error.ts";

/**
 * Keeps two programs, or two parts of one, from working on one database file. SQLite itself would
 * let both write in turn, and neither would know what the other one changed.
 *
 * The lock is one of the system on the file `PATH.lock`, beside the database. The system gives it
 * back when the process ends, however it ends. The database itself cannot be locked in this way:
 * closing any handle of it would drop SQLite's own locks.
 *
 * @example
 * ```ts
 * import { FileLock, SqliteError } from "./mod.ts";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * {
 *   await using _lock = await FileLock.take(`${folder}/notes.db`);
 *   const error = await assertRejects(() => FileLock.take(`${folder}/notes.db`), SqliteError);
 *   assertEquals(error.code, "locked");
 * }
 * await using _lock = await FileLock.take(`${folder}/notes.db`);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class FileLock implements AsyncDisposable {
  readonly #file: Deno.FsFile;
  readonly #path: string;

  private constructor(file: Deno.FsFile, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /**
   * Takes the lock of a database file, which need not exist; its folder must.
   *
   * @throws {SqliteError} `locked` at once if somebody has it; `read-only`, `failed`.
   */
  static async take(database: string): Promise<FileLock> {
    const path = `${database}.lock`;
    while (true) {
      const file = await open(path, database);
      try {
        if (!await file.tryLock(true)) {
          const reason = "another program has it; close that program, or name another file";
          throw new SqliteError("locked", database, "open", reason);
        }
        // Its last holder may have removed the file between our opening and locking it.
        const [held, named] = [await file.stat(), await Deno.stat(path).catch(() => undefined)];
        if (named !== undefined && named.ino === held.ino) return new FileLock(file, path);
        file.close();
      } catch (error) {
        file.close();
        if (error instanceof SqliteError) throw error;
        const reason = `${messageOf(error)}; name a file on a file system that can lock files`;
        throw new SqliteError("failed", database, "lock", reason, { cause: error });
      }
    }
  }

  /** Gives the lock back, and removes its file. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Removed while it is still held, so that nobody else's lock is removed. Windows refuses to
    // remove an open file; it then stays, empty, and does no harm.
    await Deno.remove(this.#path).catch(() => {});
    this.#file.close();
  }
}

async function open(path: string, database: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { create: true, write: true });
  } catch (cause) {
    const fail = (code: "failed" | "read-only", reason: string) =>
      new SqliteError(code, database, "open", reason, { cause });
    if (cause instanceof Deno.errors.NotFound) {
      throw fail("failed", "its folder does not exist; make it first, or name another place");
    }
    const text = messageOf(cause);
    const isDenied = cause instanceof Deno.errors.PermissionDenied ||
      /read-only|not permitted/i.test(text);
    if (!isDenied) throw fail("failed", text);
    throw fail("read-only", "its folder cannot be written; name a file in a folder that can");
  }
}
