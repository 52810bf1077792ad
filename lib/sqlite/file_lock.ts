import { messageOf } from "../base/message_of.ts";
import { type FileIdentity, identityOf } from "./file_guard.ts";
import { SqliteError } from "./sqlite_error.ts";

/**
 * Windows keeps everybody from reading what is locked, the holder's own SQLite too: there the lock is
 * on a file beside the database.
 */
const LOCKS_BESIDE = Deno.build.os === "windows";

/** The files that this process has locked. */
const held = new Set<FileIdentity>();
/** Locks are taken one after the other; see {@linkcode take}. */
let taking: Promise<unknown> = Promise.resolve();

/**
 * Keeps two programs, or two parts of one, from working on one database file, by whatever path or
 * link they reach it. SQLite itself would let both write in turn, and neither would know what the
 * other one changed.
 *
 * The lock is one of the system (`flock`) on the database file. The system gives it back when the
 * process ends, however it ends. It is another kind than SQLite's own locks; but these are dropped
 * when any handle of the file is closed that this process has. So who has a lock keeps its handle
 * until the database is closed, and no other handle of the file is opened meanwhile.
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
  /** The database, without links on the way to it. */
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #lockPath: string;
  readonly #identity: FileIdentity;
  readonly #isNew: boolean;

  private constructor(
    path: string,
    { file, lockPath, identity, isNew }: {
      file: Deno.FsFile;
      lockPath: string;
      identity: FileIdentity;
      isNew: boolean;
    },
  ) {
    this.path = path;
    this.#file = file;
    this.#lockPath = lockPath;
    this.#identity = identity;
    this.#isNew = isNew;
    held.add(identity);
  }

  /**
   * Takes the lock of a database file. Its folder must exist; the file is made if it does not.
   *
   * @throws {SqliteError} `locked` at once if somebody has it; `read-only`, `failed`.
   */
  static take(database: string): Promise<FileLock> {
    const lock = taking.then(() => FileLock.#take(database));
    taking = lock.catch(() => {});
    return lock;
  }

  static async #take(database: string): Promise<FileLock> {
    while (true) {
      const path = await realPath(database);
      const lockPath = LOCKS_BESIDE ? `${path}.lock` : path;
      const before = identityOf(lockPath);
      if (before !== undefined && held.has(before)) throw locked(database);
      const file = await open(lockPath, database);
      try {
        if (!await file.tryLock(true)) throw locked(database);
        // Its last holder may have removed the file between our opening and locking it.
        const { dev, ino } = await file.stat();
        const identity = identityOf(lockPath);
        if (identity === `${dev}:${ino}`) {
          return new FileLock(path, { file, lockPath, identity, isNew: before === undefined });
        }
        file.close();
      } catch (error) {
        file.close();
        if (error instanceof SqliteError) throw error;
        const reason = `${messageOf(error)}; name a file on a file system that can lock files`;
        throw new SqliteError("failed", database, "lock", reason, { cause: error });
      }
    }
  }

  /** Gives the lock back. A file that was made for it and stayed empty is removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Removed while it is still held, so that nobody else's lock is removed. Windows refuses to
    // remove an open file; it then stays, empty, and does no harm.
    const isEmpty = LOCKS_BESIDE || (this.#isNew && await this.#isEmpty());
    if (isEmpty) await Deno.remove(this.#lockPath).catch(() => {});
    held.delete(this.#identity);
    // Closing alone would leave the lock to a process that is just being started, until it has let go
    // of what it inherited.
    this.#file.unlockSync();
    this.#file.close();
  }

  async #isEmpty(): Promise<boolean> {
    const { dev, ino, size } = await this.#file.stat();
    return size === 0 && identityOf(this.#lockPath) === `${dev}:${ino}`;
  }
}

function locked(database: string): SqliteError {
  const reason = "another program has it; close that program, or name another file";
  return new SqliteError("locked", database, "open", reason);
}

/** A path without links; that of a file that does not exist is where it would be made. */
async function realPath(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch {
    // `node:path` would do it, and take 8 ms to load at a start.
    const [, folder = "", name = path] = PARTS.exec(path) ?? [];
    const real = await Deno.realPath(folder || ".").catch(() => folder);
    return real === "" || /[/\\]$/.test(real) ? real + name : `${real}/${name}`;
  }
}

/** The folder of a path, with the separator at its end, and the name. */
const PARTS = Deno.build.os === "windows" ? /^(.*[/\\]|[A-Za-z]:)([^/\\]*)$/s : /^(.*\/)([^/]*)$/s;

async function open(path: string, database: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { create: true, read: true, write: true });
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
    throw fail(
      "read-only",
      "it, or its folder, cannot be written; name a file in a folder that can",
    );
  }
}
