/**
 * Takes data into an index, and on later passes only what changed of them.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type DataItem, SkipFile } from "../data/item.ts";
import { readFile } from "../data/read_file.ts";
import { fileChunks } from "../data/text_chunks.ts";
import { messageOf, walk } from "../data/walk.ts";
import { entryProblem } from "../entry_problem.ts";
import type { IndexSummary } from "../observer.ts";
import { transaction } from "./database.ts";
import { PassReport } from "./pass_report.ts";
import type { RecordStore } from "./record_store.ts";
import { type PendingFile, SourceTable } from "./source_table.ts";
import type { Stored } from "./stored_text.ts";

/** What is taken in, and how. */
export interface IndexerOptions {
  /** Absolute paths. A later one's entries replace those with the same key of an earlier one. */
  readonly data: readonly string[];
  readonly keyField?: string;
  readonly titleField?: string;
  readonly textField?: string;
  readonly maxEntryBytes: number;
  /** Files that are the index's own: they are passed over. */
  readonly ownFiles: readonly string[];
}

/** Records in one transaction. With this many, a write of a client waits for about 50 ms at most. */
const BATCH_RECORDS = 500;
/** Code units of text in one transaction. */
const BATCH_LENGTH = 1024 * 1024;

/**
 * Reads data into an index. Records are written in transactions of bounded size; between two of
 * them other writes may come. A file counts as taken in only with its last transaction, so after a
 * crash it is read again.
 */
export class Indexer {
  readonly #db: DatabaseSync;
  readonly #store: RecordStore;
  readonly #options: IndexerOptions;
  readonly #sources: SourceTable;
  readonly #report: PassReport;
  readonly #seen: StatementSync;
  readonly #isSeen: StatementSync;
  readonly #unseen: StatementSync;
  readonly #onChanged: () => void;

  /**
   * @param db The connection that writes; it stays the caller's.
   * @param report Is told what happens.
   * @param onChanged Is called after each transaction that changed an entry.
   */
  constructor(
    db: DatabaseSync,
    store: RecordStore,
    options: IndexerOptions,
    report: PassReport,
    onChanged: () => void,
  ) {
    this.#db = db;
    this.#store = store;
    this.#options = options;
    this.#report = report;
    this.#onChanged = onChanged;
    this.#sources = new SourceTable(db, store);
    db.exec("CREATE TEMP TABLE seen (id INTEGER PRIMARY KEY)");
    this.#seen = db.prepare("INSERT OR IGNORE INTO seen (id) VALUES (?)");
    this.#isSeen = db.prepare("SELECT 1 AS yes FROM seen WHERE id = ?");
    this.#unseen = db.prepare(
      `SELECT id, key FROM record WHERE source = ? AND id NOT IN (SELECT id FROM seen) LIMIT ?`,
    );
  }

  /**
   * One pass: what is new or changed is read, what is gone is removed.
   *
   * @param signal Ends it between two transactions, with the signal's reason.
   * @throws {SearchError} `data-unreadable`, before anything is changed.
   * @throws what SQLite throws; the transactions before that stay.
   */
  async pass(signal: AbortSignal): Promise<IndexSummary> {
    this.#report.start();
    const { data } = this.#options;
    await this.#findFiles(signal);
    if (transaction(this.#db, () => this.#sources.setRoots(data))) this.#onChanged();
    let removed = 0;
    do {
      signal.throwIfAborted();
      removed = transaction(this.#db, () => this.#sources.removeLost(BATCH_RECORDS));
      this.#report.counts.removed += removed;
      if (removed > 0) this.#onChanged();
      await breathe();
    } while (removed > 0);
    this.#report.totalBytes = this.#sources.bytesPending();
    for (let file = this.#sources.nextPending(); file; file = this.#sources.nextPending()) {
      signal.throwIfAborted();
      await this.#takeIn(file, signal);
    }
    return this.#report.finish(this.#sources.countRecords());
  }

  /** Notes all files of the data, and among them those that may have changed. */
  async #findFiles(signal: AbortSignal): Promise<void> {
    this.#sources.startFinding(settingsOf(this.#options));
    for (const root of this.#options.data) {
      for await (const file of walk(root)) {
        signal.throwIfAborted();
        if (this.#options.ownFiles.includes(file.path)) continue;
        if ("reason" in file) this.#report.skipped(file);
        this.#sources.found(root, file);
      }
    }
  }

  async #takeIn(file: PendingFile, signal: AbortSignal): Promise<void> {
    this.#report.startFile(file.path);
    try {
      if (file.hash !== undefined && await this.#hashOf(file.path) === file.hash) {
        // Only its time changed.
        this.#report.advance(file.bytes);
        transaction(this.#db, () => this.#sources.taken(file, file.hash!));
        return;
      }
      await this.#readRecords(file, signal);
    } catch (error) {
      if (error instanceof SkipFile) {
        this.#report.skipped({ path: file.path, reason: error.message });
        await this.#finishFile(file, "", signal, true);
      } else if (isFileError(error)) {
        // What was taken in from it before stays: the file may be readable again next time.
        this.#report.skipped({ path: file.path, reason: `unreadable: ${messageOf(error)}` });
        this.#sources.postpone(file);
      } else throw error;
    }
  }

  async #readRecords(file: PendingFile, signal: AbortSignal): Promise<void> {
    this.#db.exec("DELETE FROM seen");
    this.#report.counts.filesRead++;
    const hash = createHash("sha256");
    const onChunk = (chunk: Uint8Array) => {
      hash.update(chunk);
      this.#report.advance(chunk.length);
    };
    let batch: DataItem[] = [];
    let length = 0;
    for await (const item of readFile(file, { ...this.#options, onChunk })) {
      batch.push(item);
      length += "entry" in item ? item.entry.text.length : 0;
      if (batch.length < BATCH_RECORDS && length < BATCH_LENGTH) continue;
      this.#write(file, batch);
      batch = [];
      length = 0;
      await breathe();
      signal.throwIfAborted();
    }
    this.#write(file, batch);
    await this.#finishFile(file, hash.digest("hex"), signal);
  }

  /** Writes records of a file in one transaction. */
  #write(file: PendingFile, items: readonly DataItem[]): void {
    if (items.length === 0) return;
    const source = file.source;
    let changes = 0;
    transaction(this.#db, () => {
      this.#sources.beginFile(file);
      for (const item of items) {
        if ("broken" in item) {
          this.#report.broken({ path: file.path, line: item.line, reason: item.broken });
          continue;
        }
        const problem = entryProblem(item.entry, this.#options.maxEntryBytes);
        if (problem !== undefined) {
          this.#report.broken({ path: file.path, line: item.line ?? 1, reason: problem });
          continue;
        }
        const { outcome, id, otherSource } = this.#store.store(source, item.entry);
        const isTwice = this.#isSeen.get(id) !== undefined;
        const at = item.line === undefined ? {} : { line: item.line };
        const twice = { key: item.entry.key, path: file.path, ...at };
        if (isTwice) this.#report.duplicate({ ...twice, otherPath: file.path });
        else if (otherSource !== undefined) {
          this.#report.duplicate({ ...twice, otherPath: this.#sources.pathOf(otherSource) });
        }
        this.#seen.run(id);
        if (outcome !== "unchanged") changes++;
        if (!isTwice && outcome !== "unchanged") this.#report.counts[outcome]++;
      }
    });
    this.#report.taken(items.length);
    if (changes > 0) this.#onChanged();
  }

  /** Removes the records that a file has no longer, then counts the file as taken in. */
  async #finishFile(
    file: PendingFile,
    hash: string,
    signal: AbortSignal,
    isEmpty = false,
  ): Promise<void> {
    if (isEmpty) this.#db.exec("DELETE FROM seen");
    while (true) {
      const gone = this.#unseen.all(file.source, BATCH_RECORDS);
      if (gone.length === 0) break;
      transaction(this.#db, () => {
        for (const row of gone) this.#store.remove(Number(row["id"]), row["key"] as Stored);
      });
      this.#report.counts.removed += gone.length;
      this.#onChanged();
      await breathe();
      signal.throwIfAborted();
    }
    transaction(this.#db, () => this.#sources.taken(file, hash));
  }

  async #hashOf(path: string): Promise<string> {
    const hash = createHash("sha256");
    for await (const chunk of fileChunks(path)) hash.update(chunk);
    return hash.digest("hex");
  }
}

/** The options that decide what a file's records look like: with other ones it is read again. */
function settingsOf(options: IndexerOptions): string {
  const { keyField, titleField, textField, maxEntryBytes } = options;
  return JSON.stringify([keyField ?? null, titleField ?? null, textField ?? null, maxEntryBytes]);
}

/** Whether reading a file failed, rather than writing the index. */
function isFileError(error: unknown): boolean {
  return error instanceof Error && Object.values(Deno.errors).some((type) => error instanceof type);
}

/** Lets the worker take messages: a client's write, a wish to end. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
