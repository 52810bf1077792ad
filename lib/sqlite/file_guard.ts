import { SqliteError } from "./sqlite_error.ts";

/** Tells one file from every other: its device and its number there. */
export type FileIdentity = string;

/** What SQLite puts beside a database that is open with a write-ahead log. */
const BESIDE = ["-wal", "-shm"];

/**
 * If a file's time of change was asked for, Linux sets a new one at the next write and has to sync that
 * too: a commit of 100 µs takes 150 if its log is looked at each time. To find out where a path leads
 * does not ask for that time.
 */
const STAT_COSTS = Deno.build.os === "linux";

/** How often the log is looked at on Linux, and how often everywhere its first bytes are read. */
const LOG_LOOK_MS = 1_000;

/** The first bytes of a log (SQLite's file format, 4.1), but for the last bit. */
const LOG_MAGIC = 0x377f0682;

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
  readonly #files: (readonly [path: string, identity: FileIdentity])[];
  /** Those that each commit writes to. */
  readonly #logs: Set<string>;
  #checkedAt = -Infinity;
  /** When the identities of logs were looked at. */
  #lookedAt = -Infinity;

  /**
   * Remembers the files as they are now.
   *
   * @param path A database that {@linkcode openWriter} has just opened; not `:memory:`.
   * @throws {SqliteError} `failed` if they are gone already.
   */
  constructor(path: string) {
    this.#path = path;
    // SQLite puts its files beside the file that a link leads to.
    const real = realPath(path) ?? path;
    this.#files = ["", ...BESIDE].map((end) => {
      const identity = identityOf(real + end);
      if (identity === undefined) throw lost(path, real + end);
      return [real + end, identity];
    });
    this.#logs = new Set([real + BESIDE[0]]);
  }

  /**
   * Has one more file watched, to which commits write.
   *
   * @throws {SqliteError} `failed` if there is none.
   */
  watch(path: string): void {
    const real = realPath(path) ?? path;
    const identity = identityOf(real);
    if (identity === undefined) throw lost(this.#path, path);
    this.#files.push([real, identity]);
    this.#logs.add(real);
  }

  /** The database file's own identity, for {@linkcode assertIdentity}. */
  get identity(): FileIdentity {
    return this.#files[0]![1];
  }

  /**
   * Looks whether the files are still where they were: a look at the file system for each, some 5 µs.
   * That a log, and nothing else, was replaced, or emptied by somebody else, is noticed within a
   * second.
   *
   * @param withinMs If it looked within this time, it does not look again.
   * @throws {SqliteError} `failed` if one of them was deleted, replaced or emptied.
   */
  check(withinMs = 0): void {
    const now = performance.now();
    if (now - this.#checkedAt < withinMs) return;
    this.#checkedAt = now;
    const isDue = now - this.#lookedAt >= LOG_LOOK_MS;
    if (isDue) this.#lookedAt = now;
    const looks = !STAT_COSTS || isDue;
    for (const [path, identity] of this.#files) {
      const isThere = looks || !this.#logs.has(path)
        ? identityOf(path) === identity
        : realPath(path) === path;
      if (!isThere) throw lost(this.#path, path);
    }
    const [log] = this.#files[1]!;
    if (isDue && !isLog(log)) throw lost(this.#path, log, "emptied");
  }
}

function lost(database: string, path: string, what = "deleted or replaced"): SqliteError {
  const reason = `${path} was ${what} while it was open; start the program again`;
  return new SqliteError("failed", database, "go on with", reason);
}

/**
 * Checks that a database is still the file that it was, before it is opened once more: a file of the
 * same name may have taken its place.
 *
 * @param identity What {@linkcode FileGuard.identity} was then.
 * @throws {SqliteError} `failed` if it is another file, or none.
 */
export function assertIdentity(path: string, identity: FileIdentity): void {
  if (identityOf(path) !== identity) throw lost(path, path);
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

/**
 * Whether a file is empty or begins as a log does. SQLite goes on writing where a log ended that
 * somebody else has emptied: what is before that is zeros then, and all of it is lost.
 */
function isLog(path: string): boolean {
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(4);
  if (file.readSync(bytes) !== bytes.length) return true;
  return (new DataView(bytes.buffer).getUint32(0) & ~1) === LOG_MAGIC;
}

/** Where a path leads to without links; `undefined` if there is nothing. */
function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined;
  }
}
