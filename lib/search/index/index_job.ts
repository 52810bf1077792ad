/**
 * The work of the index worker: the one connection that writes, the passes over the data, and the
 * writes of clients between them.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { closeQuietly } from "../../base/close_quietly.ts";
import { importLater } from "../../base/import_later.ts";
import type { PostedError } from "../../base/threads/error_codec.ts";
import { durableTransaction, transaction } from "../../sqlite/transaction.ts";
import { FileGuard } from "../../sqlite/file_guard.ts";
import type { FileIdentity } from "../../sqlite/mod.ts";
import { SearchError } from "../error.ts";
import type { ReadSettings } from "../data/item.ts";
import type { ObserverEvent } from "../observer.ts";
import { TUTORIAL_ENTRIES } from "../tutorial.ts";
import { loadStemmer } from "../words/stemmer.ts";
import { ERRORS } from "../worker/thread_errors.ts";
import { asIndexError } from "./index_error.ts";
import { assertSameIndex, openIndexWriter } from "./open_index.ts";
import type { Indexer, IndexerOptions } from "./indexer.ts";
import { loadLanguages } from "./languages.ts";
import { restoreKept } from "./kept_entries.ts";
import { RecordStore } from "./record_store.ts";
import { fromStored } from "./stored_text.ts";
import { CLIENT_SOURCE } from "./schema.ts";
import type { ChangedPlace } from "./source_table.ts";
import type { DataWatcher } from "./watch_data.ts";
import { yieldToMessages } from "./yield_to_messages.ts";

/** What the index worker is opened with. */
export interface IndexJobOptions extends ReadSettings {
  /** The index file. */
  readonly path: string;
  readonly temporary: boolean;
  /** The language of what does not say its own: one of `LANGUAGES`. */
  readonly language?: string | undefined;
  /** The file that the index was, where it is opened again: another one is not opened. */
  readonly identity?: FileIdentity | undefined;
  readonly maxPages?: number;
  /** Absolute paths; `undefined` leaves an index that has data as it is. */
  readonly data: readonly string[] | undefined;
  /** Whether links in the data are followed. */
  readonly follow: boolean;
  /** Patterns of what is left out. */
  readonly exclude: readonly string[];
  readonly watch: boolean;
  /** Whether entries go whose data path is empty at the start. */
  readonly prune: boolean;
}

/** An entry on its way to the index worker: large texts are UTF-8, and are not copied. */
export interface PostedEntry {
  readonly key: string;
  readonly title: string | Uint8Array;
  readonly text: string | Uint8Array;
}

/** A write of a client. */
export type WriteOperation =
  | { readonly kind: "put"; readonly entry: PostedEntry }
  | { readonly kind: "delete"; readonly key: string };

/** Writes that share a transaction. */
export interface WriteBatch {
  readonly operations: readonly WriteOperation[];
  /** The code units of text in them; bytes, where it is UTF-8. */
  readonly length: number;
}

/** What became of writes that shared a transaction. */
export interface WrittenGroup {
  /** For each, whether it changed something. */
  readonly outcomes: readonly boolean[];
  /** How long it took to write them, without the commit, which may wait for the disk. */
  readonly ms: number;
}

/** What the index worker tells. */
export type IndexMessage =
  | { readonly type: "ready"; readonly identity: FileIdentity }
  | { readonly type: "closed" }
  | { readonly type: "failed" | "passFailed"; readonly error: PostedError }
  | { readonly type: "event"; readonly event: ObserverEvent }
  | { readonly type: "changed" }
  | ({ readonly type: "written" } & WrittenGroup)
  | { readonly type: "refused"; readonly error: PostedError };

/** What the index worker is told. Writes are answered in order. */
export type IndexRequest =
  | { readonly type: "open"; readonly options: IndexJobOptions }
  | ({ readonly type: "write" } & WriteBatch)
  | { readonly type: "prepare" | "cancel" | "close" };

const TUTORIAL_ROOT = "tutorial:";

/** Loads what reads data. */
export function loadIndexer(): Promise<typeof import("./indexer.ts")> {
  return importLater(new URL("./indexer.ts", import.meta.url));
}

/** Serves one index for writing. */
export class IndexJob {
  readonly #options: IndexJobOptions;
  readonly #post: (message: IndexMessage) => void;
  readonly #abort = new AbortController();
  readonly #db: DatabaseSync;
  readonly #guard: FileGuard;
  readonly #store: RecordStore;
  #watcher: DataWatcher | undefined;
  #indexer: Indexer | undefined;
  #pass: Promise<void> = Promise.resolve();
  #merging: Promise<void> | undefined;
  #isDirty = false;
  #isSettling = false;
  /** Where something changed since the last pass began. */
  #waiting: readonly ChangedPlace[] | "all" = [];

  /** Opens the index. @throws {SearchError} `index-*`. */
  constructor(options: IndexJobOptions, post: (message: IndexMessage) => void) {
    this.#options = options;
    this.#post = post;
    assertSameIndex(options);
    this.#db = openIndexWriter(options.path, options);
    try {
      this.#guard = new FileGuard(options.path);
      this.#store = new RecordStore(this.#db, options.language);
    } catch (error) {
      closeQuietly(this.#db);
      throw asIndexError(error, options.path, "open");
    }
  }

  /** Takes the data in, then tells `ready`; or `failed`, and the index is closed. */
  async start(): Promise<void> {
    const { path } = this.#options;
    try {
      await loadLanguages(this.#db);
      const { language } = this.#options;
      if (language !== undefined) {
        await loadStemmer(language);
        transaction(this.#db, () => this.#store.words.addLanguage(language));
      }
      restoreKept(this.#db, this.#store);
      const data = this.#options.data ?? this.#unreadRoots();
      if (data === undefined) this.#addTutorial();
      else {
        const { ownFiles } = await importLater<typeof import("./path_folding.ts")>(
          new URL("./path_folding.ts", import.meta.url),
        );
        const options = { ...this.#options, data, ownFiles: await ownFiles(path) };
        if (this.#options.watch) {
          const { DataWatcher } = await importLater<typeof import("./watch_data.ts")>(
            new URL("./watch_data.ts", import.meta.url),
          );
          this.#watcher = new DataWatcher(options, {
            changed: (places) => this.#changed(places),
            watching: (event) => this.#post({ type: "event", event: { name: "watching", event } }),
          });
        }
        this.#indexer = await this.#makeIndexer(options);
        this.#pass = this.#runPass();
        await this.#pass;
      }
      await this.#settleVocabulary();
      this.#post({ type: "ready", identity: this.#guard.identity });
    } catch (error) {
      this.#pass = Promise.resolve();
      await this.close();
      this.#post({ type: "failed", error: this.#failure(error) });
    }
  }

  /** Writes what clients put and delete, all in one transaction, and answers after the commit. */
  write({ operations, length }: WriteBatch): void {
    const start = performance.now();
    let ms = 0;
    const begin: typeof durableTransaction = (db, action) =>
      durableTransaction(db, () => {
        const value = action();
        ms = performance.now() - start;
        return value;
      });
    try {
      this.#checkFiles();
      const outcomes = this.#store.change(() =>
        operations.map((operation) => {
          if (operation.kind === "delete") return this.#store.deleteKey(operation.key);
          const { key, title, text } = operation.entry;
          const entry = { key, title: fromStored(title), text: fromStored(text) };
          return this.#store.put(entry) !== "unchanged";
        }), begin);
      // Checked once more: what is answered as stored must be in the file that is there now.
      this.#checkFiles();
      this.#post({ type: "written", outcomes, ms });
    } catch (error) {
      this.#post({ type: "refused", error: this.#failure(error) });
      return;
    }
    this.#tidyAfter(length);
  }

  /** Sees to what writes have left: after their answer, for nobody waits for it. */
  #tidyAfter(length: number): void {
    const { vocabulary, segments } = this.#store.words;
    try {
      segments.wrote(length);
    } catch (error) {
      this.#post({ type: "passFailed", error: this.#failure(error) });
    }
    if (vocabulary.isStale) this.#settleLater();
    if (segments.isDue) this.#mergeLater();
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
    await this.#merging;
    closeQuietly(this.#db);
  }

  /** @throws {SqliteError} if what is written now would not be there for the next start. */
  #checkFiles(): void {
    // A temporary index has no next start: who has it open goes on with it.
    if (!this.#options.temporary) this.#guard.check();
  }

  /** @param places Where something changed; without it, anywhere. */
  async #runPass(places?: readonly ChangedPlace[]): Promise<void> {
    this.#checkFiles();
    await this.#watcher?.update(places);
    await this.#indexer?.pass(this.#abort.signal, places);
    await this.#settleVocabulary();
  }

  /** Lets spelling be corrected by the words of what was taken in. */
  async #settleVocabulary(): Promise<void> {
    const { vocabulary } = this.#store.words;
    if (vocabulary.isStale) await vocabulary.rebuild(this.#abort.signal);
  }

  /** Makes the vocabulary anew after many new words of clients; what is under way goes before. */
  #settleLater(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    this.#pass = this.#pass.catch(() => {}).then(async () => {
      try {
        if (!this.#abort.signal.aborted) await this.#settleVocabulary();
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        this.#post({ type: "passFailed", error: this.#failure(error) });
      } finally {
        this.#isSettling = false;
      }
    });
  }

  /** Merges the segments of clients' writes, when those that wait have been done. */
  #mergeLater(): void {
    this.#merging ??= this.#mergeSegments().finally(() => this.#merging = undefined);
  }

  async #mergeSegments(): Promise<void> {
    const { signal } = this.#abort;
    try {
      await yieldToMessages();
      if (!signal.aborted) await this.#store.words.segments.merge(signal);
    } catch (error) {
      if (!signal.aborted) this.#post({ type: "passFailed", error: this.#failure(error) });
    }
  }

  /** What reads data is loaded only where there are any. */
  async #makeIndexer(options: IndexerOptions): Promise<Indexer> {
    const [{ Indexer }, { PassReport }] = await Promise.all([
      loadIndexer(),
      importLater<typeof import("./pass_report.ts")>(new URL("./pass_report.ts", import.meta.url)),
    ]);
    const report = new PassReport((event) => this.#post({ type: "event", event }));
    const changed = () => this.#post({ type: "changed" });
    return new Indexer(this.#db, this.#store, options, report, changed);
  }

  /** The data paths of an index of an earlier layout, whose entries have to be read again. */
  #unreadRoots(): string[] | undefined {
    const roots = this.#db.prepare(`SELECT path FROM root WHERE id <> 0 AND path <> ?
      AND NOT EXISTS (SELECT 1 FROM source WHERE id <> ${CLIENT_SOURCE}) ORDER BY ordinal`);
    const paths = roots.all(TUTORIAL_ROOT).map((row) => String(row["path"]));
    return paths.length > 0 ? paths : undefined;
  }

  /** An index without any data gets the tutorial's entries; one that has data keeps them. */
  #addTutorial(): void {
    const count = (table: string) =>
      this.#db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"];
    if (count("source") !== 1 || count("record") !== 0) return;
    this.#store.change(() => {
      this.#db.prepare("INSERT OR IGNORE INTO root (path, ordinal) VALUES (?, 0)")
        .run(TUTORIAL_ROOT);
      const source = Number(
        this.#db.prepare(`INSERT INTO source (root, path, name, label)
          SELECT id, path, path, path FROM root WHERE path = ?`)
          .run(TUTORIAL_ROOT).lastInsertRowid,
      );
      for (const { key, title, text } of TUTORIAL_ENTRIES) {
        this.#store.store(source, { local: key, place: undefined, title, text }, () => false);
      }
    });
  }

  /** A change of the data: a pass now, or one more after the one that is under way. */
  #changed(places: readonly ChangedPlace[] | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = places === undefined || waiting === "all" ? "all" : [...waiting, ...places];
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#pass = this.#pass.catch(() => {}).then(async () => {
      this.#isDirty = false;
      const places = this.#waiting === "all" ? undefined : this.#waiting;
      this.#waiting = [];
      if (this.#abort.signal.aborted) return;
      try {
        await this.#runPass(places);
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        this.#waiting = "all";
        this.#post({ type: "passFailed", error: this.#failure(error) });
      }
    });
  }

  #failure(error: unknown): PostedError {
    const isEnd = error === this.#abort.signal.reason;
    const described = isEnd
      ? new SearchError("closed", "Indexing was ended")
      : asIndexError(error, this.#options.path, "write to");
    return ERRORS.encode(described);
  }
}
