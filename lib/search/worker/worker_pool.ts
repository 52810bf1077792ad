/**
 * Workers that answer requests, one each at a time.
 *
 * Costly and cheap requests wait in two lines. Cheap ones go first, but after four of them a costly
 * one has its turn; and with more than one worker, one is always left for the cheap.
 *
 * @module
 */
import type { PostedError } from "../../base/threads/error_codec.ts";
import { WorkerThread } from "../../base/threads/worker_thread.ts";
import { SearchError } from "../error.ts";
import { ERRORS, searchErrorOf } from "./thread_errors.ts";

/** What a pool's worker is told. */
export type PoolRequest<Task, Setup> =
  | { readonly type: "open"; readonly setup: Setup }
  | { readonly type: "run"; readonly task: Task }
  | { readonly type: "close" };

/** What a pool's worker answers: `ready` or `unusable` to `open`, `done` or `failed` to `run`. */
export type PoolMessage<Result> =
  | { readonly type: "ready" | "closed" }
  | { readonly type: "done"; readonly value: Result }
  | { readonly type: "failed" | "unusable"; readonly error: PostedError };

/** How a pool is set up. */
export interface WorkerPoolOptions<Setup> {
  /** The workers' module. */
  readonly url: URL;
  /** Is posted to each worker first. */
  readonly setup: Setup;
  /** How many workers. */
  readonly size: number;
  /** How many requests wait at most. */
  readonly maxQueued: number;
  /** A worker that takes longer over one request is replaced. */
  readonly timeoutMs: number;
  /** Is called when a worker died or was ended for being slow. */
  readonly onReplaced: (reason: string) => void;
}

interface Job<Task, Result> {
  readonly task: Task;
  readonly isCostly: boolean;
  readonly onTook: ((ms: number) => void) | undefined;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

interface Slot<Task, Result> {
  thread: WorkerThread<PoolRequest<Task, unknown>, PoolMessage<Result>>;
  isReady: boolean;
  job: Job<Task, Result> | undefined;
  givenMs: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  onClosed: (() => void) | undefined;
}

/** After so many cheap requests a costly one has its turn. */
const CHEAP_IN_A_ROW = 4;
/** How long a worker may take to close its connection before it is ended. */
const CLOSE_WITHIN_MS = 1000;

/** A pool of workers; see the module. */
export class WorkerPool<Task, Result, Setup> {
  readonly #options: WorkerPoolOptions<Setup>;
  readonly #slots = new Set<Slot<Task, Result>>();
  // Sets keep their order, and one that was aborted leaves without a search for it.
  readonly #cheap = new Set<Job<Task, Result>>();
  readonly #costly = new Set<Job<Task, Result>>();
  #cheapInARow = 0;
  #isClosed = false;
  #starting: { resolve(): void; reject(error: unknown): void } | undefined;

  /** No worker is started yet. */
  constructor(options: WorkerPoolOptions<Setup>) {
    this.#options = options;
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
   * @param isCostly Which line it waits in.
   * @param signal Ends the wait. A worker that has the task goes on with it, for nobody.
   * @param onTook Is told how long the worker had it, in milliseconds.
   * @throws {SearchError} (as a rejection) `busy`, `timeout`, `worker-died`, `closed`, or the worker's.
   */
  run(
    task: Task,
    isCostly: boolean,
    signal?: AbortSignal,
    onTook?: (ms: number) => void,
  ): Promise<Result> {
    if (this.#isClosed) return Promise.reject(closedError());
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.queued >= this.#options.maxQueued) {
      const message = `${this.queued} searches wait already; try again in a moment`;
      return Promise.reject(new SearchError("busy", message));
    }
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const job: Job<Task, Result> = { task, isCostly, onTook, resolve, reject };
    (isCostly ? this.#costly : this.#cheap).add(job);
    this.#dispatch();
    if (signal === undefined) return promise;
    const onAbort = () => {
      this.#cheap.delete(job);
      this.#costly.delete(job);
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
    for (const job of [...this.#cheap, ...this.#costly]) job.reject(closedError());
    this.#cheap.clear();
    this.#costly.clear();
    await Promise.all([...this.#slots].map((slot) => this.#closeSlot(slot)));
  }

  async #closeSlot(slot: Slot<Task, Result>): Promise<void> {
    clearTimeout(slot.timer);
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

  /** Gives waiting tasks to idle workers, and starts workers while there are too few. */
  #dispatch(): void {
    if (this.#isClosed) return;
    for (const slot of this.#slots) {
      if (!slot.isReady || slot.job !== undefined) continue;
      const job = this.#next();
      if (job === undefined) return;
      this.#give(slot, job);
    }
    const starting = [...this.#slots].filter((slot) => !slot.isReady).length;
    if (this.queued > starting && this.#slots.size < this.#options.size) {
      this.#setUp(this.#loadWorker());
    }
  }

  #next(): Job<Task, Result> | undefined {
    const cheap = first(this.#cheap);
    const costly = this.#mayRunCostly() ? first(this.#costly) : undefined;
    const isCostlyDue = cheap === undefined || this.#cheapInARow >= CHEAP_IN_A_ROW;
    const job = costly !== undefined && isCostlyDue ? costly : cheap;
    if (job === undefined) return undefined;
    this.#cheapInARow = job === costly ? 0 : this.#cheapInARow + 1;
    (job === costly ? this.#costly : this.#cheap).delete(job);
    return job;
  }

  #mayRunCostly(): boolean {
    if (this.#options.size === 1) return true;
    let running = 0;
    for (const slot of this.#slots) if (slot.job?.isCostly) running++;
    return running < this.#options.size - 1;
  }

  #give(slot: Slot<Task, Result>, job: Job<Task, Result>): void {
    slot.job = job;
    slot.givenMs = performance.now();
    slot.thread.post({ type: "run", task: job.task });
    slot.timer = setTimeout(() => {
      slot.thread.terminate();
      const message = `The search took longer than ${this.#options.timeoutMs} ms and was ended`;
      this.#lose(slot, new SearchError("timeout", message));
    }, this.#options.timeoutMs);
  }

  #setUp(slot: Slot<Task, Result>): void {
    slot.thread.post({ type: "open", setup: this.#options.setup });
  }

  #loadWorker(): Slot<Task, Result> {
    const slot: Slot<Task, Result> = {
      thread: new WorkerThread(this.#options.url, {
        name: "search",
        errors: ERRORS,
        onReport: (message) => this.#onMessage(slot, message),
        onDied: (cause) => {
          const message =
            `The search's worker ended: ${cause.message}; another one takes its place`;
          this.#lose(slot, new SearchError("worker-died", message, { cause }));
        },
      }),
      isReady: false,
      job: undefined,
      givenMs: 0,
      timer: undefined,
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
      default: {
        clearTimeout(slot.timer);
        const job = slot.job;
        slot.job = undefined;
        job?.onTook?.(performance.now() - slot.givenMs);
        if (message.type === "done") job?.resolve(message.value);
        else job?.reject(searchErrorOf(message.error));
      }
    }
    this.#dispatch();
  }

  /**
   * A worker is gone. Its request fails; so does, where it never became ready, one that waits: a
   * worker that cannot start would otherwise be started for ever.
   */
  #lose(slot: Slot<Task, Result>, error: SearchError): void {
    clearTimeout(slot.timer);
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

function first<T>(set: ReadonlySet<T>): T | undefined {
  return set.values().next().value;
}

function closedError(): SearchError {
  return new SearchError("closed", "The search engine is closed");
}
