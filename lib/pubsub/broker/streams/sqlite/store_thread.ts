/**
 * The thread that writes a store: it alone changes the database.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { AnsweringEnd, type LineMemory } from "../../../../base/threads/shared_line.ts";
import { openThreadPort } from "../../../../base/threads/thread_port.ts";
import type { PostedError } from "../../../../base/threads/error_codec.ts";
import { asSqliteError, FileGuard, openWriter, SqliteError } from "../../../../sqlite/mod.ts";
import { BATCH_BYTES, readAppends, writeOutcomes } from "./append_batch.ts";
import { DiskReserve } from "./disk_reserve.ts";
import { StreamEngine } from "./engine.ts";
import { LogWriter } from "./log_writer.ts";
import { makeJournal } from "./journal/make_journal.ts";
import { contentFor, firstSaltOf, readJournal, storeJournal } from "./journal/reading.ts";
import type { OpenedStore, StoreOrder, StoreReport } from "./orders.ts";
import { STREAM_SCHEMA } from "./schema.ts";
import { Statements } from "./statements.ts";
import type { StoreMemory } from "./store_memory.ts";
import { ERRORS } from "./thread_errors.ts";

interface OpenOrder {
  readonly type: "open";
  readonly path: string;
  /** Batches of nothing but publications come on it. */
  readonly line: LineMemory;
  readonly memory: StoreMemory;
  readonly maxPages?: number | undefined;
}

/** What the thread is told. */
export type StoreThreadOrder =
  | OpenOrder
  | { readonly type: "perform"; readonly orders: readonly StoreOrder[] }
  | { readonly type: "close" };

/** What it tells. */
export type StoreThreadReport =
  | { readonly type: "opened"; readonly store: OpenedStore }
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
  | { readonly type: "closed" }
  /** What became of a batch stands in the line's answer. */
  | "answered";

/** SQLite itself writes the log back within a commit, where the steps did not: from 16 MiB on. */
const CHECKPOINT_PAGES = 4_096;
/** What is due is looked for at least this often. */
const LOOK_MS = 60_000;
/** After that, it keeps at most this many bytes on the disk. */
const KEPT_LOG_BYTES = 67_108_864;

let db: DatabaseSync | undefined;
let engine: StreamEngine | undefined;
let line: AnsweringEnd | undefined;
/** A copy of what came on the line. */
let request = new Uint8Array(0);

const port = openThreadPort<StoreThreadOrder, StoreThreadReport>(ERRORS, (order) => {
  if (order.type === "open") open(order);
  line!.received();
  if (order.type === "perform") perform(order.orders, true);
  if (order.type === "close") close();
  else if (engine) attend();
});

function open({ path, memory, maxPages, line: lineMemory }: OpenOrder): void {
  const { writerCacheBytes: cacheBytes, recentIds } = memory;
  line = new AnsweringEnd(lineMemory);
  try {
    // To open the database takes some room, which an earlier process may have held.
    const reserve = new DiskReserve(`${path}.reserve`);
    // What the journal has was accepted: the bound holds for what comes.
    db = openWriter(path, { schema: STREAM_SCHEMA, cacheBytes });
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    db.exec(`PRAGMA journal_size_limit = ${KEPT_LOG_BYTES}`);
    const image = readJournal(path);
    storeJournal(db, path, contentFor(db, image));
    if (maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${maxPages}`);
    const guard = new FileGuard(path);
    const openJournal = (salt: number) => makeJournal(path, salt, guard);
    const logWriter = new LogWriter(path, guard.identity);
    const leftSalt = image && firstSaltOf(image);
    const options = { path, guard, reserve, maxPages, recentIds, openJournal, logWriter, leftSalt };
    engine = new StreamEngine(db, options);
    // All that a start reads is read here: whatever of it is damaged is told as damage.
    const store = { streams: engine.figures(), retained: retainedIn(db) };
    port.report({ type: "opened", store });
    // To start it takes some milliseconds, for which nobody has to wait.
    logWriter.start();
  } catch (error) {
    port.report({ type: "refused", error: ERRORS.encode(openError(error, path)) });
  }
}

function retainedIn(db: DatabaseSync): OpenedStore["retained"] {
  const rows = new Statements(db).rows<[string, Uint8Array]>("SELECT topic, frame FROM retained");
  return rows.map(([topic, frame]) => ({ topic, frame }));
}

/** Why the database cannot be opened. What a row holds was written as JSON or numbers of 8 bytes. */
function openError(error: unknown, path: string): SqliteError {
  const isBroken = error instanceof SyntaxError || error instanceof RangeError;
  if (!isBroken) return asSqliteError(error, path, "open");
  return new SqliteError("damaged", path, "open", "rows in it are broken", { cause: error });
}

/** Does what comes on the line, and what is due at its time, until a message is to be received. */
function attend(): void {
  while (true) {
    const tidied = engine!.tidy(Date.now(), !line!.isCalled);
    if (tidied) tell(tidied, false, []);
    const waitMs = Math.min(Math.max(0, engine!.dueAt - Date.now()), LOOK_MS);
    const why = line!.wait(waitMs);
    if (why === "posted") return;
    if (why === "asked") answer();
    // It is due also where the clock says that it is not: that was set back meanwhile.
    else perform([], false);
  }
}

/** Carries out what came on the line. */
function answer(): void {
  const { length } = line!.request;
  if (request.length < length) request = new Uint8Array(BATCH_BYTES);
  request.set(line!.request);
  const orders = readAppends(request.subarray(0, length));
  const report = engine!.perform(orders, Date.now());
  const bytes = isPlain(report) ? writeOutcomes(line!.answer, orders, report) : undefined;
  const isTaken = line!.answered(bytes);
  if (bytes === undefined) tell(report, true, []);
  else if (!isTaken) port.report("answered");
}

function perform(orders: readonly StoreOrder[], asked: boolean): void {
  const report = engine!.perform(orders, Date.now());
  const memory = orders.flatMap((order) =>
    order.kind === "append" ? [order.frames.buffer as ArrayBuffer] : []
  );
  tell(report, asked, memory);
}

function tell(report: StoreReport, asked: boolean, memory: readonly ArrayBuffer[]): void {
  const deliveries = report.deliveries.map(({ bytes }) => bytes.buffer as ArrayBuffer);
  line!.told();
  port.report({ type: "performed", asked, report, memory }, [...memory, ...deliveries]);
}

/** Whether a report tells of publications in the journal, and of nothing else. */
function isPlain(report: StoreReport): boolean {
  const { late, changed, deleted, ended, deliveries, deadLetters, totals, failure } = report;
  const others = [late, changed, deleted, ended, deliveries, deadLetters];
  return (totals ?? failure) === undefined && others.every(({ length }) => length === 0);
}

function close(): void {
  engine?.finish(Date.now());
  engine = undefined;
  db?.close();
  port.report({ type: "closed" });
}
