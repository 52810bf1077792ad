import { backup, type DatabaseSync } from "node:sqlite";
import { messageOf } from "../base/message_of.ts";
import { writeNew } from "./new_file.ts";
import { asSqliteError, SqliteError, type SqliteErrorCode } from "./sqlite_error.ts";

/** What SQLite may put beside a database. */
const BESIDE = ["-journal", "-wal", "-shm"];

/** Pages that are copied in one step: 4 MiB. After each the copy can be ended. */
const STEP_PAGES = 1_024;

/** What {@linkcode backUp} calls. */
export interface BackUpHooks {
  /** Is called with the path of the copy before that becomes the file, to change it. */
  readonly finish?: ((copy: string) => void) | undefined;
  /** Whether the copy is not wanted any more. It is asked again after each 4 MiB. */
  readonly isUnwanted?: (() => boolean) | undefined;
}

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
 * @returns the size of the copy in bytes.
 * @throws {SqliteError} (as a rejection) `failed` if there is a file already, or its folder is
 * missing; `full`, and others, if it cannot be written, or is not wanted any more.
 */
export async function backUp(
  db: DatabaseSync,
  path: string,
  target: string,
  { finish, isUnwanted }: BackUpHooks = {},
): Promise<number> {
  const failed = (reason: string, cause?: unknown, code: SqliteErrorCode = "failed") =>
    new SqliteError(code, path, "back up", `${target} ${reason}`, { cause });
  try {
    return await writeNew(target, async (partial) => {
      // VACUUM INTO would do as well, but Deno allows it only to programs with all permissions.
      const goesOn = () => {
        if (isUnwanted?.()) throw new Error("it is not wanted any more");
      };
      goesOn();
      try {
        await copyInSteps(db, partial, goesOn);
        finish?.(partial);
      } finally {
        // On a full disk SQLite leaves what it has put beside the copy.
        for (const end of BESIDE) await Deno.remove(partial + end).catch(() => {});
      }
      using file = await Deno.open(partial, { read: true, write: true });
      await file.sync();
      goesOn();
      return (await file.stat()).size;
    });
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

/** @param progress Is called between the steps; what it throws ends the copy. */
async function copyInSteps(db: DatabaseSync, to: string, progress: () => void): Promise<void> {
  // Else whatever is committed between two steps has SQLite begin again.
  db.exec("BEGIN");
  try {
    db.prepare("SELECT 1 FROM sqlite_schema").get();
    await backup(db, to, { rate: STEP_PAGES, progress });
  } finally {
    if (db.isTransaction) db.exec("ROLLBACK");
  }
}
