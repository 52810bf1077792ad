import { useLargeMemory } from "../base/large_memory.ts";
import {
  bytesOption,
  countOption,
  msOption,
  numericOption,
  numericOptions,
} from "../base/numeric_options.ts";
import { guard, reportError } from "../base/report.ts";
import { WorkerThread } from "../base/threads/worker_thread.ts";
import type { ServerTls } from "../net/mod.ts";
import { type Address, toAddress } from "../net/address.ts";
import { ConnectionError } from "../net/connection_error.ts";
import { resolveServerTls } from "../net/handshake_limits.ts";
import { listen } from "../net/listen.ts";
import { checkEchoOptions, type EchoServeOptions } from "./serve_echo.ts";
import type { EchoFigures, EchoObserver, EchoServer } from "./echo_server.ts";
import {
  ERRORS,
  receivePeer,
  type ThreadJob,
  type ThreadOrder,
  type ThreadReport,
} from "./thread_messages.ts";

/** Options of {@linkcode serveEchoThreads}. */
export interface EchoThreadsOptions extends Omit<EchoServeOptions, "maxAccepted"> {
  /** Serve TLS, with these settings. @default {no TLS} */
  readonly tls?: ServerTls | undefined;
  /**
   * Is called in the calling thread when something happens. Each call has a new object for the same
   * peer: compare peers by `id`.
   */
  readonly observer?: EchoObserver | undefined;
}

const THREADS = countOption(1, 1, 1_024);

const LIMITS = {
  maxConnections: countOption(undefined),
  maxMemoryBytes: bytesOption(undefined),
  idleTimeoutMs: msOption(undefined),
  firstByteTimeoutMs: msOption(undefined),
  drainTimeoutMs: msOption(undefined),
};

/**
 * Serves echo as `serveEcho` does, in several threads that share one port: the kernel distributes the
 * connections to them. It works on Linux only, and not for Unix sockets. Each thread gets an equal
 * share of `maxConnections`, `maxMemoryBytes` and the `maxHandshakes` of `tls`, rounded up.
 *
 * A port that another server has is refused, even if that one shares it among threads too.
 *
 * If a thread dies, its connections are lost and the other threads go on.
 *
 * @throws {AddressError} if a text is no address.
 * @throws {ConnectionError} with operation `listen`; its code is `not-supported` where the system
 * cannot share a port.
 * @throws {TypeError | RangeError} if `threads` is no whole number from 1 to 1,024, or a limit no
 * number of connections or milliseconds.
 */
export async function serveEchoThreads(
  target: Address | string,
  threads: number,
  options: EchoThreadsOptions = {},
): Promise<EchoServer> {
  const address = toAddress(target);
  const count = numericOption("threads", threads, THREADS);
  // Checked here, before any thread is started.
  numericOptions(LIMITS, options);
  checkEchoOptions(options);
  if (options.tls) resolveServerTls(options.tls);
  if (Deno.build.os !== "linux" || address.transport !== "tcp") {
    const cause = new Error("threads can share a port only on Linux, and only with TCP");
    throw new ConnectionError("listen", address, cause, "not-supported");
  }
  const server = new ThreadedEchoServer(count, options);
  await refuseSharing(address);
  await server.start(address);
  return server;
}

/** Another server that shares its port among threads would get half of the connections. */
async function refuseSharing(address: Address): Promise<void> {
  (await listen(address)).close();
}

const NO_FIGURES: EchoFigures = {
  connections: 0,
  accepted: 0,
  refused: 0,
  readBytes: 0,
  writtenBytes: 0,
};

/** One of the threads, as the calling thread sees it. */
interface Thread {
  readonly worker: WorkerThread<ThreadOrder, ThreadReport>;
  readonly listening: PromiseWithResolvers<Address>;
  listens: boolean;
  readonly finished: PromiseWithResolvers<void>;
  /** Called with each answer to an order to renew its certificate. */
  readonly renewals: ((error?: Error) => void)[];
  figures: EchoFigures;
}

class ThreadedEchoServer implements EchoServer {
  address: Address = { transport: "tcp", hostname: "", port: 0 };
  forced = 0;
  finished: Promise<void> = Promise.resolve();
  readonly #count: number;
  readonly #options: EchoThreadsOptions;
  readonly #observer: EchoObserver;
  readonly #threads: Thread[] = [];

  constructor(count: number, options: EchoThreadsOptions) {
    this.#count = count;
    this.#options = options;
    this.#observer = options.observer ?? {};
  }

  async start(address: Address): Promise<void> {
    try {
      // If the port is 0, the first thread gets a free one, and the others share that.
      this.address = await this.#startThread(address);
      await Promise.all(
        Array.from({ length: this.#count - 1 }, () => this.#startThread(this.address)),
      );
    } catch (error) {
      for (const { worker } of this.#threads) worker.terminate();
      throw error;
    }
    const { signal } = this.#options;
    const drain = () => void this.drain();
    this.finished = Promise.all(this.#threads.map((thread) => thread.finished.promise))
      .then(() => signal?.removeEventListener("abort", drain));
    if (signal?.aborted) drain();
    else signal?.addEventListener("abort", drain, { once: true });
  }

  figures(): EchoFigures {
    return this.#threads.reduce((sum, { figures }) => ({
      connections: sum.connections + figures.connections,
      accepted: sum.accepted + figures.accepted,
      refused: sum.refused + figures.refused,
      readBytes: sum.readBytes + figures.readBytes,
      writtenBytes: sum.writtenBytes + figures.writtenBytes,
    }), NO_FIGURES);
  }

  async renewTls(tls: ServerTls): Promise<void> {
    const order: ThreadOrder = { type: "renew-tls", tls: this.#shareOf(tls) };
    const running = this.#threads.filter(({ listens }) => listens);
    const errors = await Promise.all(running.map(({ worker, renewals }) => {
      const renewed = Promise.withResolvers<Error | undefined>();
      renewals.push(renewed.resolve);
      worker.post(order);
      return renewed.promise;
    }));
    const error = errors.find((each) => each !== undefined);
    if (error) throw error;
  }

  async drain(): Promise<void> {
    this.#order({ type: "drain" });
    await this.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#order({ type: "stop" });
    await this.finished;
  }

  #order(order: ThreadOrder): void {
    for (const { worker } of this.#threads) worker.post(order);
  }

  #startThread(address: Address): Promise<Address> {
    useLargeMemory();
    const index = this.#threads.length;
    const thread: Thread = {
      worker: new WorkerThread(new URL("./echo_thread.ts", import.meta.url), {
        name: "echo",
        errors: ERRORS,
        onReport: (report) => this.#heard(index, report),
        onDied: (error) => this.#died(thread, error),
      }),
      listening: Promise.withResolvers(),
      listens: false,
      finished: Promise.withResolvers(),
      renewals: [],
      figures: NO_FIGURES,
    };
    this.#threads.push(thread);
    thread.worker.post({ type: "serve", job: this.#jobFor(address) });
    return thread.listening.promise;
  }

  #jobFor(address: Address): ThreadJob {
    const { tls, maxConnections, maxMemoryBytes, ...others } = this.#options;
    const { idleTimeoutMs, firstByteTimeoutMs, drainTimeoutMs } = others;
    const share = (all: number | undefined) =>
      all === undefined ? undefined : Math.ceil(all / this.#count);
    const { opened, closed, received } = this.#observer;
    return {
      address,
      tls: tls && this.#shareOf(tls),
      limits: {
        maxConnections: share(maxConnections),
        maxMemoryBytes: share(maxMemoryBytes),
        idleTimeoutMs,
        firstByteTimeoutMs,
        drainTimeoutMs,
      },
      report: { peers: Boolean(opened ?? closed), bytes: received !== undefined },
    };
  }

  /** What one thread gets: handshakes take descriptors, which are those of the process. */
  #shareOf(tls: ServerTls): ServerTls {
    return { ...tls, maxHandshakes: Math.ceil(resolveServerTls(tls).maxHandshakes / this.#count) };
  }

  #heard(index: number, report: ThreadReport): void {
    const thread = this.#threads[index]!;
    switch (report.type) {
      case "listening":
        thread.listens = true;
        thread.listening.resolve(report.address);
        break;
      case "accept-failed": {
        const error = ERRORS.decode(report.error) as ConnectionError;
        return this.#tell((observer) => observer.acceptFailed?.(error));
      }
      case "opened": {
        const peer = receivePeer(report.peer, index, this.#count);
        return this.#tell((observer) => observer.opened?.(peer));
      }
      case "received": {
        const peer = receivePeer(report.peer, index, this.#count);
        return this.#tell((observer) => observer.received?.(peer, report.bytes));
      }
      case "closed": {
        const error = report.error && ERRORS.decode(report.error);
        const peer = receivePeer(report.peer, index, this.#count);
        return this.#tell((observer) => observer.closed?.(peer, report.reason, error));
      }
      case "figures":
        thread.figures = report.figures;
        break;
      case "renewed-tls":
        thread.renewals.shift()?.(report.error && ERRORS.decode(report.error));
        break;
      case "finished":
        thread.figures = report.figures;
        this.forced += report.forced;
        this.#ended(thread);
    }
  }

  #tell(call: (observer: EchoObserver) => unknown): void {
    guard("The observer of an echo server failed", () => call(this.#observer));
  }

  #died(thread: Thread, error: Error): void {
    if (thread.listens) reportError(error, "A thread of the echo server died");
    else thread.listening.reject(error);
    this.#ended(thread);
  }

  #ended(thread: Thread): void {
    thread.listens = false;
    thread.worker.terminate();
    for (const renewed of thread.renewals.splice(0)) renewed();
    thread.finished.resolve();
  }
}
