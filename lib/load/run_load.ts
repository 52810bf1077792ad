import { checkOptions, type OptionKinds } from "../base/option_kinds.ts";
import { guard } from "../base/report.ts";
import { loadHistogramLibrary } from "../base/latencies.ts";
import type { LoadError, LoadErrorKind } from "./load_error.ts";
import { type LoadPlan, type ResolvedPlan, resolvePlan } from "./load_plan.ts";
import {
  intervalOf,
  type LoadInterval,
  type LoadResult,
  settingsOf,
  summaryOf,
} from "./load_result.ts";
import { LoadShare, type ShareEnd, type ShareObserver } from "./load_share.ts";
import { Tally } from "./tally.ts";
import { ThreadedShare } from "./threaded_share.ts";

/**
 * What happens in a load. Every method is optional. They must not take long: the load waits for them.
 * What one throws is reported, and the load goes on.
 */
export interface LoadObserver {
  /** A connection was made or could not be made; the totals so far. */
  connecting?(connected: number, failed: number): void;
  /** All connections were made or have failed; sending begins. */
  started?(connected: number): void;
  /** A second has passed, or the load has ended. */
  interval?(interval: LoadInterval): void;
  /** A connection failed, or messages were not answered; the load goes on. */
  failed?(error: LoadError): void;
}

/** A plan, a way to end it early, and who is told. */
export interface LoadOptions extends LoadPlan {
  /** Ends the load early. The result has what was recorded until then. */
  readonly signal?: AbortSignal | undefined;
  /** Is told what happens. */
  readonly observer?: LoadObserver | undefined;
}

/**
 * Puts a server under load and measures it: opens the connections, sends messages on all of them,
 * and records how long each takes to be answered. `answer` says how answers end; by default they are
 * echoes. With an `exchange` of your own it speaks any protocol.
 *
 * Without a rate it is a closed loop: each connection sends when its last messages are answered.
 * With a rate it is an open loop: message k is due k / rate seconds after the beginning, for every k
 * below rate × duration, and latency counts from when a message was due. So a server that stalls
 * makes every message late that had to wait.
 *
 * Whatever happens, each message that was due is accounted for: it was answered, or it stayed
 * unanswered, or it could not be sent. The latency of one without an answer is how long it had
 * waited, which is a lower bound.
 *
 * An error of one connection ends that connection alone, or with `reconnect` makes it anew; the
 * result counts all errors. The promise resolves even if no connection could be made, and when the
 * signal is aborted.
 *
 * @example
 * ```ts
 * import { serveEcho } from "@socktool/socktool/echo";
 * import { runLoad } from "@socktool/socktool/load";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serveEcho("127.0.0.1:0");
 * const { summary } = await runLoad({ address: server.address, connections: 4, count: 10 });
 * assertEquals([summary.due, summary.answered, summary.errors], [40, 40, 0]);
 * ```
 *
 * @example An exchange of your own.
 * ```ts
 * import { RequestClient, serveRequests } from "@socktool/socktool";
 * import { runLoad } from "@socktool/socktool/load";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serveRequests("127.0.0.1:0", (request) => request.text() + "!");
 * const { summary } = await runLoad({
 *   address: server.address,
 *   connections: 2,
 *   count: 10,
 *   exchange(conn) {
 *     const client = new RequestClient(conn);
 *     return async ({ seq }) => {
 *       const reply = await client.request({ content: String(seq) });
 *       return { kind: "shout", bytes: reply.bytes.length };
 *     };
 *   },
 * });
 * assertEquals([summary.answered, summary.kinds?.["shout"]?.messages], [20, 20]);
 * ```
 *
 * @throws {AddressError} if a text is no address.
 * @throws {TypeError | RangeError} if a value of the plan makes no sense.
 * @throws whatever the module of an exchange throws, or importing it.
 */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const plan = resolvePlan(options);
  checkOptions(options, { signal: "signal", observer: OBSERVER_KINDS });
  const { signal } = options;
  const library = await loadHistogramLibrary();
  const record = new LoadRecord(plan, options.observer ?? {}, () => new Tally(library));
  const Share = plan.workers === 1 ? LoadShare : ThreadedShare;
  const shares = Array.from(
    { length: plan.workers },
    (_, index) => new Share({ plan, index }, library, record.observerOf(index)),
  );
  const stop = () => shares.forEach((share) => share.stop());
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  try {
    const connections = await Promise.all(shares.map((share) => share.connect()));
    record.started();
    const now = performance.timeOrigin + performance.now();
    const atEpochMs = now + (shares.length > 1 ? THREADS_START_MS : 0);
    const start = { atEpochMs, connections };
    const ends = await Promise.all(shares.map((share) => share.run(start)));
    return record.result(ends, signal?.aborted ?? false);
  } finally {
    signal?.removeEventListener("abort", stop);
    await Promise.all(shares.map((share) => share.close()));
  }
}

const OBSERVER_KINDS: OptionKinds<LoadObserver> = {
  connecting: "function",
  started: "function",
  interval: "function",
  failed: "function",
};

/** Threads begin together, so soon after they are told. */
const THREADS_START_MS = 20;

/** The reports of all threads about one second, added up. */
interface Second {
  readonly tally: Tally;
  durationMs: number;
  connections: number;
  /** How many threads have reported. */
  reports: number;
}

/** Adds up what the threads report. */
class LoadRecord {
  readonly #plan: ResolvedPlan;
  readonly #observer: LoadObserver;
  readonly #makeTally: () => Tally;
  readonly #total: Tally;
  readonly #startedAt = new Date();
  readonly #seconds: Second[] = [];
  readonly #intervals: LoadInterval[] = [];
  readonly #failures = new Map<LoadErrorKind, string>();
  #lastFailure: string | undefined;
  readonly #connecting: { connected: number; failed: number }[] = [];
  #elapsedMs = 0;

  constructor(plan: ResolvedPlan, observer: LoadObserver, makeTally: () => Tally) {
    this.#plan = plan;
    this.#observer = observer;
    this.#makeTally = makeTally;
    this.#total = makeTally();
  }

  /** The observer for one thread. */
  observerOf(thread: number): ShareObserver {
    let second = 0;
    return {
      connecting: (connected, failed) => {
        this.#connecting[thread] = { connected, failed };
        const { connected: all, failed: allFailed } = this.#connections();
        this.#tell((observer) => observer.connecting?.(all, allFailed));
      },
      failed: (error) => {
        if (!this.#failures.has(error.code)) this.#failures.set(error.code, error.message);
        this.#lastFailure = error.message;
        this.#tell((observer) => observer.failed?.(error));
      },
      interval: (durationMs, tally, connections) => {
        this.#interval(second++, durationMs, tally, connections);
      },
    };
  }

  started(): void {
    this.#tell((observer) => observer.started?.(this.#connections().connected));
  }

  result(ends: readonly ShareEnd[], interrupted: boolean): LoadResult {
    // Threads that ended earlier report nothing about the last seconds.
    for (let i = this.#intervals.length; i < this.#seconds.length; i++) this.#finish(i);
    const plan = this.#plan;
    const { service, wait, latency } = this.#total;
    return {
      settings: settingsOf(plan),
      startedAt: this.#startedAt,
      interrupted,
      summary: summaryOf(plan, this.#total, {
        ends,
        interrupted,
        connected: this.#connections().connected,
        lastFailure: this.#lastFailure,
        failures: this.#failures,
      }),
      intervals: this.#intervals,
      latency,
      ...(plan.ratePerSecond === undefined ? {} : { service, wait }),
      failures: this.#failures,
    };
  }

  #connections(): { connected: number; failed: number } {
    const sum = (name: "connected" | "failed") =>
      this.#connecting.reduce((total, each) => total + (each?.[name] ?? 0), 0);
    return { connected: sum("connected"), failed: sum("failed") };
  }

  #interval(index: number, durationMs: number, tally: Tally, connections: number): void {
    const second = this.#seconds[index] ??= {
      tally: this.#makeTally(),
      durationMs: 0,
      connections: 0,
      reports: 0,
    };
    second.tally.add(tally);
    second.durationMs = Math.max(second.durationMs, durationMs);
    second.connections += connections;
    second.reports++;
    if (second.reports === this.#plan.workers && index === this.#intervals.length) {
      this.#finish(index);
    }
  }

  #finish(index: number): void {
    const { tally, durationMs, connections } = this.#seconds[index]!;
    this.#elapsedMs += durationMs;
    this.#total.add(tally);
    const { percentiles } = this.#plan;
    const times = { durationMs, elapsedMs: this.#elapsedMs };
    const interval = intervalOf(tally, times, connections, percentiles);
    this.#intervals.push(interval);
    this.#tell((observer) => observer.interval?.(interval));
  }

  #tell(call: (observer: LoadObserver) => unknown): void {
    guard("The observer of a load failed", () => call(this.#observer));
  }
}
