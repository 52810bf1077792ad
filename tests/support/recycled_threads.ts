/**
 * Threads that are used again: to start one, and to load all that it runs, takes longer than most of
 * the tests that need one. In a file that imports this, `new Worker(…)` takes a thread with which an
 * earlier test is done. That is one which reported that it has closed, when it was told to, or which
 * answered the only order that it was to carry out, and was then ended. Threads of loads are never used
 * again: a load on a used one sometimes counted too few answers.
 *
 * @module
 */

/** Idle threads of one module at most. Each takes some 10 MB. */
const MOST_IDLE = 3;

/** Carries out one order. */
const ONE_ORDER = /\/care_thread\.ts$/;

const StartedWorker = globalThis.Worker;
const idle = new Map<string, Worker[]>();
let isOff = 0;

class RecycledWorker {
  onmessage: ((event: MessageEvent) => void) | null = null;
  onmessageerror: ((event: MessageEvent) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  readonly #module: string;
  readonly #worker: Worker;
  #unanswered = 0;
  #isToldToClose = false;
  #isClosed = false;
  #isOver = false;

  constructor(url: URL, options: WorkerOptions) {
    this.#module = `${url}`;
    this.#worker = isOff > 0
      ? new StartedWorker(url, options)
      : idle.get(this.#module)?.pop() ?? new StartedWorker(url, options);
    this.#worker.onmessage = (event) => {
      if (event.data.type === "report") this.#look(event.data.report);
      this.onmessage?.(event);
    };
    this.#worker.onmessageerror = (event) => this.onmessageerror?.(event);
    this.#worker.onerror = (event) => this.onerror?.(event);
  }

  postMessage(order: { readonly type?: string }, transfer: Transferable[]): void {
    this.#worker.postMessage(order, transfer);
    this.#unanswered++;
    this.#isToldToClose = order.type === "close";
  }

  terminate(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const others = idle.get(this.#module) ?? [];
    if (!this.#isClosed || isOff > 0 || others.length === MOST_IDLE) {
      return this.#worker.terminate();
    }
    this.#worker.onmessage = this.#worker.onmessageerror = this.#worker.onerror = null;
    idle.set(this.#module, [...others, this.#worker]);
  }

  /** Finds out whether it has closed. Reports without a type are answers, one for each order. */
  #look(report: { readonly type?: string; readonly progress?: unknown }): void {
    if (ONE_ORDER.test(this.#module)) return void (this.#isClosed = report.progress === undefined);
    this.#unanswered--;
    const { type } = report;
    this.#isClosed = this.#isToldToClose &&
      (type === "closed" || type === undefined && this.#unanswered === 0);
  }
}

/** As long as it is not disposed, threads are started and ended as without all this. */
export function startedThreads(): Disposable {
  isOff++;
  return { [Symbol.dispose]: () => void isOff-- };
}

globalThis.Worker = RecycledWorker as unknown as typeof Worker;
addEventListener("unload", () => {
  for (const worker of [...idle.values()].flat()) worker.terminate();
});
