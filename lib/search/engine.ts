/**
 * The engine. It does exact lookups on the calling thread, has searches done by the search workers,
 * and writes by the index worker.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { countOption, numericOption } from "../base/numeric_options.ts";
import { CostEstimate } from "./cost.ts";
import { EntryCache } from "./entry_cache.ts";
import { entryProblem } from "./entry_problem.ts";
import { SearchError } from "./error.ts";
import { asIndexError } from "./index/index_error.ts";
import { fromStored, type Stored, toStored } from "./index/stored_text.ts";
import { MAX_LIMIT, MAX_OFFSET, MAX_SUGGESTIONS } from "./limits.ts";
import { notify } from "./observer.ts";
import type { ResolvedOptions } from "./options.ts";
import { SearchTimes } from "./search_times.ts";
import type {
  SearchEngine,
  SearchEntry,
  SearchQueryOptions,
  SearchResult,
  SearchStats,
  Suggestion,
  SuggestOptions,
} from "./types.ts";
import type { IndexWriter } from "./worker/index_writer.ts";
import type { SearchTask, SearchTaskResult } from "./worker/search_task.ts";
import type { WorkerPool } from "./worker/worker_pool.ts";

const HITS = countOption(10);
const SKIPPED = countOption(0);

/** What an engine is made of. It closes all of these. */
export interface EngineParts {
  /** The index file. */
  readonly path: string;
  /** The calling thread's connection, for lookups. */
  readonly db: DatabaseSync;
  readonly writer: IndexWriter;
  readonly pool: WorkerPool<SearchTask, SearchTaskResult, string>;
  readonly options: ResolvedOptions;
  /** Closes the connection and the workers, and a temporary index's file. */
  readonly resources: AsyncDisposable;
}

/** The search engine over one index. */
export class Engine implements SearchEngine {
  readonly #parts: EngineParts;
  readonly #find: StatementSync;
  readonly #cache: EntryCache;
  readonly #cost = new CostEstimate();
  readonly #times = new SearchTimes();
  readonly #counts = { searches: 0, corrected: 0, failed: 0, lookups: 0, hits: 0, writes: 0 };
  #generation = 1;
  #workersReplaced = 0;
  #closing: Promise<void> | undefined;

  /** Takes over the parts. */
  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#cache = new EntryCache(parts.options.cacheBytes);
    this.#find = parts.db.prepare("SELECT title, text FROM record WHERE key = ? AND shown = 1");
  }

  get generation(): number {
    return this.#generation;
  }

  get writable(): boolean {
    return this.#parts.options.writable;
  }

  lookup(key: string): SearchEntry | undefined {
    if (typeof key !== "string") throw new TypeError(`A key must be a string: ${key}`);
    if (this.#closing !== undefined) throw closedError();
    this.#counts.lookups++;
    const kept = this.#cache.get(key);
    if (kept === undefined) return this.#read(key);
    this.#counts.hits++;
    return kept;
  }

  async search(query: string, options: SearchQueryOptions = {}): Promise<SearchResult> {
    if (typeof query !== "string") throw new TypeError(`A query must be a string: ${query}`);
    const limit = Math.min(numericOption("limit", options.limit, HITS), MAX_LIMIT);
    const offset = Math.min(numericOption("offset", options.offset, SKIPPED), MAX_OFFSET);
    const start = performance.now();
    try {
      const task = { kind: "search", query, limit, offset } as const;
      const isCostly = this.#cost.isCostly(query);
      const result = await this.#run(task, isCostly, options.signal) as SearchResult;
      this.#counts.searches++;
      if (result.corrected !== undefined) this.#counts.corrected++;
      return result;
    } catch (error) {
      this.#counts.failed++;
      throw error;
    } finally {
      this.#times.add(performance.now() - start);
    }
  }

  async suggest(prefix: string, options: SuggestOptions = {}): Promise<readonly Suggestion[]> {
    if (typeof prefix !== "string") throw new TypeError(`A prefix must be a string: ${prefix}`);
    const limit = Math.min(numericOption("limit", options.limit, HITS), MAX_SUGGESTIONS);
    const task = { kind: "suggest", prefix, limit } as const;
    return await this.#run(task, false, options.signal) as readonly Suggestion[];
  }

  // deno-lint-ignore require-await
  async get(key: string): Promise<SearchEntry | undefined> {
    return this.lookup(key);
  }

  async put(entry: SearchEntry): Promise<void> {
    const { key, title, text } = entry;
    for (const [name, value] of Object.entries({ key, title, text })) {
      if (typeof value !== "string") throw new TypeError(`The ${name} must be a string: ${value}`);
    }
    this.#checkWritable();
    const stored = { key, title: title === "" ? key : title, text };
    const problem = entryProblem(stored, this.#parts.options.maxEntryBytes);
    if (problem !== undefined) {
      throw new SearchError("bad-entry", `The entry cannot be stored: ${problem}`);
    }
    await this.#parts.writer.write({ kind: "put", entry: stored });
    this.#counts.writes++;
  }

  async delete(key: string): Promise<boolean> {
    if (typeof key !== "string") throw new TypeError(`A key must be a string: ${key}`);
    this.#checkWritable();
    if (key === "" || !key.isWellFormed()) return false;
    const existed = await this.#parts.writer.write({ kind: "delete", key });
    if (existed) this.#counts.writes++;
    return existed;
  }

  async stats(): Promise<SearchStats> {
    const entries = await this.#run({ kind: "count" }, false) as number;
    const { pool, path } = this.#parts;
    const sizes = await Promise.all([sizeOf(path), sizeOf(`${path}-wal`)]);
    return {
      entries,
      indexBytes: sizes[0] + sizes[1],
      generation: this.#generation,
      searches: this.#counts.searches,
      corrected: this.#counts.corrected,
      failed: this.#counts.failed,
      lookups: this.#counts.lookups,
      lookupCacheHits: this.#counts.hits,
      lookupCacheBytes: this.#cache.bytes,
      writes: this.#counts.writes,
      queued: pool.queued,
      workers: pool.size,
      workersReplaced: this.#workersReplaced,
      searchP50Ms: this.#times.quantile(0.5),
      searchP99Ms: this.#times.quantile(0.99),
    };
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Notes that entries changed: those with these keys; without a list any may have. */
  changed(keys: readonly string[] | undefined): void {
    this.#generation++;
    if (keys === undefined) this.#cache.clear();
    else for (const key of keys) this.#cache.delete(key);
    const { observer } = this.#parts.options;
    notify(() => observer.changed?.({ generation: this.#generation }));
  }

  /** Notes that a worker was replaced. */
  replaced(role: "search" | "index", reason: string): void {
    this.#workersReplaced++;
    notify(() => this.#parts.options.observer.workerReplaced?.({ role, reason }));
  }

  /** Reads an entry with a prepared statement: about 5 µs. */
  #read(key: string): SearchEntry | undefined {
    if (!key.isWellFormed()) return undefined;
    try {
      const row = this.#find.get(toStored(key) as Stored);
      if (row === undefined) return undefined;
      const [title, text] = [fromStored(row["title"]), fromStored(row["text"])];
      const entry = Object.freeze({ key, title, text });
      this.#cache.set(entry);
      return entry;
    } catch (error) {
      throw asIndexError(error, this.#parts.path, "read");
    }
  }

  async #run(
    task: SearchTask,
    isCostly: boolean,
    signal?: AbortSignal,
  ): Promise<SearchTaskResult> {
    if (this.#closing !== undefined) throw closedError();
    return await this.#parts.pool.run(task, isCostly, signal, (ms) => {
      if (task.kind === "search") this.#cost.took(task.query, ms);
    });
  }

  #checkWritable(): void {
    if (this.#closing !== undefined) throw closedError();
    if (this.writable) return;
    throw new SearchError("not-writable", "The index was opened for reading only");
  }

  async #close(): Promise<void> {
    await this.#parts.resources[Symbol.asyncDispose]();
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch {
    return 0;
  }
}

function closedError(): SearchError {
  return new SearchError("closed", "The search engine is closed");
}
