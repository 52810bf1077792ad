import { reportError } from "../base/report.ts";
import { importLater } from "../base/import_later.ts";
// Not the whole room: what answers requests does not copy databases.
import { FileLock } from "../sqlite/file_lock.ts";
import type { FileIdentity } from "../sqlite/mod.ts";
import type { Engine } from "./engine.ts";
import type { IndexJobOptions } from "./index/index_job.ts";
import type { KnownIndex } from "./index/open_index.ts";
import { notify, type ObserverEvent, type SearchObserver } from "./observer.ts";
import { type ResolvedOptions, resolveOptions, type SearchOptions } from "./options.ts";
import type { LargeRequest, ParsedRequest } from "./request/large_request.ts";
import { temporaryIndex } from "./temporary_index.ts";
import type { SearchEngine } from "./types.ts";
import { IndexWriter, type IndexWriterEvents } from "./worker/index_writer.ts";
import { languageOf } from "./words/stemmer.ts";
import type { SearchTask, SearchTaskResult } from "./worker/search_task.ts";
import { WorkerPool } from "./worker/worker_pool.ts";

/** What tests replace. */
export interface Replacements {
  /** The search workers' module. */
  readonly searchWorker?: URL;
  /** The index worker's module. */
  readonly indexWorker?: URL;
  /** The largest size of the index in pages of 4096 bytes. */
  readonly maxPages?: number;
}

/**
 * Opens a search engine: opens or makes the index, takes in the data that are new or changed since
 * the last time, and starts the workers. Resolves when everything can be found.
 *
 * @throws {SearchError} `data-unreadable`, `index-*`. The index is then as it was, or a pass over the
 * data was begun, which the next one completes.
 * @throws {TypeError | RangeError} for a wrong option.
 * @throws the signal's reason when it is aborted.
 *
 * @example
 * ```ts
 * import { openSearch } from "@socktool/socktool/search";
 * import { assertEquals } from "@std/assert";
 *
 * await using engine = await openSearch();
 * assertEquals(engine.lookup("ring")?.text, "In the caves beneath the Misty Mountains. 💍");
 * const { hits, total } = await engine.search("white rab*");
 * assertEquals([hits[0]?.key, total], ["morpheus", 1]);
 * ```
 */
export function openSearch(options: SearchOptions = {}): Promise<SearchEngine> {
  return openWith(options, {});
}

/** {@linkcode openSearch} with parts that tests replace. */
export async function openWith(
  options: SearchOptions,
  replacements: Replacements,
): Promise<SearchEngine> {
  const resolved = resolveOptions(options);
  const { signal } = options;
  signal?.throwIfAborted();
  // Everything opened here is closed in reverse order: if something fails, or by the engine.
  await using opened = new AsyncDisposableStack();
  const places = opened.use(new AsyncDisposableStack());
  // Events of the first pass come before there is an engine to tell.
  const made: { engine?: Engine } = {};
  const writer = new IndexWriter(
    replacements.indexWorker ?? new URL("./index_worker.ts", import.meta.url),
    writerEvents(resolved, made),
  );
  opened.defer(() => writer.close());
  const isWritten = options.data !== undefined || options.index !== undefined || resolved.writable;
  // The threads load while a place for the index is found, this one first: all wait for it.
  if (isWritten) writer.load(options.data !== undefined);
  const index: { path?: string; identity?: FileIdentity | undefined } = {};
  const { pool, parser } = makePools(resolved, replacements, () => index as KnownIndex, made);
  opened.defer(() => pool.close());
  opened.defer(() => parser.close());
  pool.load();
  const path = index.path = await placeOf(options, places);
  const job = await jobOptions(options, resolved, path, replacements);
  // What answers is loaded meanwhile, too.
  const [{ Engine }, { openIndexReader }, identity] = await Promise.all([
    importLater<typeof import("./engine.ts")>(new URL("./engine.ts", import.meta.url)),
    importLater<typeof import("./index/open_index.ts")>(
      new URL("./index/open_index.ts", import.meta.url),
    ),
    isWritten ? writer.open(job, signal) : makeOnce(job),
  ]);
  index.identity = identity;
  const db = openIndexReader({ path, identity });
  opened.defer(() => db.close());
  await pool.start();
  signal?.throwIfAborted();
  const resources = opened.move();
  return made.engine = new Engine({
    path,
    db,
    writer,
    pool,
    parser,
    options: resolved,
    resources,
  });
}

/** The engine, once it is there. */
interface Made {
  readonly engine?: Engine;
}

/** What the engine, and its observer, are told of the index worker. */
function writerEvents({ observer }: ResolvedOptions, made: Made): IndexWriterEvents {
  return {
    event: (event) => tell(observer, event),
    changed: (keys) => made.engine?.changed(keys),
    passFailed: (error) => {
      if (!observer.failed) return reportError(error, "A pass over watched data failed");
      notify(() => observer.failed?.(error));
    },
    replaced: (reason) => made.engine?.replaced("index", reason),
  };
}

/** The workers that search, and the one that parses large requests. */
function makePools(
  { workers, maxQueued, searchTimeoutMs, maxEntryBytes }: ResolvedOptions,
  replacements: Replacements,
  index: () => KnownIndex,
  made: Made,
) {
  const limits = { maxQueued, timeoutMs: searchTimeoutMs };
  const pool = new WorkerPool<SearchTask, SearchTaskResult, KnownIndex>({
    ...limits,
    name: "search",
    url: replacements.searchWorker ?? new URL("./search_worker.ts", import.meta.url),
    setup: index,
    size: workers,
    hasSpare: true,
    onReplaced: (reason) => made.engine?.replaced("search", reason),
  });
  const parser = new WorkerPool<LargeRequest, ParsedRequest, number>({
    ...limits,
    name: "parsing",
    url: new URL("./parse_worker.ts", import.meta.url),
    setup: () => maxEntryBytes,
    size: 1,
    onReplaced: (reason) => made.engine?.replaced("parse", reason),
  });
  return { pool, parser };
}

/** Makes an index of the tutorial's entries, which nobody changes: no worker is needed for it. */
async function makeOnce(job: IndexJobOptions): Promise<FileIdentity> {
  const { makeIndex } = await importLater<typeof import("./index/make_index.ts")>(
    new URL("./index/make_index.ts", import.meta.url),
  );
  return await makeIndex(job);
}

/** The index file's path: the one that was named, and locked, or a temporary one. */
async function placeOf(options: SearchOptions, opened: AsyncDisposableStack): Promise<string> {
  if (options.index === undefined) return await temporaryIndex(opened);
  const path = await absolute(options.index);
  const lock = await FileLock.take(path).catch(async (error) => {
    const { asLockError } = await importLater<typeof import("./index/index_error.ts")>(
      new URL("./index/index_error.ts", import.meta.url),
    );
    throw asLockError(error, path);
  });
  opened.use(lock);
  return path;
}

/** Paths are loaded here, as they take 8 ms: who serves the tutorial's entries names none. */
async function absolute(path: string): Promise<string> {
  const { resolve } = await import("node:path");
  return resolve(path);
}

async function jobOptions(
  options: SearchOptions,
  resolved: ResolvedOptions,
  path: string,
  { maxPages }: Replacements,
): Promise<IndexJobOptions> {
  const { keyField, titleField, textField, records, separator, encoding } = options;
  const data = options.data && await Promise.all(options.data.map(absolute));
  return {
    path,
    temporary: options.index === undefined,
    ...(maxPages === undefined ? {} : { maxPages }),
    // A path that is named twice is taken in once, at its last place: the last entries are served.
    data: data && data.filter((each, i) => data.lastIndexOf(each) === i),
    keyField,
    titleField,
    textFields: textField === undefined ? [] : [textField].flat(),
    records,
    entries: options.entries ?? false,
    separator,
    encoding,
    maxEntryBytes: resolved.maxEntryBytes,
    language: options.language && languageOf(options.language),
    follow: resolved.follow,
    exclude: options.exclude ?? [],
    prune: options.prune ?? false,
    watch: resolved.watch,
  };
}

function tell(observer: SearchObserver, { name, event }: ObserverEvent): void {
  notify(() => {
    switch (name) {
      case "progress":
        return observer.progress?.(event);
      case "brokenRecord":
        return observer.brokenRecord?.(event);
      case "duplicateKey":
        return observer.duplicateKey?.(event);
      case "dataPath":
        return observer.dataPath?.(event);
      case "watching":
        return observer.watching?.(event);
      case "skippedFile":
        return observer.skippedFile?.(event);
      case "readingNote":
        return observer.readingNote?.(event);
      case "indexed":
        return observer.indexed?.(event);
    }
  });
}
