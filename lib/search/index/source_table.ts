/**
 * Which files an index was made from, and which of them have to be read.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { transaction } from "../../sqlite/mod.ts";
import type { DataFile } from "../data/item.ts";
import type { FoundFile, SkippedPath } from "../data/walk.ts";
import type { RecordStore } from "./record_store.ts";
import { CLIENT_SOURCE } from "./schema.ts";
import type { Stored } from "./stored_text.ts";

/** A file that has to be looked into. */
export interface PendingFile extends DataFile {
  /** The data path that it was found under. */
  readonly root: string;
  /** The number of its source; `undefined` until something of the file is taken in. */
  source: number | undefined;
  readonly bytes: number;
  readonly modifiedMs: number | undefined;
  /** The hash of what was taken in from it; `undefined` where nothing is, or was read otherwise. */
  readonly hash: string | undefined;
}

/**
 * A file that was changed this shortly before it was read may change again within the resolution of
 * its time stamp, so its time is not trusted and the content is compared at the next pass.
 */
const UNTRUSTED_MS = 2000;

/** What was found is noted in transactions of so many rows. */
const FOUND_TOGETHER = 500;

const FIND_LOST = `
DELETE FROM lost;
INSERT INTO lost SELECT source.id FROM source JOIN root ON root.id = source.root
WHERE source.id <> ${CLIENT_SOURCE}
  AND NOT EXISTS (SELECT 1 FROM found WHERE found.root = root.path AND found.path = source.path)
  AND NOT EXISTS (
    SELECT 1 FROM found WHERE found.name = '' AND found.root = root.path
    AND substr(source.path, 1, length(found.path) + 1) = found.path || '/'
  );
`;

/** The sources of an index. Finding is kept in temporary tables: memory stays bounded. */
export class SourceTable {
  readonly #db: DatabaseSync;
  readonly #store: RecordStore;
  readonly #get: StatementSync;
  readonly #add: StatementSync;
  readonly #addFound: StatementSync;
  readonly #next: StatementSync;
  readonly #taken: StatementSync;
  readonly #begin: StatementSync;
  #settings = "";
  #startedMs = 0;
  #isLostKnown = false;
  #foundRows: [string, FoundFile | SkippedPath][] = [];
  #lastPending = 0;
  #begun: number | undefined;

  /** @param db The connection that writes; @param store Writes the records. Both stay the caller's. */
  constructor(db: DatabaseSync, store: RecordStore) {
    this.#db = db;
    this.#store = store;
    db.exec(`CREATE TEMP TABLE found (
      number INTEGER PRIMARY KEY, root TEXT NOT NULL, path TEXT NOT NULL, real TEXT NOT NULL,
      name TEXT NOT NULL, bytes INTEGER, modifiedMs REAL, pending INTEGER NOT NULL, UNIQUE (root, path));
      CREATE INDEX temp.found_pending ON found (number) WHERE pending = 1;
      CREATE INDEX temp.found_no_file ON found (root) WHERE name = '';
      CREATE TEMP TABLE lost (source INTEGER PRIMARY KEY)`);
    this.#get = db.prepare(`SELECT source.id AS id, bytes, modifiedMs, hash, settings FROM source
      JOIN root ON root.id = source.root WHERE root.path = ? AND source.path = ?`);
    this.#add = db.prepare(
      "INSERT INTO source (root, path) SELECT id, ? FROM root WHERE path = ? RETURNING id",
    );
    this.#addFound = db.prepare(
      `INSERT OR IGNORE INTO found (root, path, real, name, bytes, modifiedMs, pending)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#next = db.prepare(
      "SELECT * FROM found WHERE pending = 1 AND number > ? ORDER BY number LIMIT 1",
    );
    this.#taken = db.prepare(
      "UPDATE source SET bytes = ?, modifiedMs = ?, hash = ?, settings = ? WHERE id = ?",
    );
    this.#begin = db.prepare("UPDATE source SET hash = NULL, settings = NULL WHERE id = ?");
  }

  /** Begins a pass. @param settings Files taken in with other ones are read again. */
  startFinding(settings: string): void {
    this.#settings = settings;
    this.#startedMs = Date.now();
    this.#db.exec("DELETE FROM found");
    this.#isLostKnown = false;
    this.#foundRows = [];
    this.#lastPending = 0;
    this.#begun = undefined;
  }

  /** Notes what was found under a data path; a file that may have changed is pending from here on. */
  found(root: string, file: FoundFile | SkippedPath): void {
    this.#foundRows.push([root, file]);
    if (this.#foundRows.length >= FOUND_TOGETHER) this.finishFinding();
  }

  /** All was found. */
  finishFinding(): void {
    const rows = this.#foundRows;
    this.#foundRows = [];
    transaction(this.#db, () => {
      for (const [root, file] of rows) this.#noteFound(root, file);
    });
  }

  #noteFound(root: string, file: FoundFile | SkippedPath): void {
    if (file.kind === "skipped") {
      // An unreadable folder hides files that are still there: their records stay.
      if (file.isUnreadable) this.#addFound.run(root, file.path, "", "", null, null, 0);
      return;
    }
    const row = this.#get.get(root, file.path);
    const isSame = row !== undefined && row["settings"] === this.#settings &&
      row["bytes"] === file.bytes && file.modifiedMs !== undefined &&
      row["modifiedMs"] === file.modifiedMs;
    const modifiedMs = file.modifiedMs ?? null;
    this.#addFound.run(
      root,
      file.path,
      file.real,
      file.name,
      file.bytes,
      modifiedMs,
      isSame ? 0 : 1,
    );
  }

  /**
   * Makes the roots those of this pass. Where their order changed, so may which record of a key is
   * shown.
   *
   * @returns whether it may have.
   */
  setRoots(data: readonly string[]): boolean {
    const roots = this.#db.prepare("SELECT path, ordinal FROM root WHERE id <> 0 ORDER BY ordinal");
    const before = roots.all().map((row) => String(row["path"]));
    const kept = before.filter((path) => data.includes(path));
    const upsert = this.#db.prepare(`INSERT INTO root (path, ordinal) VALUES (?, ?)
      ON CONFLICT (path) DO UPDATE SET ordinal = excluded.ordinal`);
    for (const [i, path] of data.entries()) upsert.run(path, i);
    const isReordered = kept.join("\0") !== data.filter((path) => kept.includes(path)).join("\0");
    if (isReordered) this.#settleDuplicates();
    return isReordered;
  }

  /**
   * Removes records of files that are gone. A folder that cannot be read hides files that may still
   * be there: theirs stay.
   *
   * @param count How many at most.
   * @returns how many; 0 when there are none left, and the sources are gone as well.
   */
  removeLost(count: number): number {
    if (!this.#isLostKnown) {
      this.#db.exec(FIND_LOST);
      this.#isLostKnown = true;
    }
    const rows = this.#db.prepare(
      "SELECT id, key FROM record WHERE source IN (SELECT source FROM lost) LIMIT ?",
    ).all(count);
    for (const row of rows) this.#store.remove(Number(row["id"]), row["key"] as Stored);
    if (rows.length === 0) {
      this.#db.exec("DELETE FROM source WHERE id IN (SELECT source FROM lost)");
      this.#db.exec(
        "DELETE FROM root WHERE id <> 0 AND path NOT IN (SELECT root FROM found) " +
          "AND id NOT IN (SELECT root FROM source)",
      );
    }
    return rows.length;
  }

  /** The size of all pending files, in bytes. */
  bytesPending(): number {
    const row = this.#db.prepare("SELECT total(bytes) AS n FROM found WHERE pending = 1").get();
    return Number(row?.["n"] ?? 0);
  }

  /** The next file to look into. */
  nextPending(): PendingFile | undefined {
    const row = this.#next.get(this.#lastPending);
    if (row === undefined) return undefined;
    this.#lastPending = Number(row["number"]);
    const [root, path] = [String(row["root"]), String(row["path"])];
    const known = this.#get.get(root, path);
    const isReadSame = known !== undefined && known["settings"] === this.#settings;
    return {
      root,
      source: known === undefined ? undefined : Number(known["id"]),
      path,
      real: String(row["real"]),
      name: String(row["name"]),
      bytes: Number(row["bytes"]),
      modifiedMs: row["modifiedMs"] === null ? undefined : Number(row["modifiedMs"]),
      hash: isReadSame && typeof known["hash"] === "string" ? known["hash"] : undefined,
    };
  }

  /**
   * The number of a file's source, made where there is none. The file counts as not taken in from
   * here on, until {@linkcode SourceTable.taken}.
   */
  beginFile(file: PendingFile): number {
    const source = this.#sourceOf(file);
    if (source !== this.#begun) this.#begin.run(source);
    this.#begun = source;
    return source;
  }

  /** Marks a file as taken in, with the hash of its content. */
  taken(file: PendingFile, hash: string): void {
    const isTrusted = file.modifiedMs !== undefined &&
      this.#startedMs - file.modifiedMs > UNTRUSTED_MS;
    const modifiedMs = isTrusted ? file.modifiedMs! : null;
    this.#taken.run(file.bytes, modifiedMs, hash, this.#settings, this.#sourceOf(file));
    this.#begun = undefined;
  }

  /** Marks a file to be looked into again at the next pass. */
  postpone(file: PendingFile): void {
    if (file.source !== undefined) this.#begin.run(file.source);
  }

  #sourceOf(file: PendingFile): number {
    return file.source ??= Number(this.#add.get(file.path, file.root)?.["id"]);
  }

  /** The path of a source. */
  pathOf(source: number): string {
    const row = this.#db.prepare("SELECT path FROM source WHERE id = ?").get(source);
    return String(row?.["path"] ?? "");
  }

  /** How many records the data have. */
  countRecords(): number {
    const row = this.#db.prepare("SELECT count(*) AS n FROM record WHERE source <> 0").get();
    return Number(row?.["n"] ?? 0);
  }

  #settleDuplicates(): void {
    const keys = this.#db.prepare("SELECT key FROM record GROUP BY key HAVING count(*) > 1");
    for (const row of keys.all()) this.#store.settleKey(row["key"] as Stored);
  }
}
