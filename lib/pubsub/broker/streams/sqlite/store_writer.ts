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
import { costOf, publicationCost } from "./order_cost.ts";
import {
  type AppendOrder,
  NOTHING,
  type OpenedStore,
  type OrderResult,
  type OrderValue,
  type StoreOrder,
  type StoreReport,
} from "./orders.ts";
import { OpenAppend } from "./open_append.ts";
import { errorOf } from "./order_failure.ts";
import type { StoreMemory } from "./store_memory.ts";
import type { StoreThreadOrder, StoreThreadReport } from "./store_thread.ts";
import { ERRORS } from "./thread_errors.ts";

/** Orders in one commit, and those of them that manage streams and consumers. */
const MAX_BATCH_ORDERS = 10_000;
const MAX_MANAGING = 4;
/** Memory that publications are first put into, and pieces of it that are kept: 2 MiB each at most. */
const FIRST_BYTES = 4_096;
const MAX_KEPT = 4;
const MAX_KEPT_BYTES = 2_097_152;

/** What the writer tells that is no answer. */
export interface StoreWriterEvents {
  /** Something was committed. Comes before the answers to what was asked. */
  readonly committed: (report: StoreReport) => void;
  /** Nothing can be written from here on. */
  readonly failed: (error: StreamError) => void;
  /** Whether somebody waits at the end of a stream to read it. */
  readonly isAwaited: (stream: string) => boolean;
  /** A stream as it was committed last. */
  readonly figuresOf: (stream: string) => StreamFigures | undefined;
}

/** An order on its way, and who waits for the answer. */
interface Waiting {
  readonly order: StoreOrder;
  readonly bytes: number;
  readonly onResult: ((result: OrderResult) => void) | undefined;
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
  #waiting: (Waiting | OpenAppend)[] = [];
  /** Those of them that publications may be added to. */
  readonly #openAppends = new Map<string, OpenAppend>();
  /** Retained values that wait: of each topic only the last. */
  readonly #retains = new Map<string, Uint8Array | undefined>();
  #waitingBytes = 0;
  /** Memory of committed publications, for the next ones: it need not be collected after each commit. */
  readonly #memory: ArrayBuffer[] = [];
  /** While more bytes than these wait, publishers wait too. */
  readonly #maxWaitingBytes: number;
  /** Bytes of publications in one commit. */
  readonly #maxBatchBytes: number;
  #inFlight: Waiting[] | undefined;
  /** Those that are answered by a later report. */
  readonly #late = new Map<number, Waiting>();
  #isScheduled = false;
  readonly #room = new Condition();
  readonly #idle = new Condition();
  #failure: StreamError | undefined;

  /** Starts the thread. */
  constructor(path: string, events: StoreWriterEvents, memory: StoreMemory, maxPages?: number) {
    this.#events = events;
    this.#maxWaitingBytes = memory.waitingBytes;
    this.#maxBatchBytes = memory.waitingBytes / 2;
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

  /** Appends a publication. */
  append(stream: string, frame: Frame, onStored?: OnStored): void {
    if (this.#failure) return onStored?.(this.#failure);
    let open = this.#openAppends.get(stream);
    if (open === undefined || open.cost >= this.#maxBatchBytes / 4) {
      const memory = this.#memory.pop() ?? new ArrayBuffer(FIRST_BYTES);
      const eachCost = publicationCost(this.#events.figuresOf(stream));
      this.#openAppends.set(stream, open = new OpenAppend(stream, memory, eachCost));
      this.#waiting.push(open);
    }
    this.#waitingBytes += open.add(frame);
    if (onStored) {
      open.asked.push(open.publications.ends.length - 1);
      open.onStored.push(onStored);
    }
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
    this.#retains.set(topic, frame);
    this.#schedule();
  }

  /** What publishers wait for while too much waits to be written; `undefined` if it does not. */
  room(): Promise<void> | undefined {
    if (this.#waitingBytes <= this.#maxWaitingBytes) return undefined;
    return this.#room.wait();
  }

  /** Writes what waits, then closes the database. */
  async close(): Promise<void> {
    if (!this.#isIdle) await this.#idle.wait();
    this.#post({ type: "close" });
    await this.#closed.promise;
    this.#thread.terminate();
  }

  #push(order: StoreOrder, onResult: Waiting["onResult"]): void {
    // Publications that come later must not overtake what is ordered in between.
    if (order.kind !== "hungry" && order.kind !== "settle") this.#openAppends.clear();
    const stream = order.kind === "settle" ? order.settlement.stream : undefined;
    const bytes = costOf(order, stream === undefined ? undefined : this.#events.figuresOf(stream));
    this.#waitingBytes += bytes;
    this.#waiting.push({ order, bytes, onResult });
    this.#schedule();
  }

  get #hasWaiting(): boolean {
    return this.#waiting.length > 0 || this.#retains.size > 0;
  }

  /** Whether all is done that closing waits for. A purge is not waited for. */
  get #isIdle(): boolean {
    if (this.#inFlight || this.#hasWaiting) return false;
    for (const { order } of this.#late.values()) if (order.kind === "append") return false;
    return true;
  }

  /** Hands over once what runs at this moment is done, as that may bring more. */
  #schedule(): void {
    if (this.#isScheduled || this.#inFlight) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#inFlight || !this.#hasWaiting || this.#failure) return;
    const batch: Waiting[] = [];
    const later: Waiting[] = [];
    let bytes = 0;
    let next = 0;
    let managing = 0;
    for (const waiting of this.#waiting) {
      if (batch.length >= MAX_BATCH_ORDERS || bytes >= this.#maxBatchBytes) break;
      next++;
      if (waiting instanceof OpenAppend) {
        if (this.#openAppends.get(waiting.stream) === waiting) {
          this.#openAppends.delete(waiting.stream);
        }
        bytes += waiting.cost;
        waiting.isAwaited = this.#events.isAwaited(waiting.stream);
        batch.push({
          order: waiting.order,
          bytes: waiting.cost,
          onResult: (result) => waiting.settle(result),
        });
      } else if (isManaging(waiting.order) && ++managing > MAX_MANAGING) later.push(waiting);
      else {
        bytes += waiting.bytes;
        batch.push(waiting);
      }
    }
    this.#waiting = [...later, ...this.#waiting.slice(next)];
    for (const [topic, frame] of this.#retains) {
      if (batch.length >= MAX_BATCH_ORDERS || bytes >= this.#maxBatchBytes) break;
      this.#retains.delete(topic);
      bytes += frame?.length ?? 0;
      batch.push({ order: { kind: "retain", topic, frame }, bytes: 0, onResult: undefined });
    }
    this.#inFlight = batch;
    const orders = batch.map(({ order }) => order);
    const appends = orders.filter((order) => order.kind === "append");
    const memory = appends.map(({ frames }) => frames.buffer as ArrayBuffer);
    if (appends.length < orders.length || !this.#ask(appends)) {
      this.#post({ type: "perform", orders }, memory);
    } else this.#keep(memory);
  }

  #post(order: StoreThreadOrder, transfer?: readonly Transferable[]): void {
    this.#thread.post(order, transfer);
    this.#line.posted();
  }

  /** Hands publications over on the line; `false` if they are too many for it. */
  #ask(orders: readonly AppendOrder[]): boolean {
    const bytes = writeAppends(this.#line.request, orders);
    if (bytes === undefined) return false;
    this.#asked = orders;
    this.#line.ask(bytes);
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
        this.#keep(report.memory);
        this.#performed(report.report, report.asked);
        break;
      case "answered": {
        const outcomes = readOutcomes(this.#line.answer, this.#asked);
        this.#performed({ ...NOTHING, ...outcomes }, true);
        break;
      }
      case "closed":
        this.#closed.resolve();
        break;
    }
  }

  /** Takes memory for later publications. */
  #keep(memory: readonly ArrayBuffer[]): void {
    for (const each of memory) {
      if (this.#memory.length < MAX_KEPT && each.byteLength <= MAX_KEPT_BYTES) {
        this.#memory.push(each);
      }
    }
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
    if (this.#waitingBytes <= this.#maxWaitingBytes / 2) this.#room.notify();
    if (this.#isIdle) this.#idle.notify();
  }

  #answer({ bytes, onResult }: Waiting, result: OrderResult): void {
    this.#waitingBytes -= bytes;
    onResult?.(result);
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
    const waiting = [...this.#inFlight ?? [], ...this.#waiting];
    this.#inFlight = undefined;
    this.#waiting = [];
    this.#openAppends.clear();
    this.#waitingBytes = 0;
    this.#retains.clear();
    for (const each of waiting) {
      if (each instanceof OpenAppend) each.settle({ failure });
      else each.onResult?.({ failure });
    }
    for (const { onResult } of this.#late.values()) onResult?.({ failure });
    this.#late.clear();
    this.#room.notify();
    this.#idle.notify();
    this.#events.failed(error);
  }
}

/**
 * Whether it manages a stream or a consumer, which may take a millisecond. Whoever asks for it asks for
 * nothing more until it is done, so what others ask for may overtake it.
 */
function isManaging({ kind }: StoreOrder): boolean {
  return MANAGING.has(kind);
}

const MANAGING: ReadonlySet<StoreOrder["kind"]> = new Set<StoreOrder["kind"]>([
  "create",
  "update",
  "delete",
  "join",
  "consumers",
  "delete-consumer",
  "reset-consumer",
  "redrive",
]);
