/**
 * The engine. It does exact lookups on the calling thread, has searches done by the search workers,
 * and writes by the index worker.
 *
 * @module
 */
import { checkGiven, checkOptions } from "../base/option_kinds.ts";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { countOption, numericOption } from "../base/numeric_options.ts";
import { type Address, networkOf } from "../net/address.ts";
import { CostEstimate } from "./cost.ts";
import { EntryCache } from "./entry_cache.ts";
import { entryProblem } from "./entry_problem.ts";
import { SearchError } from "./error.ts";
import { asIndexError } from "./index/index_error.ts";
import type { KnownIndex } from "./index/open_index.ts";
import { servedRecord } from "./index/schema.ts";
import { fromStored, type Stored, toStored } from "./index/stored_text.ts";
import { MAX_INLINE_BYTES, MAX_LIMIT, MAX_OFFSET, MAX_SUGGESTIONS, maxPutBytes } from "./limits.ts";
import { notify, type WorkerRole } from "./observer.ts";
import type { ResolvedOptions } from "./options.ts";
import type { ReplyContent, ReplyRequest, WorkerReply } from "./reply/replier.ts";
import type { LargeRequest, ParsedRequest } from "./request/large_request.ts";
import type { PostedEntry, WriteOperation } from "./index/index_job.ts";
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
import type { RunOptions, WorkerPool } from "./worker/worker_pool.ts";

const HITS = countOption(10);
const SKIPPED = countOption(0);

const SAME_LOCAL = "SELECT key FROM record WHERE local = ? AND shown = 1 ORDER BY id LIMIT 5";

/** What an engine is made of. It closes all of these. */
export interface EngineParts {
  /** The index file. */
  readonly path: string;
  /** The calling thread's connection, for lookups. */
  readonly db: DatabaseSync;
  readonly writer: IndexWriter;
  readonly pool: WorkerPool<SearchTask, SearchTaskResult, KnownIndex>;
  /** Parses large requests; its worker is started with the first of them. */
  readonly parser: WorkerPool<LargeRequest, ParsedRequest, number>;
  readonly options: ResolvedOptions;
  /** Closes the connection and the workers, and a temporary index's file. */
  readonly resources: AsyncDisposable;
}

/** A client of a server. */
export interface Client {
  /** Is aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** Its address, if it has one: clients from one network share its turns. */
  readonly remote?: Address | undefined;
}

/** The search engine over one index. */
export class Engine implements SearchEngine {
  readonly #parts: EngineParts;
  readonly #find: StatementSync;
  readonly #findSmall: StatementSync;
  readonly #cache: EntryCache;
  readonly #cost = new CostEstimate();
  readonly #times = new SearchTimes();
  readonly #counts = { searches: 0, corrected: 0, failed: 0, lookups: 0, hits: 0, writes: 0 };
  #generation = 1;
  /** How many there were, or will be found to be, since the entries of that generation. */
  #entries: { readonly generation: number; readonly count: Promise<number> } | undefined;
  #workersReplaced = 0;
  #closing: Promise<void> | undefined;

  /** Takes over the parts. */
  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#cache = new EntryCache(parts.options.cacheBytes);
    this.#find = parts.db.prepare(servedRecord("title, text"));
    // SQLite knows the sizes without reading the pages of a large text.
    const ifSmall = (column: string) =>
      `CASE WHEN octet_length(title) + octet_length(text) <= ${MAX_INLINE_BYTES} ` +
      `THEN ${column} END AS ${column}`;
    this.#findSmall = parts.db.prepare(servedRecord(`${ifSmall("title")}, ${ifSmall("text")}`));
  }

  get generation(): number {
    return this.#generation;
  }

  get writable(): boolean {
    return this.#parts.options.writable;
  }

  get maxRequestBytes(): number {
    const { writable, maxEntryBytes } = this.#parts.options;
    return writable ? maxPutBytes(maxEntryBytes) : MAX_INLINE_BYTES;
  }

  lookup(key: string): SearchEntry | undefined {
    checkGiven("key", key, "text");
    if (this.#closing !== undefined) throw closedError();
    return this.#cached(key) ?? this.#readAny(this.#find, key) as SearchEntry | undefined;
  }

  /**
   * {@linkcode Engine.lookup} for a thread that serves clients. Of an entry that is too large to be
   * read and sent there, it only says `large`.
   */
  find(key: string): SearchEntry | "large" | undefined {
    if (this.#closing !== undefined) throw closedError();
    const entry = this.#cached(key);
    if (entry === undefined) return this.#readAny(this.#findSmall, key);
    return isLarge(entry) ? "large" : entry;
  }

  /** Keys of entries whose key in their file is this one, the first of them; for a hint. */
  keysOf(local: string): string[] {
    if (!local.isWellFormed()) return [];
    const rows = this.#parts.db.prepare(SAME_LOCAL).all(toStored(local) as Stored);
    return rows.map((row) => fromStored(row["key"]));
  }

  async search(query: string, options: SearchQueryOptions = {}): Promise<SearchResult> {
    checkGiven("query", query, "text");
    checkOptions(options, { exact: "flag", signal: "signal" });
    const limit = Math.min(numericOption("limit", options.limit, HITS), MAX_LIMIT);
    const offset = Math.min(numericOption("offset", options.offset, SKIPPED), MAX_OFFSET);
    const exactly = options.exact ?? false;
    const task = { kind: "search", query, limit, offset, exactly } as const;
    const search = this.#run(task, {
      signal: options.signal,
      isCostly: this.#cost.isCostly(query),
    });
    return await this.#counted(
      search as Promise<SearchResult>,
      ({ corrected }) => corrected !== undefined,
    );
  }

  async suggest(prefix: string, options: SuggestOptions = {}): Promise<readonly Suggestion[]> {
    checkGiven("prefix", prefix, "text");
    checkOptions(options, { signal: "signal" });
    const limit = Math.min(numericOption("limit", options.limit, HITS), MAX_SUGGESTIONS);
    const task = { kind: "suggest", prefix, limit } as const;
    return await this.#run(task, { signal: options.signal }) as readonly Suggestion[];
  }

  /**
   * Has a search worker make a reply, down to its content.
   *
   * @param client Whose request it is: clients take turns, and one that is gone is not waited for.
   * @returns the content of the reply; `undefined` if it is about an entry that does not exist.
   * @throws {SearchError} (as a rejection) as {@linkcode Engine.search}.
   */
  async reply(request: ReplyRequest, client: Client): Promise<ReplyContent | undefined> {
    if (request.action !== "search") {
      const isCostly = request.action !== "suggest";
      const reply = await this.#run({ kind: "reply", request }, { ...waiting(client), isCostly });
      return (reply as WorkerReply).content;
    }
    const { value } = request;
    const limit = Math.min(request.limit, MAX_LIMIT);
    const offset = Math.min(request.offset, MAX_OFFSET);
    const task = { kind: "reply", request: { ...request, limit, offset } } as const;
    const search = this.#run(task, { ...waiting(client), isCostly: this.#cost.isCostly(value) });
    return (await this.#counted(search as Promise<WorkerReply>, ({ corrected }) => corrected))
      .content;
  }

  /**
   * Has a worker parse a large request.
   *
   * @param request Its content's memory goes to the worker.
   * @throws {SearchError} (as a rejection) `busy`, `timeout`, `worker-died`, `closed`.
   */
  parse(request: LargeRequest, client: Client): Promise<ParsedRequest> {
    const transfer = [request.content.buffer as ArrayBuffer];
    return this.#parts.parser.run(request, { ...waiting(client), transfer });
  }

  // deno-lint-ignore require-await
  async get(key: string): Promise<SearchEntry | undefined> {
    return this.lookup(key);
  }

  async put(entry: SearchEntry, client?: Client): Promise<void> {
    checkGiven("entry", entry, "object");
    const { key, title, text } = entry;
    checkGiven("key", key, "text");
    checkGiven("title", title, "text");
    checkGiven("text", text, "text");
    this.#checkWritable();
    const stored = { key, title: title === "" ? key : title, text };
    const problem = entryProblem(key, stored, this.#parts.options.maxEntryBytes);
    if (problem !== undefined) {
      throw new SearchError("bad-entry", `The entry cannot be stored: ${problem}`);
    }
    await this.#write({ kind: "put", entry: stored }, client);
    this.#counts.writes++;
  }

  /**
   * Stores an entry that was checked, whose texts may be UTF-8: their memory then goes to the index
   * worker. Resolves after the commit.
   */
  async store(entry: PostedEntry, client: Client | undefined): Promise<void> {
    this.#checkWritable();
    await this.#write({ kind: "put", entry }, client);
    this.#counts.writes++;
  }

  async delete(key: string, client?: Client): Promise<boolean> {
    checkGiven("key", key, "text");
    this.#checkWritable();
    if (key === "" || !key.isWellFormed()) return false;
    const existed = await this.#write({ kind: "delete", key }, client);
    if (existed) this.#counts.writes++;
    return existed;
  }

  async stats(): Promise<SearchStats> {
    const entries = await this.#countEntries();
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
      searchMaxMs: this.#times.quantile(1),
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
  replaced(role: WorkerRole, reason: string): void {
    this.#workersReplaced++;
    notify(() => this.#parts.options.observer.workerReplaced?.({ role, reason }));
  }

  #cached(key: string): SearchEntry | undefined {
    this.#counts.lookups++;
    const entry = this.#cache.get(key);
    if (entry !== undefined) this.#counts.hits++;
    return entry;
  }

  /** Reads an entry; a key that nothing has is also tried in NFC, in which the names of files are. */
  #readAny(find: StatementSync, key: string): SearchEntry | "large" | undefined {
    const found = this.#read(find, key);
    const composed = found === undefined ? key.normalize("NFC") : key;
    return composed === key ? found : this.#read(find, composed);
  }

  /** Reads an entry with a prepared statement: about 5 µs. */
  #read(find: StatementSync, key: string): SearchEntry | "large" | undefined {
    if (!key.isWellFormed()) return undefined;
    try {
      const row = find.get(toStored(key) as Stored);
      if (row === undefined) return undefined;
      if (row["text"] === null) return "large";
      const [title, text] = [fromStored(row["title"]), fromStored(row["text"])];
      const entry = Object.freeze({ key, title, text });
      this.#cache.set(entry);
      return entry;
    } catch (error) {
      throw asIndexError(error, this.#parts.path, "read");
    }
  }

  /** Counts a search, and the time that it takes. */
  async #counted<T>(search: Promise<T>, isCorrected: (result: T) => boolean): Promise<T> {
    const start = performance.now();
    try {
      const result = await search;
      this.#counts.searches++;
      if (isCorrected(result)) this.#counts.corrected++;
      return result;
    } catch (error) {
      this.#counts.failed++;
      throw error;
    } finally {
      this.#times.add(performance.now() - start);
    }
  }

  #write(operation: WriteOperation, client: Client | undefined): Promise<boolean> {
    return this.#parts.writer.write(operation, client && waiting(client));
  }

  #run(task: SearchTask, options: RunOptions): Promise<SearchTaskResult> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    const query = queryOf(task);
    return this.#parts.pool.run(
      task,
      query === undefined ? options : { ...options, onTook: (ms) => this.#cost.took(query, ms) },
    );
  }

  /** How many entries can be found. They are counted once until an entry changes. */
  #countEntries(): Promise<number> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    if (this.#entries?.generation === this.#generation) return this.#entries.count;
    const count = this.#run({ kind: "count" }, {}) as Promise<number>;
    const entries = this.#entries = { generation: this.#generation, count };
    count.catch(() => {
      if (this.#entries === entries) this.#entries = undefined;
    });
    return count;
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

/** Whether an entry is too large to be sent by the thread that serves. */
function isLarge({ title, text }: SearchEntry): boolean {
  return title.length + text.length > MAX_INLINE_BYTES;
}

function waiting(client: Client): RunOptions {
  const { remote, signal } = client;
  return { peer: client, network: remote && networkOf(remote), signal };
}

/** The query whose time a task shows. */
function queryOf(task: SearchTask): string | undefined {
  if (task.kind === "search") return task.query;
  return task.kind === "reply" && task.request.action === "search" ? task.request.value : undefined;
}

function closedError(): SearchError {
  return new SearchError("closed", "The search engine is closed");
}
