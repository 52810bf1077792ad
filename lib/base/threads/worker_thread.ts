import { guard, reportError } from "../report.ts";
import { hasDescriptors } from "./descriptors.ts";
import type { ErrorCodec } from "./error_codec.ts";
import type { ThreadPost } from "./thread_post.ts";

/** What a {@linkcode WorkerThread} is made with. */
export interface WorkerThreadOptions<Report> {
  /** For people, in messages and debuggers. */
  readonly name: string;
  /** Reads the errors that the thread posts; that of its {@linkcode openThreadPort} has the same classes. */
  readonly errors: ErrorCodec;
  /** The thread reported something. */
  readonly onReport: (report: Report) => void;
  /** The thread ended by an error that nothing in it caught. Nothing comes after it. */
  readonly onDied: (error: Error) => void;
}

/**
 * A thread of its own, seen by the one that started it. It takes orders and reports; its death is an
 * event, and not the end of the process. Errors that nobody in it listens to are reported here, and
 * so is what `onReport` and `onDied` throw.
 *
 * @typeParam Order What it is told to do.
 * @typeParam Report What it tells.
 */
export class WorkerThread<Order, Report> {
  readonly #worker: Worker | undefined;
  #isOver = false;

  /**
   * Starts the thread. Orders wait until it has loaded. If no descriptors are left for it, it dies.
   *
   * @param url Its module, which calls {@linkcode openThreadPort}. Write the name into `new URL(…)`
   * with `import.meta.url` right there: that text is how packing finds the modules of threads.
   */
  constructor(url: URL, { name, errors, onReport, onDied }: WorkerThreadOptions<Report>) {
    const failed = `What listens to the thread ${JSON.stringify(name)} failed`;
    const die = (error: Error) => {
      if (this.#isOver) return;
      this.terminate();
      guard(failed, () => onDied(error));
    };
    if (!hasDescriptors()) {
      const error = new Error("it could not start: no file descriptor is left");
      queueMicrotask(() => die(error));
      return;
    }
    const worker = this.#worker = new Worker(url, { type: "module", name });
    worker.onmessage = ({ data }: MessageEvent<ThreadPost<Report>>) => {
      if (this.#isOver) return;
      if (typeof data !== "object") guard(failed, () => onReport(data));
      else if (data.type === "report") guard(failed, () => onReport(data.report));
      else if (data.type === "failed") die(errors.decode(data.error));
      else reportError(errors.decode(data.error), data.what);
    };
    worker.onmessageerror = () => die(new Error("It posted what cannot be read"));
    worker.onerror = (event) => {
      // Without this, the error would go on as one of the whole process.
      event.preventDefault();
      die(new Error(event.message));
    };
  }

  /**
   * Hands the thread an order; one that is over takes none.
   *
   * @param transfer Memory of the order that goes to the thread instead of being copied.
   */
  post(order: Order, transfer: readonly Transferable[] = []): void {
    if (this.#isOver) return;
    // With a list of nothing it takes half as long again.
    if (transfer.length === 0) this.#worker?.postMessage(order);
    else this.#worker?.postMessage(order, [...transfer]);
  }

  /** Ends the thread at once. No event comes after it. */
  terminate(): void {
    this.#isOver = true;
    this.#worker?.terminate();
  }
}
