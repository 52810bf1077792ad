/**
 * The broker's side of the thread that writes a store.
 *
 * @module
 */
import { Condition } from "../../../../base/condition.ts";
import { AskingEnd } from "../../../../base/threads/shared_line.ts";
import { WorkerThread } from "../../../../base/threads/worker_thread.ts";
import type { Frame } from "../../../../frame/mod.ts";
import { StreamError } from "../stream_error.ts";
import type { OnStored, StreamFigures } from "../stream_store.ts";
import { BATCH_BYTES, OUTCOME_BYTES, readOutcomes, writeAppends } from "./append_batch.ts";
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
  /** Nothing can be written from here on. */
  readonly failed: (error: StreamError) => void;
  /** Whether somebody waits at the end of a stream to read it. */
  readonly isAwaited: (stream: string) => boolean;
  /** Whether one client alone has sent something since the last call. */
  readonly isAlone: () => boolean;
  /** A stream as it was committed last. */
  readonly figuresOf: (stream: string) => StreamFigures | undefined;
}

/**
 * Hands orders to the thread that writes. Group commit: all orders that come while a commit runs go into
 * the next one.
 */
export class StoreWriter {
  readonly #events: StoreWriterEvents;
  readonly #opened = Promise.withResolvers<OpenedStore>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #thread: WorkerThread<StoreThreadOrder, StoreThreadReport>;
  readonly #line = new AskingEnd(BATCH_BYTES, OUTCOME_BYTES);
  /** What was handed over on the line last. */
  #asked: readonly AppendOrder[] = [];
  readonly #waiting: WaitingOrders;
  #inFlight: Waiting[] | undefined;
  /** Those that are answered by a later report. */
  readonly #late = new Map<number, Waiting>();
  #isScheduled = false;
  readonly #brief = new BriefWait();
  readonly #idle = new Condition();
  #failure: StreamError | undefined;

  /** Starts the thread. */
  constructor(path: string, events: StoreWriterEvents, memory: StoreMemory, maxPages?: number) {
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

  /** Keeps a topic's retained value, or forgets it. Nobody is told when. */
  retain(topic: string, frame: Uint8Array | undefined): void {
    if (this.#failure) return;
    this.#waiting.retain(topic, frame);
    this.#schedule();
  }

  /** What a connection waits for while too much of it waits to be written; `undefined` if it does not. */
  room(owner: number, bytes: number): Promise<void> | undefined {
    return this.#waiting.room(owner, bytes);
  }

  /** Writes what waits, then closes the database. */
  async close(): Promise<void> {
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
    if (this.#inFlight || !this.#waiting.isEmpty) return false;
    for (const { order } of this.#late.values()) if (order.kind === "append") return false;
    return true;
  }

  /** Hands over once what runs at this moment is done, as that may bring more. */
  #schedule(): void {
    if (this.#isScheduled || this.#inFlight) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#send(true);
    });
  }

  /** @param isFirst Whether nothing was under way: no answer is being told. */
  #send(isFirst = false): void {
    if (this.#inFlight || this.#waiting.isEmpty || this.#failure) return;
    const batch = this.#waiting.take();
    this.#inFlight = batch;
    const orders = batch.map(({ order }) => order);
    const appends = orders.filter((order) => order.kind === "append");
    const memory = appends.map(({ frames }) => frames.buffer as ArrayBuffer);
    const waits = isFirst && this.#isWaitWorth(appends);
    if (appends.length < orders.length || !this.#ask(appends, waits)) {
      return this.#post({ type: "perform", orders }, memory);
    }
    this.#waiting.keep(memory);
    if (waits && this.#brief.take(this.#line)) this.#answered();
  }

  /** Whether to sleep until publications are stored: nobody else has anything to do meanwhile. */
  #isWaitWorth(appends: readonly AppendOrder[]): boolean {
    if (!this.#waiting.isEmpty || !this.#events.isAlone()) return false;
    return this.#brief.isWorth(appends.reduce((sum, { asked }) => sum + asked.length, 0));
  }

  #post(order: StoreThreadOrder, transfer?: readonly Transferable[]): void {
    this.#thread.post(order, transfer);
    this.#line.posted();
  }

  /** Hands publications over on the line; `false` if they are too many for it. */
  #ask(orders: readonly AppendOrder[], waits: boolean): boolean {
    const bytes = writeAppends(this.#line.request, orders);
    if (bytes === undefined) return false;
    this.#asked = orders;
    this.#line.ask(bytes, waits);
    return true;
  }

  #reported(report: StoreThreadReport): void {
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
      case "answered":
        this.#answered();
        break;
      case "closed":
        this.#closed.resolve();
        break;
    }
  }

  /** What was asked on the line is answered there. */
  #answered(): void {
    const outcomes = readOutcomes(this.#line.answer, this.#asked);
    this.#performed({ ...NOTHING, ...outcomes }, true);
  }

  #performed(report: StoreReport, asked: boolean): void {
    const batch = asked ? this.#inFlight ?? [] : [];
    if (asked) this.#inFlight = undefined;
    // The thread works on while what it has done is told.
    if (!report.failure) this.#send();
    this.#events.committed(report);
    report.results.forEach((result, i) => {
      const waiting = batch[i];
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
    const failure = { code: error.code, message: error.message };
    const waiting = [...this.#inFlight ?? [], ...this.#waiting.clear()];
    this.#inFlight = undefined;
    for (const { onResult } of waiting) onResult?.({ failure });
    for (const { onResult } of this.#late.values()) onResult?.({ failure });
    this.#late.clear();
    this.#idle.notify();
    this.#events.failed(error);
  }
}
