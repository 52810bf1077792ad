import { backup, type DatabaseSync } from "node:sqlite";
import { messageOf } from "../base/message_of.ts";
import { writeNew } from "./new_file.ts";
import { asSqliteError, SqliteError, type SqliteErrorCode } from "./sqlite_error.ts";

/** What SQLite may put beside a database. */
const BESIDE = ["-journal", "-wal", "-shm"];

/** All pages in one step: else a writer has the copy begin again and again. */
const ALL_PAGES = 2 ** 31 - 1;

/**
 * Copies a database into a new file, as it is at one moment, also while others have it open and
 * write. Copying the file itself would miss what is in its write-ahead log. It takes about as long as
 * copying the file, and the calling thread waits.
 *
 * @example
 * ```ts
 * import { backUp, openReader, openWriter } from "./mod.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const schema = { applicationId: 0x6e6f7465, migrations: ["CREATE TABLE note (text)"] };
 * using _writer = openWriter(`${folder}/notes.db`, { schema });
 * using reader = openReader(`${folder}/notes.db`);
 * await backUp(reader, `${folder}/notes.db`, `${folder}/copy.db`);
 * ```
 *
 * @param db A connection for reading.
 * @param path Its file, for messages.
 * @param target The file to be made: it has all of the copy, on the disk, or does not exist.
 * @param finish Is called with the path of the copy before that becomes the file, to change it.
 * @param partial Where the copy lies until it is whole: who ends the thread that makes it removes that by
 * {@linkcode removePartial}. By default it has a name beside the target.
 * @returns the size of the copy in bytes.
 * @throws {SqliteError} (as a rejection) `failed` if there is a file already, or its folder is
 * missing; `full`, and others, if it cannot be written.
 */
export async function backUp(
  db: DatabaseSync,
  path: string,
  target: string,
  finish?: (copy: string) => void,
  partial?: string,
): Promise<number> {
  const failed = (reason: string, cause?: unknown, code: SqliteErrorCode = "failed") =>
    new SqliteError(code, path, "back up", `${target} ${reason}`, { cause });
  try {
    return await writeNew(target, async (partial) => {
      // VACUUM INTO would do as well, but Deno allows it only to programs with all permissions.
      try {
        await backup(db, partial, { rate: ALL_PAGES });
        finish?.(partial);
      } finally {
        // On a full disk SQLite leaves what it has put beside the copy.
        await removeBeside(partial);
      }
      using file = await Deno.open(partial, { read: true, write: true });
      await file.sync();
      return (await file.stat()).size;
    }, partial);
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) {
      throw failed("exists already; name a new file", cause);
    }
    if (/unable to open database|No such file/.test(messageOf(cause))) {
      throw failed("cannot be made: its folder does not exist, or may not be written", cause);
    }
    const { code, reason } = asSqliteError(cause, target, "write to");
    throw failed(`cannot be written: ${reason}`, cause, code);
  }
}

/** Removes a copy that is not whole, with what SQLite has put beside it. */
export async function removePartial(partial: string): Promise<void> {
  await Deno.remove(partial).catch(() => {});
  await removeBeside(partial);
}

async function removeBeside(partial: string): Promise<void> {
  for (const end of BESIDE) await Deno.remove(partial + end).catch(() => {});
}
