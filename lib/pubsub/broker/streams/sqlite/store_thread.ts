/**
 * The thread that writes a store: it alone changes the database.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { openThreadPort } from "../../../../base/threads/thread_port.ts";
import type { PostedError } from "../../../../base/threads/error_codec.ts";
import { asSqliteError, FileGuard, openWriter } from "../../../../sqlite/mod.ts";
import { DiskReserve } from "./disk_reserve.ts";
import { StreamEngine } from "./engine.ts";
import { makeJournal } from "./journal/make_journal.ts";
import { contentOf, readJournal, saltOf, storeJournal } from "./journal/reading.ts";
import type { StoreOrder, StoreReport } from "./orders.ts";
import { STREAM_SCHEMA } from "./schema.ts";
import type { StoreMemory } from "./store_memory.ts";
import { ERRORS } from "./thread_errors.ts";

/** What the thread is told. */
export type StoreThreadOrder =
  | {
    readonly type: "open";
    readonly path: string;
    readonly memory: StoreMemory;
    readonly maxPages?: number | undefined;
  }
  | { readonly type: "perform"; readonly orders: readonly StoreOrder[] }
  | { readonly type: "close" };

/** What it tells. */
export type StoreThreadReport =
  | { readonly type: "opened"; readonly streams: StoreReport["changed"] }
  | { readonly type: "refused"; readonly error: PostedError }
  /**
   * @param asked Whether it answers orders; otherwise something was due.
   * @param memory What publications lay in; it can be written to again.
   */
  | {
    readonly type: "performed";
    readonly asked: boolean;
    readonly report: StoreReport;
    readonly memory: readonly ArrayBuffer[];
  }
  /** The same for orders of which nothing else came: most of what is posted here costs time. */
  | {
    readonly type: "appended";
    readonly results: StoreReport["results"];
    readonly appended: StoreReport["appended"];
    readonly totals: StoreReport["totals"];
    readonly memory: readonly ArrayBuffer[];
  }
  | { readonly type: "closed" };

/** The commit log is written back to the database after this many pages: 16 MiB. */
const CHECKPOINT_PAGES = 4_096;
/** What is due is looked for at least this often. */
const LOOK_MS = 60_000;
/** After that, it keeps at most this many bytes on the disk. */
const KEPT_LOG_BYTES = 67_108_864;

let db: DatabaseSync | undefined;
let engine: StreamEngine | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
/** When it runs out. */
let timerAt = 0;

const port = openThreadPort<StoreThreadOrder, StoreThreadReport>(ERRORS, (order) => {
  if (order.type === "open") open(order.path, order.memory, order.maxPages);
  else if (order.type === "perform") perform(order.orders, true);
  else close();
});

function open(path: string, memory: StoreMemory, maxPages: number | undefined): void {
  const { writerCacheBytes: cacheBytes, recentIds } = memory;
  try {
    // What the journal has was accepted: the bound holds for what comes.
    db = openWriter(path, { schema: STREAM_SCHEMA, cacheBytes });
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    db.exec(`PRAGMA journal_size_limit = ${KEPT_LOG_BYTES}`);
    const reserve = new DiskReserve(`${path}.reserve`);
    storeJournal(db, path, contentOf(readJournal(path), saltOf(db)));
    if (maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${maxPages}`);
    const guard = new FileGuard(path);
    const openJournal = (salt: number) => makeJournal(path, salt, guard);
    engine = new StreamEngine(db, { path, guard, reserve, maxPages, recentIds, openJournal });
    port.report({ type: "opened", streams: engine.figures() });
    schedule();
  } catch (error) {
    port.report({ type: "refused", error: ERRORS.encode(asSqliteError(error, path, "open")) });
  }
}

function perform(orders: readonly StoreOrder[], asked: boolean): void {
  const report = engine!.perform(orders, Date.now());
  const memory = orders.flatMap((order) =>
    order.kind === "append" ? [order.frames.buffer as ArrayBuffer] : []
  );
  if (isPlain(report)) {
    const { results, appended, totals } = report;
    port.report({ type: "appended", results, appended, totals, memory }, memory);
    return schedule();
  }
  const deliveries = report.deliveries.map(({ bytes }) => bytes.buffer as ArrayBuffer);
  port.report({ type: "performed", asked, report, memory }, [...memory, ...deliveries]);
  schedule();
}

/** Whether a report tells of publications in the journal, and of nothing else. */
function isPlain(report: StoreReport): boolean {
  const { appended, late, changed, deleted, ended, deliveries, deadLetters, failure } = report;
  const others = [late, changed, deleted, ended, deliveries, deadLetters];
  return appended.length > 0 && failure === undefined && others.every(({ length }) => length === 0);
}

/** Performs what is due at its time. Orders that wait by then come first. */
function schedule(): void {
  const { dueAt } = engine!;
  const now = Date.now();
  // A timer that runs out earlier looks again then: that costs less than to set it with each commit.
  if (timerAt > now && timerAt <= dueAt) return;
  clearTimeout(timer);
  timerAt = Math.min(Math.max(now, dueAt), now + LOOK_MS);
  timer = setTimeout(wake, timerAt - now);
}

function wake(): void {
  timerAt = 0;
  if (engine!.dueAt <= Date.now()) perform([], false);
  else schedule();
}

function close(): void {
  clearTimeout(timer);
  engine?.finish(Date.now());
  db?.close();
  port.report({ type: "closed" });
}
