import { messageOf } from "../../../../../base/message_of.ts";
import { asSqliteError, type FileGuard, SqliteError } from "../../../../../sqlite/mod.ts";
import { syncFolderOf } from "../../../../../sqlite/sync_folder.ts";
import { Journal, type JournalFile } from "./journal.ts";
import { JOURNAL_BYTES, journalHead } from "./layout.ts";
import { journalPathOf } from "./reading.ts";

/** Written at once. */
const BLOCK_BYTES = 65_536;

/**
 * Opens the file of a database's journal, of which the database has all; makes it if there is none.
 *
 * @param guard Notices from then on when the file is gone.
 * @throws {Error} if it cannot be made: there is no room, for instance. Then there is none.
 */
export function makeJournal(database: string, salt: number, guard?: FileGuard): Journal {
  const path = journalPathOf(database);
  const file = Deno.openSync(path, { create: true, read: true, write: true, mode: 0o600 });
  try {
    // A file that has all its blocks grows by none, so that syncing it writes nothing but them.
    if (file.statSync().size !== JOURNAL_BYTES) fill(file, path);
    guard?.watch(path);
    return new Journal(new DiskFile(file, database), salt);
  } catch (error) {
    file.close();
    throw error;
  }
}

function fill(file: Deno.FsFile, path: string): void {
  try {
    const block = new Uint8Array(BLOCK_BYTES);
    block.set(journalHead());
    file.truncateSync(0);
    for (let at = 0; at < JOURNAL_BYTES; at += BLOCK_BYTES) {
      writeAll(file, block);
      block.fill(0);
    }
    file.syncSync();
    syncFolderOf(path);
  } catch (error) {
    Deno.removeSync(path);
    throw error;
  }
}

class DiskFile implements JournalFile {
  readonly #file: Deno.FsFile;
  readonly #database: string;
  /** Where the next byte is written; negative if that is not known. */
  #at = -1;

  constructor(file: Deno.FsFile, database: string) {
    this.#file = file;
    this.#database = database;
  }

  write(bytes: Uint8Array, at: number): void {
    if (at !== this.#at) this.#file.seekSync(at, Deno.SeekMode.Start);
    this.#at = -1;
    try {
      writeAll(this.#file, bytes);
    } catch (error) {
      const known = asSqliteError(error, this.#database, "write to");
      throw known.code === "full" ? known : this.#failed("writing", error);
    }
    this.#at = at + bytes.length;
  }

  sync(): void {
    try {
      this.#file.syncDataSync();
    } catch (error) {
      // Whatever the reason: nobody knows what the disk has.
      throw this.#failed("syncing", error);
    }
  }

  close(): void {
    this.#file.close();
  }

  #failed(what: string, cause: unknown): SqliteError {
    const reason = `${what} its journal failed: ${messageOf(cause)}`;
    return new SqliteError("failed", this.#database, "write to", reason, { cause });
  }
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
}
