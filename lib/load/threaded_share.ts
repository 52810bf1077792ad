import { WorkerThread } from "../base/threads/worker_thread.ts";
import type { HistogramLibrary } from "../base/latencies.ts";
import type { LoadError } from "./load_error.ts";
import type { LoadPart } from "./load_plan.ts";
import type { ShareEnd, ShareObserver, StartSignal } from "./load_share.ts";
import { ERRORS, type LoadOrder, type LoadThreadReport } from "./thread_messages.ts";
import { Tally } from "./tally.ts";

/** A part of a load in a thread of its own; used like a `LoadShare`. */
export class ThreadedShare {
  readonly #part: LoadPart;
  readonly #observer: ShareObserver;
  readonly #library: HistogramLibrary;
  readonly #worker: WorkerThread<LoadOrder, LoadThreadReport>;
  readonly #connected = Promise.withResolvers<number>();
  readonly #finished = Promise.withResolvers<ShareEnd>();

  /** Starts the thread; it waits. */
  constructor(part: LoadPart, library: HistogramLibrary, observer: ShareObserver) {
    this.#part = part;
    this.#library = library;
    this.#observer = observer;
    this.#worker = new WorkerThread(new URL("./load_thread.ts", import.meta.url), {
      name: "load",
      errors: ERRORS,
      onReport: (report) => this.#heard(report),
      onDied: (error) => {
        this.#connected.reject(error);
        this.#finished.reject(error);
      },
    });
    // Whoever waits for one of them is told; the other is not waited for.
    this.#connected.promise.catch(() => {});
    this.#finished.promise.catch(() => {});
  }

  /** Opens its connections. Resolves to how many there are. */
  connect(): Promise<number> {
    this.#order({ type: "connect", part: this.#part });
    return this.#connected.promise;
  }

  /** Runs its part of the load to the end. */
  run(start: StartSignal): Promise<ShareEnd> {
    this.#order({ type: "run", start });
    return this.#finished.promise;
  }

  /** Ends it early, with what it has. */
  stop(): void {
    this.#order({ type: "stop" });
  }

  /** Ends the thread, and with it all its connections. */
  close(): Promise<void> {
    this.#worker.terminate();
    return Promise.resolve();
  }

  #order(order: LoadOrder): void {
    this.#worker.post(order);
  }

  #heard(report: LoadThreadReport): void {
    switch (report.type) {
      case "connecting":
        return this.#observer.connecting(report.connected, report.failed);
      case "connected":
        return this.#connected.resolve(report.connected);
      case "failed":
        return this.#observer.failed(ERRORS.decode(report.error) as LoadError);
      case "interval": {
        const tally = new Tally(this.#library);
        tally.addEncoded(report.tally);
        return this.#observer.interval(report.durationMs, tally, report.openConnections);
      }
      case "finished":
        return this.#finished.resolve(report.end);
    }
  }
}
