/**
 * Workers that answer requests, one each at a time.
 *
 * Costly and cheap requests wait in two lines. Cheap ones go first, but after four of them a costly
 * one has its turn; and with more than one worker, one is always left for the cheap: SQLite does a
 * query in one go, and only the system can let another thread have its turn meanwhile. If a cheap
 * request turns out to be costly, the worker hands it back, and it waits with the costly ones. In each
 * line networks take turns, and within a network its peers. If too many requests wait, whoever has the
 * most waiting loses the last one.
 *
 * @module
 */
import { LimitLook, tickMs } from "../../base/periodic_look.ts";
import type { PostedError } from "../../base/threads/error_codec.ts";
import { WorkerThread } from "../../base/threads/worker_thread.ts";
import { SearchError } from "../error.ts";
import { ERRORS, searchErrorOf } from "./thread_errors.ts";
import { type Asker, WaitingLine } from "./waiting_line.ts";

/** What a pool's worker is told. */
export type PoolRequest<Task, Setup> =
  | { readonly type: "open"; readonly setup: Setup }
  | { readonly type: "run"; readonly task: Task; readonly isCostly: boolean }
  | { readonly type: "close" };

/**
 * What a pool's worker answers: to `open` with `ready` or `unusable`; to `run` with `done`, `failed`, or
 * `costly` if the task has to be run as a costly one.
 */
export type PoolMessage<Result> =
  | { readonly type: "ready" | "closed" | "costly" }
  | { readonly type: "done"; readonly value: Result }
  | { readonly type: "failed" | "unusable"; readonly error: PostedError };

/** How a pool is set up. */
export interface WorkerPoolOptions<Setup> {
  /** What the workers do, for their names and for messages: `search`. */
  readonly name: string;
  /** The workers' module. */
  readonly url: URL;
  /** Gives what is posted to each worker first. */
  readonly setup: () => Setup;
  /** How many workers. */
  readonly size: number;
  /**
   * Whether a single worker gets a second one beside it for the costly requests, when the first of
   * them comes. @default {false}
   */
  readonly hasSpare?: boolean | undefined;
  /** How many requests wait at most. */
  readonly maxQueued: number;
  /** A worker that takes longer over one request, or a quarter more, is replaced. */
  readonly timeoutMs: number;
  /** Is called when a worker died or was ended for being slow. */
  readonly onReplaced: (reason: string) => void;
}

/** How a pool is to do a task. */
export interface RunOptions extends Asker {
  /** Whether it waits in the line of the costly ones. @default {false} */
  readonly isCostly?: boolean | undefined;
  /** Ends waiting. A worker that has begun the task goes on with it, for nobody. */
  readonly signal?: AbortSignal | undefined;
  /** Memory of the task that goes to the worker. */
  readonly transfer?: readonly Transferable[] | undefined;
  /** Is told how long a worker had the task as a costly one, in milliseconds. */
  readonly onTook?: ((ms: number) => void) | undefined;
}

interface Job<Task, Result> extends Omit<RunOptions, "isCostly"> {
  readonly task: Task;
  isCostly: boolean;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

interface Slot<Task, Result> {
  thread: WorkerThread<PoolRequest<Task, unknown>, PoolMessage<Result>>;
  isReady: boolean;
  job: Job<Task, Result> | undefined;
  givenMs: number;
  onClosed: (() => void) | undefined;
}

/** After this many cheap requests a costly one has its turn. */
const CHEAP_IN_A_ROW = 4;
/** How long a worker may take to close its connection before it is ended. */
const CLOSE_WITHIN_MS = 1000;

/** A pool of workers; see the module. */
export class WorkerPool<Task, Result, Setup> {
  readonly #options: WorkerPoolOptions<Setup>;
  readonly #slots = new Set<Slot<Task, Result>>();
  readonly #cheap = new WaitingLine<Job<Task, Result>>();
  readonly #costly = new WaitingLine<Job<Task, Result>>();
  /** Looks for workers that take too long, while there is something to do. */
  readonly #looking: LimitLook;
  #cheapInARow = 0;
  #isClosed = false;
  #starting: { resolve(): void; reject(error: unknown): void } | undefined;

  /** No worker is started yet. */
  constructor(options: WorkerPoolOptions<Setup>) {
    this.#options = options;
    this.#looking = new LimitLook(tickMs(options.timeoutMs), (now) => this.#look(now));
  }

  /** Requests that wait. */
  get queued(): number {
    return this.#cheap.size + this.#costly.size;
  }

  /** Workers that run. */
  get size(): number {
    return this.#slots.size;
  }

  /**
   * Has a worker do a task.
   *
   * @throws {SearchError} (as a rejection) `busy`, `timeout`, `worker-died`, `closed`, or the worker's.
   */
  run(task: Task, options: RunOptions = {}): Promise<Result> {
    const { isCostly = false, signal } = options;
    if (this.#isClosed) return Promise.reject(closedError());
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.#costly.meet(options);
    if (!this.#makeRoom(options)) return Promise.reject(this.#busyError());
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const job: Job<Task, Result> = { ...options, isCostly, task, resolve, reject };
    this.#lineOf(job).push(job);
    this.#dispatch();
    if (signal === undefined) return promise;
    const onAbort = () => {
      this.#lineOf(job).delete(job);
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    return promise.finally(() => signal.removeEventListener("abort", onAbort));
  }

  /** Loads the workers, which takes some 30 ms, without giving them their setup yet. */
  load(): void {
    while (this.#slots.size < this.#options.size) this.#loadWorker();
  }

  /**
   * Sets all workers up, so that the first requests find them ready.
   *
   * @throws {SearchError} (as a rejection) if one of them cannot start.
   */
  start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#starting = { resolve, reject };
    this.load();
    for (const slot of this.#slots) this.#setUp(slot);
    return promise;
  }

  /** Ends all workers. What waits or runs fails with `closed`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#looking.stop();
    for (const job of [...this.#cheap.clear(), ...this.#costly.clear()]) job.reject(closedError());
    await Promise.all([...this.#slots].map((slot) => this.#closeSlot(slot)));
  }

  async #closeSlot(slot: Slot<Task, Result>): Promise<void> {
    slot.job?.reject(closedError());
    const { promise, resolve } = Promise.withResolvers<void>();
    slot.onClosed = resolve;
    slot.thread.post({ type: "close" });
    const timer = setTimeout(resolve, CLOSE_WITHIN_MS);
    await promise;
    clearTimeout(timer);
    slot.thread.terminate();
    this.#slots.delete(slot);
  }

  #lineOf({ isCostly }: Job<Task, Result>): WaitingLine<Job<Task, Result>> {
    return isCostly ? this.#costly : this.#cheap;
  }

  /** Whether one more may wait; if need be, in the place of one of whom more wait for. */
  #makeRoom(asker: Asker): boolean {
    if (this.queued < this.#options.maxQueued) return true;
    const longer = this.#costly.size > this.#cheap.size ? this.#costly : this.#cheap;
    const heaviest = longer.heaviest(asker);
    if (heaviest === undefined) return false;
    longer.delete(heaviest);
    heaviest.reject(this.#busyError());
    return true;
  }

  #busyError(): SearchError {
    const { maxQueued, name } = this.#options;
    return new SearchError(
      "busy",
      `${maxQueued} ${name} requests wait already; try again in a moment`,
    );
  }

  /** Gives waiting tasks to idle workers, and starts workers while there are too few. */
  #dispatch(): void {
    if (this.#isClosed) return;
    for (const slot of this.#slots) {
      if (!slot.isReady || slot.job !== undefined) continue;
      const job = this.#next();
      if (job === undefined) break;
      this.#give(slot, job);
    }
    const starting = [...this.#slots].filter((slot) => !slot.isReady).length;
    if (this.queued > starting && this.#slots.size < this.#most()) {
      this.#setUp(this.#loadWorker());
    }
  }

  #next(): Job<Task, Result> | undefined {
    const isCostlyDue = this.#cheap.size === 0 || this.#cheapInARow >= CHEAP_IN_A_ROW;
    if (isCostlyDue && this.#costly.size > 0 && this.#mayRunCostly()) {
      this.#cheapInARow = 0;
      return this.#costly.shift();
    }
    const job = this.#cheap.shift();
    if (job !== undefined) this.#cheapInARow++;
    return job;
  }

  #mayRunCostly(): boolean {
    const most = this.#most();
    if (most === 1) return true;
    let running = 0;
    for (const slot of this.#slots) if (slot.job?.isCostly) running++;
    return running < Math.min(most, this.#slots.size) - 1;
  }

  /** How many workers there may be. */
  #most(): number {
    const { size, hasSpare } = this.#options;
    return size === 1 && hasSpare && (this.#costly.size > 0 || this.#slots.size > 1) ? 2 : size;
  }

  #give(slot: Slot<Task, Result>, job: Job<Task, Result>): void {
    slot.job = job;
    slot.givenMs = performance.now();
    slot.thread.post({ type: "run", task: job.task, isCostly: job.isCostly }, job.transfer);
    this.#looking.start();
  }

  #look(now: number): void {
    const { name, timeoutMs } = this.#options;
    let isIdle = true;
    for (const slot of [...this.#slots]) {
      if (slot.job === undefined) continue;
      isIdle = false;
      if (now - slot.givenMs <= timeoutMs) continue;
      slot.thread.terminate();
      const message = `The ${name} request took longer than ${timeoutMs} ms and was ended`;
      this.#lose(slot, new SearchError("timeout", message));
    }
    if (isIdle) this.#looking.stop();
  }

  #setUp(slot: Slot<Task, Result>): void {
    slot.thread.post({ type: "open", setup: this.#options.setup() });
  }

  #loadWorker(): Slot<Task, Result> {
    const slot: Slot<Task, Result> = {
      thread: new WorkerThread(this.#options.url, {
        name: this.#options.name,
        errors: ERRORS,
        onReport: (message) => this.#onMessage(slot, message),
        onDied: (cause) => {
          const message =
            `The ${this.#options.name} worker ended: ${cause.message}; another one takes its place`;
          this.#lose(slot, new SearchError("worker-died", message, { cause }));
        },
      }),
      isReady: false,
      job: undefined,
      givenMs: 0,
      onClosed: undefined,
    };
    this.#slots.add(slot);
    return slot;
  }

  #onMessage(slot: Slot<Task, Result>, message: PoolMessage<Result>): void {
    switch (message.type) {
      case "ready":
        slot.isReady = true;
        if ([...this.#slots].every((each) => each.isReady)) this.#starting?.resolve();
        break;
      case "closed":
        slot.onClosed?.();
        return;
      case "unusable":
        slot.thread.terminate();
        this.#lose(slot, searchErrorOf(message.error));
        return;
      case "costly": {
        const job = this.#free(slot);
        if (job === undefined || job.signal?.aborted) break;
        job.isCostly = true;
        this.#costly.push(job);
        break;
      }
      default: {
        const job = this.#free(slot);
        if (job?.isCostly) job.onTook?.(performance.now() - slot.givenMs);
        if (message.type === "done") job?.resolve(message.value);
        else job?.reject(searchErrorOf(message.error));
      }
    }
    this.#dispatch();
  }

  /** Frees a worker that has answered. @returns what it was busy with. */
  #free(slot: Slot<Task, Result>): Job<Task, Result> | undefined {
    const { job } = slot;
    slot.job = undefined;
    return job;
  }

  /**
   * A worker is gone, and its request fails. If it never became ready, a request that waits fails
   * too: otherwise a worker that cannot start would be started for ever.
   */
  #lose(slot: Slot<Task, Result>, error: SearchError): void {
    this.#slots.delete(slot);
    slot.onClosed?.();
    this.#starting?.reject(error);
    if (this.#isClosed) return;
    const job = slot.job ?? (slot.isReady ? undefined : this.#next());
    job?.reject(error);
    this.#options.onReplaced(error.message);
    this.#dispatch();
  }
}

function closedError(): SearchError {
  return new SearchError("closed", "The search engine is closed");
}
