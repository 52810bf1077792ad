import type { DatabaseSync } from "node:sqlite";
import { type FileGuard, transaction } from "../../../../sqlite/mod.ts";
import { StreamError } from "../stream_error.ts";
import { Catalog } from "./catalog.ts";
import { Deliveries } from "./deliveries.ts";
import type { DiskReserve } from "./disk_reserve.ts";
import { DiskRoom } from "./disk_room.ts";
import { type DueOrders, HeldAppends } from "./held_appends.ts";
import { Jobs } from "./jobs.ts";
import type { Journal } from "./journal/journal.ts";
import { Journaling, MAX_BATCH_BYTES, type OpenJournal } from "./journal/journaling.ts";
import { recordBytes } from "./journal/record.ts";
import { LogSteps } from "./log_steps.ts";
import type { LogWriter } from "./log_writer.ts";
import { failureOf, failureToWrite } from "./order_failure.ts";
import {
  type AppendOrder,
  joinReports,
  NOTHING,
  type OrderFailure,
  type OrderResult,
  type StoreOrder,
  type StoreReport,
} from "./orders.ts";
import { RUN_BYTES } from "./schema.ts";
import type { StreamTotals } from "../stream_store.ts";
import { NOTHING_KEPT, Tables } from "./tables.ts";
import { totalsOf } from "./totals.ts";

/** A commit that need not reach the disk at once reaches it after this time at the latest. */
export const SYNC_INTERVAL_MS = 1_000;

/** What found no room, or a database that another program writes to, is tried again after this time. */
const RETRY_MS = 100;

/** For batches that only the journal gets, the database's files are looked at this often at most. */
const GUARD_MS = 10;

/**
 * Rows are written when the journal has this many bytes that the database lacks: the first size counts
 * while nobody waits for a commit, the second always.
 */
const ROWS_BYTES = 131_072;
const MOST_ROWS_BYTES = 1_048_576;

/** How often the figures of everything are reported. */
const TOTALS_INTERVAL_MS = 1_000;

/** What an engine may know of its database. */
export interface EngineOptions {
  /** Notices when the files of the database are gone. */
  readonly guard?: FileGuard | undefined;
  /** Where the database is, for messages. */
  readonly path?: string | undefined;
  /** Holds room for when the disk is full. */
  readonly reserve?: DiskReserve | undefined;
  /** The largest size of the database in pages, as its connection has it. */
  readonly maxPages?: number | undefined;
  /** How many message ids have their hashes in memory. */
  readonly recentIds?: number | undefined;
  /** Opens the journal; without it all publications go to the database. */
  readonly openJournal?: OpenJournal | undefined;
  /** The thread that writes the log back; without it, this one does. It is closed with the engine. */
  readonly logWriter?: LogWriter | undefined;
  /** The salt of the first record that the journal has; 0 if it has none. */
  readonly leftSalt?: number | undefined;
}

/**
 * The writer of a store: carries out orders, many in one commit, and what becomes due with time.
 * All of it is synchronous, and what it reports is committed.
 */
export class StreamEngine {
  readonly #db: DatabaseSync;
  readonly #options: EngineOptions;
  readonly #tables: Tables;
  readonly #catalog: Catalog;
  readonly #deliveries: Deliveries;
  readonly #jobs: Jobs;
  readonly #room: DiskRoom;
  readonly #journaling: Journaling | undefined;
  readonly #held: HeldAppends;
  readonly #log: LogSteps;
  /** The bytes of what the journal has and no row. */
  #journaledBytes = 0;
  /** Before this time, work is not tried again that found no room. */
  #retryAt = 0;
  #isFull = true;
  /** When the first commit was made that the disk may not have; 0 if it has all. */
  #unsyncedSince = 0;
  #failure: OrderFailure | undefined;
  #toldTotalsAt = -Infinity;
  /** The time of the last orders. */
  #now = -Infinity;

  /** Over a connection that writes, with `synchronous = FULL`. */
  constructor(db: DatabaseSync, options: EngineOptions = {}) {
    this.#db = db;
    this.#options = options;
    this.#tables = new Tables(db, options.recentIds);
    const { statements } = this.#tables;
    const { reserve, maxPages, logWriter } = options;
    this.#log = new LogSteps(statements, logWriter);
    this.#room = new DiskRoom(db, statements, this.#log, reserve, maxPages);
    this.#deliveries = new Deliveries(this.#tables);
    this.#jobs = new Jobs(this.#tables);
    this.#catalog = new Catalog(this.#tables, this.#deliveries, this.#jobs);
    this.#held = new HeldAppends(this.#tables);
    const { openJournal } = options;
    this.#journaling = openJournal &&
      new Journaling(this.#tables.statements, openJournal, options.leftSalt);
    transaction(db, () => {
      this.#deliveries.reserveNumbers();
      this.#journaling?.renew();
    });
    this.#journaling?.renewed();
  }

  /** The figures of all streams, in the form in which a report has those that changed. */
  figures(): StoreReport["changed"] {
    return [...this.#tables.byName.values()].map((stream) => this.#tables.figuresOf(stream));
  }

  /**
   * When something is due next, in milliseconds since 1970; `0` for at once. Then
   * {@linkcode StreamEngine.perform} is to be called, with orders or without.
   */
  get dueAt(): number {
    if (this.#failure) return Infinity;
    return this.#held.hasWork ? 0 : this.#dueAt;
  }

  /** The same, without regard to ids that are being read. */
  get #dueAt(): number {
    if (this.#jobs.hasWork || this.#deliveries.hasWork) return this.#retryAt;
    const syncAt = this.#unsyncedSince === 0 ? Infinity : this.#unsyncedSince + SYNC_INTERVAL_MS;
    const dueAt = Math.min(syncAt, this.#deliveries.dueAt, this.#jobs.dueAt);
    return Math.max(dueAt, this.#retryAt);
  }

  /**
   * Carries out orders and what is due, in one commit.
   *
   * @param now The time, in milliseconds since 1970.
   */
  perform(orders: readonly StoreOrder[], now: number): StoreReport {
    if (now < this.#now) this.#setBack(this.#now - now);
    this.#now = now;
    let report = this.#performDue(orders, now);
    if (!this.#failure && this.#deliveries.needsRows) {
      report = joinReports(report, this.#perform([], now));
    }
    // Only what is committed is delivered; a later commit notes the delivery.
    if (!this.#failure) report.deliveries.push(...this.#deliveries.serve(now));
    return report;
  }

  /**
   * Does a part of what would take long in one go: writes some of the log of commits back to the
   * database, and rows of what the journal has, if that is enough. Called after those who waited for the
   * last commit were told.
   *
   * @param isIdle Whether nobody waits for the next commit.
   * @returns what is to be told.
   */
  tidy(now: number, isIdle: boolean): StoreReport | undefined {
    if (this.#failure) return undefined;
    try {
      this.#log.step(isIdle);
    } catch (error) {
      // What has no room stays in the log.
      if (this.#failed(error).code === "storage-failed") {
        return { ...NOTHING, failure: this.#failure };
      }
    }
    if (this.#log.isWorking || now < this.#retryAt) return undefined;
    if (this.#journaledBytes < (isIdle ? ROWS_BYTES : MOST_ROWS_BYTES)) return undefined;
    // The journal has them on the disk, so the commit need not wait for the disk.
    return this.perform([], now);
  }

  /** Writes what was not worth a commit so far. The engine must not be used afterwards. */
  finish(now: number): void {
    let isDone = false;
    if (!this.#failure) {
      this.#unsyncedSince = now - SYNC_INTERVAL_MS;
      for (const stream of this.#tables.byName.values()) this.#tables.saveAll(stream);
      isDone = this.#perform([], now).failure === undefined && this.#journaledBytes === 0;
    }
    this.#journaling?.close(isDone);
    this.#log.close();
  }

  /** The clock was set back by `ms`: without this, what is due would come that much later. */
  #setBack(ms: number): void {
    if (this.#unsyncedSince > 0) this.#unsyncedSince = Math.max(1, this.#unsyncedSince - ms);
    this.#retryAt -= ms;
    this.#jobs.setBack(ms);
    this.#deliveries.setBack(ms);
  }

  #performDue(orders: readonly StoreOrder[], now: number): Report {
    let due: DueOrders;
    try {
      due = this.#held.due(orders);
    } catch (error) {
      return this.#refused(orders, this.#failed(error));
    }
    const isIdle = due.orders.length === 0 && this.#held.hasWork && this.#dueAt > now;
    return due.answered(isIdle ? { ...NOTHING, deliveries: [] } : this.#perform(due.orders, now));
  }

  #perform(orders: readonly StoreOrder[], now: number): Report {
    if (this.#failure) return this.#refused(orders, this.#failure);
    const isNews = orders.length === 0 || orders.some(({ kind }) => kind !== "hungry");
    if (!isNews && !this.#deliveries.needsNumbers && this.#dueAt > now) {
      return this.#noted(orders, now);
    }
    const journal = this.#journalFor(orders, now);
    const journaled = journal && this.#journaled(journal, orders, now);
    if (journaled) return journaled;
    try {
      return this.#commit(orders, now, undefined);
    } catch (error) {
      let failure = this.#rolledBack(error);
      if (failure.code === "storage-full" && this.#room.make(now)) {
        try {
          return this.#commit(orders, now, undefined);
        } catch (again) {
          failure = this.#rolledBack(again);
        }
      }
      if (failure.code !== "storage-full") return this.#refused(orders, failure);
      // What was accepted before may still have room, or else what takes none: an acknowledgement.
      for (const withRows of this.#journaledBytes > 0 ? [true, false] : [false]) {
        try {
          return this.#commit(orders, now, failure, withRows);
        } catch (again) {
          failure = this.#rolledBack(again);
        }
        if (failure.code !== "storage-full") break;
      }
      return this.#refused(orders, failure);
    }
  }

  /**
   * @param full Refuses all publications with it.
   * @param withRows Whether rows are written of what the journal has.
   */
  #commit(
    orders: readonly StoreOrder[],
    now: number,
    full: OrderFailure | undefined,
    withRows = true,
  ): Report {
    const { byName } = this.#tables;
    this.#tables.begin();
    const syncDue = this.#unsyncedSince > 0 && now >= this.#unsyncedSince + SYNC_INTERVAL_MS;
    const isSynced = syncDue || !!this.#journaling?.isFull || this.#jobs.isAwaited ||
      orders.some((order) => this.#catalog.isDurable(order));
    const results: OrderResult[] = [];
    const late: { number: number; result: OrderResult }[] = [];
    const promised = withRows ? this.#journaledBytes : 0;
    const published = full ? 0 : bytesOf(orders);
    const kept = this.#room.isFull ? this.#tables.keptInMemory() : NOTHING_KEPT;
    this.#room.begin(published > 0, promised, kept);
    this.#setSynchronous(isSynced);
    transaction(this.#db, () => {
      if (withRows) this.#tables.writeRows();
      for (const order of orders) {
        const refused = order.kind === "append" || order.kind === "save" && !withRows;
        results.push(full && refused ? { failure: full } : this.#carryOut(order, now));
      }
      this.#deliveries.expire(now, full === undefined);
      late.push(...this.#jobs.step(now, full === undefined));
      if (syncDue) {
        this.#tables.statements.run("UPDATE counter SET value = value + 1 WHERE name = 'sync'");
      }
      this.#tables.saveIdle(now);
      this.#tables.save(now);
      if (isSynced && withRows) this.#journaling?.renew();
    });
    this.#options.guard?.check();
    if (isSynced && withRows) this.#journaling?.renewed();
    this.#log.committed(published + promised);
    this.#room.committed();
    if (published + promised > 0) this.#room.written(published + promised);
    this.#retryAt = withRows ? 0 : now + RETRY_MS;
    this.#journaledBytes -= promised;
    const { changed, deleted, ended, deadLetters } = this.#tables.committed();
    if (isSynced && withRows) this.#unsyncedSince = 0;
    else if (this.#unsyncedSince === 0) this.#unsyncedSince = now;
    return {
      results,
      late,
      appended: [],
      changed: changed.filter(({ name }) => byName.has(name)).map((s) => this.#tables.figuresOf(s)),
      deleted,
      ended,
      deadLetters,
      deliveries: [],
      totals: this.#totals(now),
      failure: undefined,
    };
  }

  /**
   * The journal, if it may take these orders: all are publications, for which nobody waits to read
   * them, nothing else is due, and later there will be room for them in the database.
   */
  #journalFor(orders: readonly StoreOrder[], now: number): Journal | undefined {
    if (this.#journaling === undefined) return undefined;
    let bytes = 0;
    for (const order of orders) {
      if (order.kind === "hungry") continue;
      if (order.kind !== "append" || !this.#isJournaled(order)) return undefined;
      const { length } = order.frames;
      bytes += length + (2 + Math.ceil(2 * length / RUN_BYTES)) * recordBytes(1);
    }
    if (bytes === 0 || bytes > MAX_BATCH_BYTES || this.#dueAt <= now) return undefined;
    if (this.#deliveries.needsNumbers || !this.#room.has(this.#journaledBytes + bytes)) {
      return undefined;
    }
    return this.#journaling.with(bytes, now);
  }

  /** Whether publications may wait for their rows: no limit drops something because of them. */
  #isJournaled({ stream: name, frames, publications, awaited }: AppendOrder): boolean {
    const stream = this.#tables.byName.get(name);
    if (stream === undefined || stream.listed || awaited) return false;
    const { full, maxBytes, maxCount } = stream.settings;
    const isWithin = full === "refuse" ||
      stream.count + publications.ends.length <= maxCount &&
        stream.bytes + frames.length <= maxBytes;
    return isWithin && !this.#deliveries.isAwaited(stream);
  }

  /** Has the journal keep publications; `undefined` if there is no room for that. */
  #journaled(journal: Journal, orders: readonly StoreOrder[], now: number): Report | undefined {
    const { appender } = this.#tables;
    const results: OrderResult[] = [];
    this.#tables.begin();
    appender.journal = journal;
    try {
      for (const order of orders) results.push(this.#carryOut(order, now));
      this.#tables.flush();
      journal.write(orders.some((order) => this.#catalog.isDurable(order)));
      this.#options.guard?.check(GUARD_MS);
    } catch (error) {
      this.#journaling!.broken();
      const failure = this.#rolledBack(error);
      return failure.code === "storage-full" ? undefined : this.#refused(orders, failure);
    } finally {
      appender.journal = undefined;
    }
    this.#journaledBytes += bytesOf(orders);
    const { changed } = this.#tables.committed();
    if (this.#unsyncedSince === 0) this.#unsyncedSince = now;
    return {
      ...NOTHING,
      results,
      appended: changed.map((stream) => stream.appended),
      deliveries: [],
      totals: this.#totals(now),
    };
  }

  /** Notes that members wait, which changes nothing that is kept: it needs no commit. */
  #noted(orders: readonly StoreOrder[], now: number): Report {
    const results = orders.map((order) => this.#catalog.carryOut(order, now));
    return { ...NOTHING, results, deliveries: [] };
  }

  #totals(now: number): StreamTotals | undefined {
    if (now >= this.#toldTotalsAt && now < this.#toldTotalsAt + TOTALS_INTERVAL_MS) {
      return undefined;
    }
    this.#toldTotalsAt = now;
    return totalsOf(this.#tables, now);
  }

  #carryOut(order: StoreOrder, now: number): OrderResult {
    try {
      return this.#catalog.carryOut(order, now);
    } catch (error) {
      if (error instanceof StreamError) return { failure: failureOf(error) };
      throw error;
    }
  }

  /** Rolls back a commit that failed, and says why it failed. */
  #rolledBack(error: unknown): OrderFailure {
    this.#tables.rollBack();
    this.#deliveries.rollBack();
    return this.#failed(error);
  }

  /** Why something could not be written. */
  #failed(error: unknown): OrderFailure {
    const failure = failureToWrite(error, this.#options.path ?? "");
    if (failure.code === "storage-failed") this.#failure = failure;
    return failure;
  }

  #refused(orders: readonly StoreOrder[], failure: OrderFailure): Report {
    // What is due stays due.
    this.#retryAt = this.#now + RETRY_MS;
    const results = orders.map(() => ({ failure }));
    return { ...NOTHING, results, deliveries: [], failure: this.#failure };
  }

  #setSynchronous(isFull: boolean): void {
    if (isFull === this.#isFull) return;
    this.#db.exec(`PRAGMA synchronous = ${isFull ? "FULL" : "NORMAL"}`);
    this.#isFull = isFull;
  }
}

type Report = StoreReport & { deliveries: StoreReport["deliveries"][number][] };

/** The bytes of publications. */
function bytesOf(orders: readonly StoreOrder[]): number {
  let bytes = 0;
  for (const order of orders) if (order.kind === "append") bytes += order.frames.length;
  return bytes;
}
