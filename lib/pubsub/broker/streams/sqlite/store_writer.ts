/**
 * The broker's side of the thread that writes a store.
 *
 * @module
 */
import { Condition } from "../../../../base/condition.ts";
import { useLargeMemory } from "../../../../base/large_memory.ts";
import { AskingEnd } from "../../../../base/threads/shared_line.ts";
import { WorkerThread } from "../../../../base/threads/worker_thread.ts";
import type { Frame } from "../../../../frame/mod.ts";
import { StreamError } from "../stream_error.ts";
import type { OnStored, StreamFigures } from "../stream_store.ts";
import {
  addAppends,
  BATCH_BYTES,
  EMPTY_BATCH_BYTES,
  OUTCOME_BYTES,
  readOutcomes,
  writeAppends,
} from "./append_batch.ts";
import { BriefWait } from "./brief_wait.ts";
import { errorOf } from "./order_failure.ts";
import {
  type AppendOrder,
  NOTHING,
  type OpenedStore,
  type OrderResult,
  type OrderValue,
  type StoreOrder,
  type StoreReport,
} from "./orders.ts";
import type { StoreMemory } from "./store_memory.ts";
import type { StoreThreadOrder, StoreThreadReport } from "./store_thread.ts";
import { ERRORS } from "./thread_errors.ts";
import { type Waiting, WaitingOrders } from "./waiting_orders.ts";

/** What the writer tells that is no answer. */
export interface StoreWriterEvents {
  /** Something was committed. Comes before the answers to what was asked. */
  readonly committed: (report: StoreReport) => void;
  /** Retained values wait as they found no room, or are lost. */
  readonly retainedWaits: (error: StreamError) => void;
  /** Nothing can be written from here on. */
  readonly failed: (error: StreamError) => void;
  /** Whether somebody waits at the end of a stream to read it. */
  readonly isAwaited: (stream: string) => boolean;
  /** Whether one client alone has sent something since the last call. */
  readonly isAlone: () => boolean;
  /** A stream as it was committed last. */
  readonly figuresOf: (stream: string) => StreamFigures | undefined;
}

/** A batch that was handed over. */
interface Batch {
  readonly waiting: Waiting[];
  /** Its orders and its size, if it is on the line. */
  readonly onLine: { readonly orders: AppendOrder[]; bytes: number } | undefined;
}

/** Retained values that found no room are tried again after this time. */
const RETRY_MS = 100;

/** Batches on the line: one is committed, in the other collects what is committed next. */
const BATCHES = 2;

/**
 * The most that the second one counts for: what collects there does not wait until the thread was told of
 * the first one's end, but neither can what others want go before it.
 */
const NEXT_COST = 131_072;

/**
 * Hands orders to the thread that writes. Group commit: all orders that come while a commit runs go into
 * the next one. If they are few, they are handed over at once, and what comes later is added to them until
 * that commit begins.
 */
export class StoreWriter {
  readonly #events: StoreWriterEvents;
  readonly #opened = Promise.withResolvers<OpenedStore>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #thread: WorkerThread<StoreThreadOrder, StoreThreadReport>;
  readonly #line = new AskingEnd(BATCH_BYTES, OUTCOME_BYTES, BATCHES);
  readonly #waiting: WaitingOrders;
  /** What was handed over, the one that is being committed first. */
  readonly #inFlight: Batch[] = [];
  /** What the second of them counts for. */
  #nextCost = 0;
  /** Those that are answered by a later report. */
  readonly #late = new Map<number, Waiting>();
  #isScheduled = false;
  readonly #brief = new BriefWait();
  readonly #idle = new Condition();
  #failure: StreamError | undefined;
  /** While retained values wait that found no room. */
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isClosing = false;
  /** Whether it was told that topics were not cleared. */
  #isClearLost = false;

  /** Starts the thread. */
  constructor(path: string, events: StoreWriterEvents, memory: StoreMemory, maxPages?: number) {
    useLargeMemory();
    this.#events = events;
    this.#waiting = new WaitingOrders(events, memory.waitingBytes);
    this.#thread = new WorkerThread(new URL("./store_thread.ts", import.meta.url), {
      name: "streams",
      errors: ERRORS,
      onReport: (report) => this.#reported(report),
      onDied: (error) => this.#died(error),
    });
    this.#post({ type: "open", path, line: this.#line.line, memory, maxPages });
  }

  /** What the database has, once it is open. Rejects with what opening it failed with. */
  get opened(): Promise<OpenedStore> {
    return this.#opened.promise;
  }

  /** Why nothing can be written any more, if that is so. */
  get failure(): StreamError | undefined {
    return this.#failure;
  }

  /** Appends a publication of a connection. */
  append(stream: string, frame: Frame, owner: number, onStored?: OnStored): void {
    if (this.#failure) return onStored?.(this.#failure);
    this.#waiting.append(stream, frame, owner, onStored);
    this.#schedule();
  }

  /** Has an order carried out. @throws {StreamError} why it is not. */
  ask(order: StoreOrder): Promise<OrderValue> {
    const { promise, resolve, reject } = Promise.withResolvers<OrderValue>();
    const onResult = (result: OrderResult): void => {
      if ("value" in result) resolve(result.value);
      else if ("failure" in result) reject(errorOf(result.failure));
    };
    if (this.#failure) reject(this.#failure);
    else this.#push(order, onResult);
    return promise;
  }

  /** Has an order carried out that nobody waits for. */
  tell(order: StoreOrder): void {
    if (!this.#failure) this.#push(order, undefined);
  }

  /**
   * Keeps a topic's retained value, or forgets it. Nobody is told when; while there is no room for it, it
   * waits.
   */
  retain(topic: string, frame: Uint8Array | undefined): void {
    if (this.#failure) return;
    if (this.#waiting.retain(topic, frame)) this.#schedule();
    else if (!this.#isClearLost) {
      this.#isClearLost = true;
      const text = "Too many topics wait to be cleared; some have their old value after a restart";
      this.#events.retainedWaits(new StreamError("storage-full", text));
    }
  }

  /** What a connection waits for while too much of it waits to be written; `undefined` if it does not. */
  room(owner: number, bytes: number): Promise<void> | undefined {
    return this.#waiting.room(owner, bytes);
  }

  /** Writes what waits, then closes the database. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#retry !== undefined) this.#tryRetained();
    if (!this.#isIdle) await this.#idle.wait();
    this.#post({ type: "close" });
    await this.#closed.promise;
    this.#thread.terminate();
  }

  #push(order: StoreOrder, onResult: Waiting["onResult"]): void {
    this.#waiting.push(order, onResult);
    this.#schedule();
  }

  /** Whether all is done that closing waits for. A purge is not waited for. */
  get #isIdle(): boolean {
    if (this.#inFlight.length > 0 || !this.#waiting.isEmpty) return false;
    for (const { order } of this.#late.values()) if (order.kind === "append") return false;
    return true;
  }

  /** Hands over once what runs at this moment is done, as that may bring more. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#send(true);
    });
  }

  /** @param mayWait Whether nothing else is to be done: no answer is being told. */
  #send(mayWait = false): void {
    if (this.#waiting.isEmpty || this.#failure) return;
    if (this.#inFlight.length > 0) return this.#sendNext(mayWait);
    const batch = this.#waiting.take();
    const orders = batch.map(({ order }) => order);
    const appends = orders.filter((order) => order.kind === "append");
    const memory = appends.map(({ frames }) => frames.buffer as ArrayBuffer);
    const bytes = appends.length < orders.length
      ? undefined
      : writeAppends(this.#line.request, appends);
    if (bytes === undefined) {
      this.#inFlight.push({ waiting: batch, onLine: undefined });
      return this.#post({ type: "perform", orders }, memory);
    }
    this.#inFlight.push({ waiting: batch, onLine: { orders: appends, bytes } });
    this.#waiting.keep(memory);
    this.#ask(bytes, mayWait);
  }

  /** Hands over what is committed next, or adds to it. @param mayWait As above. */
  #sendNext(mayWait: boolean): void {
    if (!this.#inFlight.every(({ onLine }) => onLine)) return;
    const queued = this.#inFlight[1];
    const { waiting, onLine } = queued ??
      { waiting: [], onLine: { orders: [], bytes: EMPTY_BATCH_BYTES } };
    const { bytes, cost } = this.#waiting.batchSize;
    const nextCost = cost + (queued ? this.#nextCost : 0);
    if (nextCost > NEXT_COST || onLine!.bytes + bytes > BATCH_BYTES) return;
    if (queued && !this.#line.takeBack()) return;
    const batch = this.#waiting.take();
    const appends = batch.map(({ order }) => order as AppendOrder);
    onLine!.bytes = addAppends(this.#line.request, onLine!.bytes, onLine!.orders.length, appends)!;
    onLine!.orders.push(...appends);
    waiting.push(...batch);
    this.#nextCost = nextCost;
    if (!queued) this.#inFlight.push({ waiting, onLine });
    this.#ask(onLine!.bytes, mayWait);
    this.#waiting.keep(appends.map(({ frames }) => frames.buffer as ArrayBuffer));
  }

  /** Has the last batch committed; sleeps meanwhile until the first one is, if that is worth it. */
  #ask(bytes: number, mayWait: boolean): void {
    const waits = mayWait && this.#isWaitWorth();
    this.#line.ask(bytes, waits);
    if (waits && this.#brief.take(this.#line)) this.#answered();
  }

  /** Whether nobody else has anything to do until publications are stored. */
  #isWaitWorth(): boolean {
    if (!this.#waiting.isEmpty || !this.#events.isAlone()) return false;
    return this.#brief.isWorth(this.#unanswered, this.#inFlight.length);
  }

  /** How many publications are asked about of what was handed over on the line. */
  get #unanswered(): number {
    let asked = 0;
    for (const { onLine } of this.#inFlight) {
      for (const order of onLine?.orders ?? []) asked += order.asked.length;
    }
    return asked;
  }

  #post(order: StoreThreadOrder, transfer?: readonly Transferable[]): void {
    this.#thread.post(order, transfer);
    this.#line.posted();
  }

  #reported(report: StoreThreadReport): void {
    if (report === "answered") return this.#answered();
    switch (report.type) {
      case "opened":
        this.#opened.resolve(report.store);
        break;
      case "refused":
        this.#opened.reject(ERRORS.decode(report.error));
        this.#closed.resolve();
        break;
      case "performed":
        this.#line.heard();
        this.#waiting.keep(report.memory);
        this.#performed(report.report, report.asked);
        break;
      case "closed":
        this.#closed.resolve();
        break;
    }
  }

  /** What the line has of answers is told. */
  #answered(): void {
    while (this.#inFlight[0]?.onLine && this.#line.isAnswered) {
      const outcomes = readOutcomes(this.#line.answer, this.#inFlight[0].onLine.orders);
      this.#performed({ ...NOTHING, ...outcomes }, true);
    }
  }

  #performed(report: StoreReport, asked: boolean): void {
    if (asked) this.#brief.answered(this.#unanswered);
    const batch = asked ? this.#inFlight.shift() : undefined;
    if (batch?.onLine) this.#line.free();
    // Before a newer value of a topic is handed over, which must not be followed by this one.
    else if (batch && !report.failure) this.#settleRetained(batch.waiting, report.results);
    // The thread works on while what it has done is told.
    if (!report.failure) this.#send();
    this.#events.committed(report);
    report.results.forEach((result, i) => {
      const waiting = batch?.waiting[i];
      if (waiting && "later" in result) this.#late.set(result.later, waiting);
      else if (waiting) this.#answer(waiting, result);
    });
    for (const { number, result } of report.late) {
      const waiting = this.#late.get(number);
      this.#late.delete(number);
      if (waiting) this.#answer(waiting, result);
    }
    if (report.failure) this.#fail(errorOf(report.failure));
    this.#waiting.admit();
    if (this.#isIdle) this.#idle.notify();
  }

  /** Has retained values wait that were not written, and tells of that once. */
  #settleRetained(batch: readonly Waiting[], results: readonly OrderResult[]): void {
    let refused = 0;
    let written = 0;
    let error: StreamError | undefined;
    batch.forEach(({ order }, i) => {
      if (order.kind !== "retain") return;
      const result = results[i]!;
      if (!("failure" in result)) return void written++;
      refused++;
      error = errorOf(result.failure);
      if (!this.#isClosing) this.#waiting.retainAgain(order.topic, order.frame);
    });
    if (error) this.#tellRetained(error, refused);
    if (this.#isClosing) return;
    if (error) {
      this.#waiting.retry = "later";
      this.#retry = setTimeout(() => this.#tryRetained(), RETRY_MS);
    } else if (written > 0) {
      this.#waiting.retry = this.#retry = undefined;
      this.#isClearLost = false;
    }
  }

  #tellRetained({ code, message }: StreamError, count: number): void {
    if (!this.#isClosing && this.#retry !== undefined) return;
    const text = this.#isClosing
      ? `Retained publications were not written and are lost: ${count}`
      : "Retained publications wait to be written; where the broker ends before that, they are lost";
    this.#events.retainedWaits(new StreamError(code, `${text}. ${message}`));
  }

  #tryRetained(): void {
    clearTimeout(this.#retry);
    this.#waiting.retry = "next";
    this.#schedule();
  }

  #answer(waiting: Waiting, result: OrderResult): void {
    this.#waiting.done(waiting);
    waiting.onResult?.(result);
  }

  #died(error: Error): void {
    this.#opened.reject(error);
    this.#fail(
      new StreamError("storage-failed", `The thread of the store ended: ${error.message}`),
    );
    this.#closed.resolve();
  }

  #fail(error: StreamError): void {
    if (this.#failure) return;
    this.#failure = error;
    clearTimeout(this.#retry);
    const failure = { code: error.code, message: error.message };
    const handedOver = this.#inFlight.splice(0).flatMap(({ waiting }) => waiting);
    const waiting = [...handedOver, ...this.#waiting.clear()];
    for (const { onResult } of waiting) onResult?.({ failure });
    for (const { onResult } of this.#late.values()) onResult?.({ failure });
    this.#late.clear();
    this.#idle.notify();
    this.#events.failed(error);
  }
}
