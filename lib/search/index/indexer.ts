/**
 * Takes data into an index: everything in the first pass, and in later passes only what changed.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type DataRoot, findRoot } from "../data/data_root.ts";
import {
  type DataFile,
  type LocalRecord,
  type ReadBroken,
  type ReadEntry,
  type ReadSettings,
  SkipFile,
  tooLarge,
  UnreadableFile,
} from "../data/item.ts";
import { readFile } from "../data/read_file.ts";
import { fileChunks } from "../data/text_source.ts";
import type { PackedFile } from "../data/packed/packed_file.ts";
import { SiteTitles } from "../data/site_titles.ts";
import { walk, walkPlace } from "../data/walk.ts";
import { isTooLarge, keyProblem } from "../entry_problem.ts";
import type { IndexSummary } from "../observer.ts";
import { Extractor } from "../extractor.ts";
import { PassReport } from "./pass_report.ts";
import type { KnownPaths } from "./path_folding.ts";
import type { RecordStore } from "./record_store.ts";
import { OF_DATA } from "./schema.ts";
import { yieldToMessages } from "./yield_to_messages.ts";
import { DataPaths } from "./data_paths.ts";
import { type ChangedPlace, type PendingFile, SourceTable } from "./source_table.ts";

/** The data to take in, and how. */
export interface IndexerOptions extends ReadSettings {
  /** Absolute paths. */
  readonly data: readonly string[];
  /** The language of what does not say its own. */
  readonly language?: string | undefined;
  /** Whether links in the data are followed. */
  readonly follow: boolean;
  /** Patterns of what is left out. */
  readonly exclude: readonly string[];
  /** Whether a data path that is not there is waited for. */
  readonly watch: boolean;
  /** Whether entries go whose data path is empty at the start. */
  readonly prune: boolean;
  /** The index's own files, as paths without links: they are not taken in. */
  readonly ownFiles: KnownPaths;
}

/** How much one transaction takes in. */
interface BatchSize {
  readonly records: number;
  /** Code units of text. */
  readonly length: number;
}

/** A write of a client waits for one of these: about 50 ms. */
const SHARED: BatchSize = { records: 500, length: 1024 * 1024 };
/**
 * In the first pass no client waits, only who ends the program: for 0.3 s. Each transaction makes a
 * segment of the full-text index: fewer and larger ones are quicker to write and to search.
 */
const ALONE: BatchSize = { records: 10_000, length: 4 * 1024 * 1024 };

/** A record that is replaced or removed counts as this many new ones: its words have to be taken out. */
const CHANGED_RECORD = 10;

/** One step of taking data in: a record of a file, or the file's end. */
type Step =
  | { readonly file: PendingFile; readonly item: ReadEntry | ReadBroken }
  | { readonly file: PendingFile; readonly hash: string; readonly removesGone: boolean };

/**
 * Takes data into an index. Records are written in transactions of bounded size, and clients' writes
 * go between two of them. A file is marked as taken in with its last transaction, so that after a
 * crash it is read again.
 */
export class Indexer {
  readonly #db: DatabaseSync;
  readonly #store: RecordStore;
  readonly #options: IndexerOptions;
  readonly #sources: SourceTable;
  readonly #paths: DataPaths;
  readonly #report: PassReport;
  readonly #seen: StatementSync;
  readonly #isSeen: StatementSync;
  readonly #unseen: StatementSync;
  readonly #countUpTo: StatementSync;
  readonly #onChanged: () => void;
  #batchSize = ALONE;
  #batch: Step[] = [];
  #batchRecords = 0;
  #batchLength = 0;
  #siteTitles = new SiteTitles();
  readonly #extractor = new Extractor();

  /**
   * @param db The connection that writes; the caller closes it.
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
    this.#paths = new DataPaths(options, report, (path) => this.#sources.hasFiles(path));
    db.exec("CREATE TEMP TABLE seen (id INTEGER PRIMARY KEY)");
    this.#seen = db.prepare("INSERT OR IGNORE INTO seen (id) VALUES (?)");
    this.#isSeen = db.prepare("SELECT 1 FROM seen WHERE id = ?");
    this.#unseen = db.prepare(
      `SELECT id FROM record WHERE source = ? AND ${OF_DATA}
        AND id NOT IN (SELECT id FROM seen) LIMIT +?`,
    );
    this.#countUpTo = db.prepare(
      `SELECT count(*) AS n FROM (SELECT 1 FROM record WHERE source = ? AND ${OF_DATA} LIMIT +?)`,
    );
  }

  /**
   * Makes one pass: reads what is new or changed, and removes what is gone. The first one is made
   * before clients are served.
   *
   * @param places Where something changed; the pass is over these only. Without it, over all.
   * @param signal Ends it between two transactions, with the signal's reason.
   * @throws {SearchError} `data-unreadable`, before anything is changed.
   * @throws what SQLite throws. The transactions before it stay committed.
   */
  async pass(signal: AbortSignal, places?: readonly ChangedPlace[]): Promise<IndexSummary> {
    this.#report.start();
    this.#siteTitles = new SiteTitles();
    this.#db.exec("DELETE FROM seen");
    this.#clearBatch();
    const { data } = this.#options;
    // Of a path that was missing or empty until now, all has to be looked at.
    const isPartial = places?.every(({ root }) => this.#paths.isHere(root));
    if (places === undefined || !isPartial) await this.#findFiles(signal);
    else await this.#findIn(places, signal);
    this.#store.change(() => this.#sources.setRoots(data));
    let removed = 0;
    do {
      signal.throwIfAborted();
      removed = this.#store.change(() => this.#sources.removeLost(SHARED.records));
      this.#report.counts.removed += removed;
      if (removed > 0) this.#onChanged();
      await yieldToMessages();
    } while (removed > 0);
    this.#report.totalBytes = this.#sources.bytesPending();
    try {
      for (let file = this.#sources.nextPending(); file; file = this.#sources.nextPending()) {
        signal.throwIfAborted();
        await this.#takeIn(file, signal);
      }
    } finally {
      await this.#extractor.close();
    }
    await this.#flush(signal);
    this.#batchSize = SHARED;
    return this.#report.finish(this.#sources.countRecords());
  }

  /** Finds all files of the data, and which of them may have changed. */
  async #findFiles(signal: AbortSignal): Promise<void> {
    this.#sources.startFinding(settingsOf(this.#options));
    for (const [path, root] of await this.#paths.find()) {
      if (root === undefined) {
        this.#sources.keep(path);
        continue;
      }
      await this.#note(path, walk(root, this.#options), signal);
    }
    this.#sources.finishFinding();
  }

  async #findIn(places: readonly ChangedPlace[], signal: AbortSignal): Promise<void> {
    this.#sources.startFinding(settingsOf(this.#options), places);
    const roots = new Map<string, DataRoot>();
    for (const { root, path } of places) {
      if (!roots.has(root)) roots.set(root, await findRoot(root));
      const found = path === root
        ? walk(roots.get(root)!, this.#options)
        : walkPlace(roots.get(root)!, path, this.#options);
      await this.#note(root, found, signal);
    }
    this.#sources.finishFinding();
  }

  async #note(root: string, walked: ReturnType<typeof walk>, signal: AbortSignal): Promise<void> {
    for await (const found of walked) {
      signal.throwIfAborted();
      if (found.kind === "folder") continue;
      if (found.kind === "file" && this.#options.ownFiles.has(found.real)) continue;
      if (found.kind === "skipped") this.#report.skipped(found);
      this.#sources.found(root, found);
    }
  }

  async #takeIn(file: PendingFile, signal: AbortSignal): Promise<void> {
    this.#report.startFile(file.path);
    try {
      if (file.hash !== undefined && await this.#hashOf(file) === file.hash) {
        // Its time changed, its content did not.
        this.#report.advance(file.bytes);
        const step = { file, hash: file.hash, removesGone: false };
        if (this.#add(step, { records: 1, length: 0 })) await this.#flush(signal);
        return;
      }
      const hash = await this.#readRecords(file, signal);
      await this.#finishFile(file, hash, signal);
    } catch (error) {
      if (error instanceof SkipFile) {
        this.#report.skipped({ path: file.path, reason: error.message, option: error.option });
        await this.#finishFile(file, "", signal);
      } else if (error instanceof UnreadableFile) {
        // Its records stay: the next pass may be able to read it.
        this.#report.skipped({ path: file.path, reason: `unreadable: ${error.message}` });
        this.#sources.postpone(file);
      } else throw error;
    }
  }

  /** Reads a file's records. @returns the hash of its content. */
  async #readRecords(file: PendingFile, signal: AbortSignal): Promise<string> {
    this.#report.counts.filesRead++;
    const hash = createHash("sha256");
    const onChunk = (chunk: Uint8Array) => void hash.update(chunk);
    const onProgress = (bytes: number) => this.#report.advance(bytes);
    const siteAround = (real: string) => this.#siteTitles.around(real, this.#options.follow);
    const extract = (packed: PackedFile) => this.#extractor.extract(packed);
    const options = { ...this.#options, extract, siteAround, onChunk, onProgress };
    for await (const items of await readFile(file, options)) {
      for (const item of items) {
        if ("note" in item) {
          this.#report.note({ path: file.path, ...item });
          continue;
        }
        const length = "entry" in item ? item.entry.text.length : 0;
        if (this.#add({ file, item }, { records: 1, length })) await this.#flush(signal);
      }
    }
    return hash.digest("hex");
  }

  /** Removes the records that the file no longer has, then marks it as taken in. */
  async #finishFile(file: PendingFile, hash: string, signal: AbortSignal): Promise<void> {
    const known = this.#knownRecords(file);
    const isLarge = known >= SHARED.records;
    if (isLarge) {
      await this.#flush(signal);
      for (let removed = -1; removed !== 0;) {
        removed = this.#store.change(() => this.#removeGone(file));
        if (removed > 0) this.#onChanged();
        await yieldToMessages();
        signal.throwIfAborted();
      }
    }
    // Of a small file they go with its last step: many small files share a transaction.
    const removesGone = known > 0 && !isLarge;
    const records = removesGone ? 1 + known * CHANGED_RECORD : 1;
    if (this.#add({ file, hash, removesGone }, { records, length: 0 })) await this.#flush(signal);
  }

  /**
   * Removes records that a file no longer has, at most as many as one transaction may. The file's
   * other records have to be taken in before.
   *
   * @returns how many.
   */
  #removeGone({ source }: PendingFile): number {
    const gone = this.#unseen.all(source ?? null, SHARED.records);
    for (const row of gone) this.#store.remove(Number(row["id"]));
    this.#report.counts.removed += gone.length;
    return gone.length;
  }

  /** The number of records that a changed file has in the index; more than enough are not counted. */
  #knownRecords({ source, isNew }: PendingFile): number {
    if (source === undefined || isNew) return 0;
    return Number(this.#countUpTo.get(source, SHARED.records)?.["n"]);
  }

  /**
   * Adds a step to the batch. Small files share a transaction.
   *
   * @param size What the step may change.
   * @returns whether the batch is full: it has to be flushed before the next step.
   */
  #add(step: Step, size: BatchSize): boolean {
    this.#batch.push(step);
    this.#batchRecords += size.records;
    this.#batchLength += size.length;
    const { records, length } = this.#batchSize;
    return this.#batchRecords >= records || this.#batchLength >= length;
  }

  #clearBatch(): void {
    this.#batch = [];
    this.#batchRecords = 0;
    this.#batchLength = 0;
  }

  /** Does the steps of the batch in one transaction, and merges its segment with others. */
  async #flush(signal: AbortSignal): Promise<void> {
    const steps = this.#batch;
    this.#clearBatch();
    let changes = 0;
    this.#store.change(() => {
      for (const step of steps) {
        if ("item" in step) changes += this.#takeRecord(step.file, step.item) ? 1 : 0;
        else {
          if (step.removesGone) changes += this.#removeGone(step.file);
          this.#sources.taken(step.file, step.hash);
        }
      }
    });
    if (changes > 0) this.#onChanged();
    await yieldToMessages();
    signal.throwIfAborted();
    if (changes > 0) await this.#store.words.segments.merge(signal, this.#batchSize === ALONE);
  }

  /** Takes in one record. @returns whether an entry changed. */
  #takeRecord(file: PendingFile, item: ReadEntry | ReadBroken): boolean {
    const { path } = file;
    const broken = "broken" in item ? item : this.#problemOf(item.entry);
    if ("broken" in item || broken !== undefined) {
      const { broken: reason, option } = broken!;
      this.#report.broken({ path, line: item.line ?? 1, reason, option });
      return false;
    }
    const source = this.#sources.beginFile(file);
    const { entry, line = 1 } = item;
    // A new file's records are all of this pass.
    const isTaken = (id: number) => file.isNew || this.#isSeen.get(id) !== undefined;
    let stored = this.#store.store(source, entry, isTaken);
    if (stored === undefined) this.#report.duplicate({ key: entry.local, path, line });
    for (let nth = 1; stored === undefined; nth++) {
      const place = nth === 1 ? `:${line}` : `:${line}.${nth}`;
      stored = this.#store.store(source, { ...entry, local: file.name + place, place }, isTaken);
    }
    const { outcome, id } = stored;
    if (!file.isNew) this.#seen.run(id);
    if (outcome !== "unchanged") this.#report.counts[outcome]++;
    this.#report.taken();
    return outcome !== "unchanged";
  }

  #problemOf(entry: LocalRecord): Omit<ReadBroken, "line"> | undefined {
    const broken = keyProblem(entry.local);
    if (broken !== undefined) return { broken };
    return isTooLarge(entry, this.#options.maxEntryBytes) ? tooLarge(this.#options) : undefined;
  }

  async #hashOf(file: DataFile): Promise<string> {
    const hash = createHash("sha256");
    for await (const chunk of fileChunks(file, this.#options.follow)) hash.update(chunk);
    return hash.digest("hex");
  }
}

/** The options that change a file's records. A file taken in with other ones is read again. */
function settingsOf(options: IndexerOptions): string {
  const { keyField, titleField, textFields, records, entries, separator, encoding } = options;
  // The reading of a document's language: files that an earlier version took in are read again.
  const named = {
    language: options.language,
    keyField,
    titleField,
    textFields,
    records,
    entries,
    separator,
    encoding,
  };
  return JSON.stringify({ ...named, maxEntryBytes: options.maxEntryBytes });
}
