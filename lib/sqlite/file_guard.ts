import { SqliteError } from "./sqlite_error.ts";

/** Tells one file from every other: its device and its number there. */
export type FileIdentity = string;

/** What SQLite puts beside a database that is open with a write-ahead log. */
const BESIDE = ["-wal", "-shm"];

/**
 * Notices that the files of an open database were deleted or replaced. SQLite goes on writing to
 * the files that it opened, also when they have no name any more: what is committed then is gone
 * when the process ends. A writer that promises that a commit stays checks after the commit,
 * before it says so.
 *
 * @example
 * ```ts
 * import { FileGuard, openWriter, transaction } from "./mod.ts";
 * import { assertThrows } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * const schema = { applicationId: 0x6e6f7465, migrations: ["CREATE TABLE note (text)"] };
 * const db = openWriter(`${folder}/notes.db`, { schema });
 * const guard = new FileGuard(`${folder}/notes.db`);
 * transaction(db, () => db.exec("INSERT INTO note VALUES ('kept')"));
 * guard.check();
 * await Deno.remove(folder, { recursive: true });
 * transaction(db, () => db.exec("INSERT INTO note VALUES ('gone')"));
 * assertThrows(() => guard.check());
 * db.close();
 * ```
 */
export class FileGuard {
  readonly #path: string;
  readonly #files: readonly (readonly [path: string, identity: FileIdentity])[];

  /**
   * Remembers the files as they are now.
   *
   * @param path A database that {@linkcode openWriter} has just opened; not `:memory:`.
   * @throws {SqliteError} `failed` if they are gone already.
   */
  constructor(path: string) {
    this.#path = path;
    // SQLite puts its files beside the file that a link leads to.
    const real = realPath(path);
    this.#files = ["", ...BESIDE].map((end) => [real + end, this.#identify(real + end)]);
  }

  /** The database file's own identity, by which others can tell that they open the same one. */
  get identity(): FileIdentity {
    return this.#files[0]![1];
  }

  /**
   * Looks whether the files are still where they were: three looks at the file system, about 10 µs.
   *
   * @throws {SqliteError} `failed` if one of them was deleted or replaced.
   */
  check(): void {
    for (const [path, identity] of this.#files) {
      if (this.#identify(path) !== identity) throw this.#lost(path);
    }
  }

  #identify(path: string): FileIdentity {
    const identity = identityOf(path);
    if (identity === undefined) throw this.#lost(path);
    return identity;
  }

  #lost(path: string): SqliteError {
    const reason = `${path} was deleted or replaced while it was open; ` +
      "what is written from here on would be lost, so start the program again";
    return new SqliteError("failed", this.#path, "write to", reason);
  }
}

/** What tells a file from every other; `undefined` if there is none. */
export function identityOf(path: string): FileIdentity | undefined {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}
