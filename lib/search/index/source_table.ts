/**
 * The files that an index was made from, and which of them have to be read.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { transaction } from "../../sqlite/mod.ts";
import type { DataFile } from "../data/item.ts";
import type { FoundFile, SkippedPath } from "../data/walk.ts";
import { fileLabels } from "./file_labels.ts";
import type { RecordStore } from "./record_store.ts";
import { CLIENT_SOURCE, OF_DATA } from "./schema.ts";

/** A place in a data path where something changed. */
export interface ChangedPlace {
  /** The data path. */
  readonly root: string;
  /** A file or folder in it, as a path that begins with the data path's. */
  readonly path: string;
}

/** A file that has to be read. */
export interface PendingFile extends DataFile {
  /** The data path that it is in. */
  readonly root: string;
  /** Its source's number; `undefined` until a record of the file is taken in. */
  source: number | undefined;
  /** Whether the index had no records of it before this pass. */
  readonly isNew: boolean;
  readonly bytes: number;
  readonly modifiedMs: number | undefined;
  /** The hash of its content when it was taken in last, with the same settings. */
  readonly hash: string | undefined;
}

/**
 * A file that was changed less than this before it was read may change again with the same time
 * stamp. So its time is not stored, and the next pass compares its content.
 */
const UNTRUSTED_MS = 2000;

/** Rows of one transaction that notes what was found. */
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

/** The sources of an index. What a pass finds is kept in temporary tables, not in memory. */
export class SourceTable {
  readonly #db: DatabaseSync;
  readonly #store: RecordStore;
  readonly #get: StatementSync;
  readonly #add: StatementSync;
  readonly #named: StatementSync;
  readonly #relabel: StatementSync;
  readonly #addFound: StatementSync;
  readonly #next: StatementSync;
  readonly #taken: StatementSync;
  readonly #begin: StatementSync;
  #settings = "";
  #places: readonly ChangedPlace[] | undefined;
  #startedMs = 0;
  #isLostKnown = false;
  #foundRows: [string, FoundFile | SkippedPath][] = [];
  #lastPending = 0;
  #begun: number | undefined;

  /** @param db The connection that writes. @param store Writes the records. The caller closes both. */
  constructor(db: DatabaseSync, store: RecordStore) {
    this.#db = db;
    this.#store = store;
    db.exec(`CREATE TEMP TABLE found (
      number INTEGER PRIMARY KEY, root TEXT NOT NULL, path TEXT NOT NULL, real TEXT NOT NULL,
      name TEXT NOT NULL, bytes INTEGER, modifiedMs REAL, pending INTEGER NOT NULL);
      CREATE UNIQUE INDEX temp.found_path ON found (path, CASE name WHEN '' THEN root ELSE '' END);
      CREATE INDEX temp.found_root ON found (root, path);
      CREATE INDEX temp.found_pending ON found (number) WHERE pending = 1;
      CREATE INDEX temp.found_no_file ON found (root) WHERE name = '';
      CREATE TEMP TABLE lost (source INTEGER PRIMARY KEY)`);
    this.#get = db.prepare(`SELECT source.id AS id, bytes, modifiedMs, hash, settings FROM source
      JOIN root ON root.id = source.root WHERE root.path = ? AND source.path = ?`);
    this.#add = db.prepare(
      `INSERT INTO source (root, path, name, label) SELECT id, ?, ?, ? FROM root WHERE path = ?
       RETURNING id`,
    );
    this.#named = db.prepare("SELECT id, path, label FROM source WHERE name = ? ORDER BY id");
    this.#relabel = db.prepare("UPDATE source SET label = ? WHERE id = ?");
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

  /**
   * Begins a pass.
   *
   * @param settings Files that were taken in with other settings are read again.
   * @param places The pass is over these only: files elsewhere are not lost. Without it, over all.
   */
  startFinding(settings: string, places?: readonly ChangedPlace[]): void {
    this.#places = places;
    this.#settings = settings;
    this.#startedMs = Date.now();
    this.#db.exec("DELETE FROM found");
    this.#isLostKnown = false;
    this.#foundRows = [];
    this.#lastPending = 0;
    this.#begun = undefined;
  }

  /**
   * Notes what was found in a data path. A file that may have changed becomes pending. One that is in
   * several data paths is taken in once, for the first of them.
   */
  found(root: string, file: FoundFile | SkippedPath): void {
    this.#foundRows.push([root, file]);
    if (this.#foundRows.length >= FOUND_TOGETHER) this.finishFinding();
  }

  /** Ends finding. */
  finishFinding(): void {
    const rows = this.#foundRows;
    this.#foundRows = [];
    transaction(this.#db, () => {
      for (const [root, file] of rows) this.#noteFound(root, file);
    });
  }

  #noteFound(root: string, file: FoundFile | SkippedPath): void {
    if (file.kind === "skipped") {
      // Files in an unreadable folder may still be there: their records stay.
      if (file.isUnreadable) this.#addFound.run(root, file.path, "", "", null, null, 0);
      return;
    }
    const row = this.#get.get(root, file.path);
    // What is told to have changed is compared by its content, whatever its time says.
    const isSame = this.#places === undefined && row !== undefined &&
      row["settings"] === this.#settings &&
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

  /** Stores the data paths of this pass, and their order. */
  setRoots(data: readonly string[]): void {
    const upsert = this.#db.prepare(`INSERT INTO root (path, ordinal) VALUES (?, ?)
      ON CONFLICT (path) DO UPDATE SET ordinal = excluded.ordinal`);
    for (const [i, path] of data.entries()) upsert.run(path, i);
  }

  /**
   * Removes records of files that were not found. Records of files in a folder that cannot be read
   * stay.
   *
   * @param count The most records to remove.
   * @returns how many were removed. If none was left, the sources were removed as well.
   */
  removeLost(count: number): number {
    if (!this.#isLostKnown) {
      if (this.#places === undefined) this.#db.exec(FIND_LOST);
      else this.#findLostIn(this.#places);
      this.#isLostKnown = true;
    }
    const rows = this.#db.prepare(
      `SELECT id FROM record WHERE source IN (SELECT source FROM lost) AND ${OF_DATA} LIMIT +?`,
    ).all(count);
    for (const row of rows) this.#store.remove(Number(row["id"]));
    if (rows.length === 0) {
      const gone = this.#db.prepare(
        "DELETE FROM source WHERE id IN (SELECT source FROM lost) RETURNING name",
      );
      const names = new Set(gone.all().map((row) => String(row["name"])));
      for (const name of names) this.#labelNamed(name);
      if (this.#places !== undefined) return 0;
      this.#db.exec(
        "DELETE FROM root WHERE id <> 0 AND path NOT IN (SELECT root FROM found) " +
          "AND id NOT IN (SELECT root FROM source)",
      );
    }
    return rows.length;
  }

  /** Whether there are files of a data path. */
  hasFiles(root: string): boolean {
    const row = this.#db.prepare(
      "SELECT 1 FROM source JOIN root ON root.id = source.root WHERE root.path = ? LIMIT 1",
    ).get(root);
    return row !== undefined;
  }

  /** Has the entries of a data path stay, although nothing is found there. */
  keep(root: string): void {
    this.#foundRows.push([root, {
      kind: "skipped",
      path: root,
      reason: "",
      isUnreadable: true,
    }]);
  }

  #findLostIn(places: readonly ChangedPlace[]): void {
    this.#db.exec("DELETE FROM lost");
    const add = this.#db.prepare(
      `INSERT OR IGNORE INTO lost SELECT source.id FROM source JOIN root ON root.id = source.root
       WHERE root.path = ? AND (source.path = ? OR (source.path > ? AND source.path < ?))`,
    );
    // What is below a folder sorts between its path with a slash and its path with what follows one.
    for (const { root, path } of places) add.run(root, path, `${path}/`, `${path}0`);
    this.#db.exec(`DELETE FROM lost WHERE source IN (
      SELECT source.id FROM found JOIN root ON root.path = found.root
      JOIN source ON source.root = root.id AND (source.path = found.path OR (found.name = '' AND
        substr(source.path, 1, length(found.path) + 1) = found.path || '/')))`);
  }

  /** The size of all pending files together, in bytes. */
  bytesPending(): number {
    const row = this.#db.prepare("SELECT total(bytes) AS n FROM found WHERE pending = 1").get();
    return Number(row?.["n"] ?? 0);
  }

  /** The next pending file. */
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
      isNew: known === undefined,
      path,
      real: String(row["real"]),
      name: String(row["name"]),
      bytes: Number(row["bytes"]),
      modifiedMs: row["modifiedMs"] === null ? undefined : Number(row["modifiedMs"]),
      hash: isReadSame && typeof known["hash"] === "string" ? known["hash"] : undefined,
    };
  }

  /**
   * The number of a file's source, which is made if there is none. Until
   * {@linkcode SourceTable.taken} the file counts as not taken in.
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

  /** Marks a file to be read again in the next pass. */
  postpone(file: PendingFile): void {
    if (file.source !== undefined) this.#begin.run(file.source);
  }

  #sourceOf(file: PendingFile): number {
    if (file.source !== undefined) return file.source;
    const { path, name, root } = file;
    file.source = Number(this.#add.get(path, name, name, root)?.["id"]);
    this.#labelNamed(name);
    return file.source;
  }

  /** Gives all files of a name the labels that tell them apart. */
  #labelNamed(name: string): void {
    const rows = this.#named.all(name);
    const labels = fileLabels(rows.map((row) => String(row["path"])), name);
    for (const [i, row] of rows.entries()) {
      if (row["label"] === labels[i]) continue;
      const id = Number(row["id"]);
      this.#relabel.run(labels[i]!, id);
      this.#store.relabel(id);
    }
  }

  /** How many records the data have. */
  countRecords(): number {
    const row = this.#db.prepare(`SELECT count(*) AS n FROM record WHERE ${OF_DATA}`).get();
    return Number(row?.["n"] ?? 0);
  }
}
