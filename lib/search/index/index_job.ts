/**
 * The work of the index worker: the one connection that writes, the passes over the data, and the
 * writes of clients between them.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { closeQuietly, durableTransaction, transaction } from "../../sqlite/mod.ts";
import { statData } from "../data/walk.ts";
import { type PostedError, SearchError, toPosted } from "../error.ts";
import type { ObserverEvent } from "../observer.ts";
import { TUTORIAL_ENTRIES } from "../tutorial.ts";
import type { SearchEntry } from "../types.ts";
import { asIndexError } from "./index_error.ts";
import { openIndexWriter } from "./open_index.ts";
import { Indexer } from "./indexer.ts";
import { PassReport } from "./pass_report.ts";
import { RecordStore } from "./record_store.ts";
import { CLIENT_SOURCE } from "./schema.ts";
import { DataWatcher } from "./watch_data.ts";

/** What the index worker is opened with. */
export interface IndexJobOptions {
  /** The index file. */
  readonly path: string;
  readonly temporary: boolean;
  readonly maxPages?: number;
  /** Absolute paths; `undefined` leaves an index that has data as it is. */
  readonly data: readonly string[] | undefined;
  readonly keyField?: string;
  readonly titleField?: string;
  readonly textField?: string;
  readonly maxEntryBytes: number;
  readonly watch: boolean;
}

/** A write of a client. */
export type WriteOperation =
  | { readonly kind: "put"; readonly entry: SearchEntry }
  | { readonly kind: "delete"; readonly key: string };

/** What the index worker tells. */
export type IndexMessage =
  | { readonly type: "ready" | "closed" }
  | { readonly type: "failed" | "passFailed"; readonly error: PostedError }
  | { readonly type: "event"; readonly event: ObserverEvent }
  | { readonly type: "changed" }
  | { readonly type: "written"; readonly outcomes: readonly boolean[] }
  | { readonly type: "refused"; readonly error: PostedError };

/** What the index worker is told. Writes are answered in order. */
export type IndexRequest =
  | { readonly type: "open"; readonly options: IndexJobOptions }
  | { readonly type: "write"; readonly operations: readonly WriteOperation[] }
  | { readonly type: "cancel" | "close" };

const TUTORIAL_ROOT = "tutorial:";

/** Serves one index for writing. */
export class IndexJob {
  readonly #options: IndexJobOptions;
  readonly #post: (message: IndexMessage) => void;
  readonly #abort = new AbortController();
  readonly #db: DatabaseSync;
  readonly #store: RecordStore;
  #watcher: DataWatcher | undefined;
  #indexer: Indexer | undefined;
  #pass: Promise<void> = Promise.resolve();
  #isDirty = false;

  /** Opens the index. @throws {SearchError} `index-*`. */
  constructor(options: IndexJobOptions, post: (message: IndexMessage) => void) {
    this.#options = options;
    this.#post = post;
    this.#db = openIndexWriter(options.path, options);
    try {
      this.#store = new RecordStore(this.#db);
    } catch (error) {
      closeQuietly(this.#db);
      throw asIndexError(error, options.path, "open");
    }
  }

  /** Takes the data in, then tells `ready`; or `failed`, and the index is closed. */
  async start(): Promise<void> {
    const { data, path } = this.#options;
    try {
      if (data === undefined) this.#addTutorial();
      else {
        // Watching begins before reading, so that no change falls between the two.
        if (this.#options.watch) {
          for (const each of data) await statData(each);
          this.#watcher = new DataWatcher(data, ownFiles(path), () => this.#changed());
        }
        this.#indexer = this.#makeIndexer(data);
        this.#pass = this.#indexer.pass(this.#abort.signal).then(() => {});
        await this.#pass;
      }
      this.#post({ type: "ready" });
    } catch (error) {
      this.#pass = Promise.resolve();
      await this.close();
      this.#post({ type: "failed", error: toPosted(this.#described(error)) });
    }
  }

  /** Writes what clients put and delete, all in one transaction, and answers after the commit. */
  write(operations: readonly WriteOperation[]): void {
    try {
      const outcomes = durableTransaction(this.#db, () =>
        operations.map((operation) => {
          if (operation.kind === "delete") return this.#store.deleteKey(operation.key);
          return this.#store.store(CLIENT_SOURCE, operation.entry).outcome !== "unchanged";
        }));
      this.#post({ type: "written", outcomes });
    } catch (error) {
      const described = asIndexError(error, this.#options.path, "write to");
      this.#post({ type: "refused", error: toPosted(described) });
    }
  }

  /** Ends a pass that is under way. */
  cancel(): void {
    this.#abort.abort();
  }

  /** Ends everything and closes the index. */
  async close(): Promise<void> {
    this.cancel();
    this.#watcher?.close();
    await this.#pass.catch(() => {});
    closeQuietly(this.#db);
  }

  #makeIndexer(data: readonly string[]): Indexer {
    const report = new PassReport((event) => this.#post({ type: "event", event }));
    const options = { ...this.#options, data, ownFiles: ownFiles(this.#options.path) };
    const changed = () => this.#post({ type: "changed" });
    return new Indexer(this.#db, this.#store, options, report, changed);
  }

  /** An index without any data gets the tutorial's entries; one that has data keeps them. */
  #addTutorial(): void {
    const roots = this.#db.prepare("SELECT count(*) AS n FROM root").get()?.["n"];
    const records = this.#db.prepare("SELECT count(*) AS n FROM record").get()?.["n"];
    if (roots !== 1 || records !== 0) return;
    transaction(this.#db, () => {
      const root = this.#db.prepare("INSERT INTO root (path, ordinal) VALUES (?, 0)")
        .run(TUTORIAL_ROOT).lastInsertRowid;
      const source = this.#db.prepare("INSERT INTO source (root, path) VALUES (?, ?)")
        .run(root, TUTORIAL_ROOT).lastInsertRowid;
      for (const entry of TUTORIAL_ENTRIES) this.#store.store(Number(source), entry);
    });
  }

  /** A change of the data: a pass now, or one more after the one that is under way. */
  #changed(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#pass = this.#pass.catch(() => {}).then(async () => {
      this.#isDirty = false;
      if (this.#abort.signal.aborted || this.#indexer === undefined) return;
      try {
        await this.#indexer.pass(this.#abort.signal);
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        this.#post({ type: "passFailed", error: toPosted(this.#described(error)) });
      }
    });
  }

  #described(error: unknown): unknown {
    if (error === this.#abort.signal.reason) return new SearchError("closed", "Indexing was ended");
    return asIndexError(error, this.#options.path, "write to");
  }
}

/** The files of an index: the database, and what SQLite and the lock put beside it. */
function ownFiles(path: string): string[] {
  return ["", "-wal", "-shm", "-journal", ".lock"].map((end) => path + end);
}
