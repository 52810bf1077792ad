import { guard } from "../base/report.ts";
import { loadHistogramLibrary } from "./latencies.ts";
import type { LoadError, LoadErrorKind } from "./load_error.ts";
import { type LoadPlan, type ResolvedPlan, resolvePlan } from "./load_plan.ts";
import {
  intervalOf,
  type LoadInterval,
  type LoadResult,
  settingsOf,
  summaryOf,
} from "./load_result.ts";
import { LoadShare, type ShareObserver } from "./load_share.ts";
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
 * Puts an echo server under load and measures it: opens the connections, sends messages on all of
 * them, and records how long each takes to come back.
 *
 * Without a rate it is a closed loop: each connection sends when its last messages have come back.
 * With a rate it is an open loop: messages are due on a schedule, and latency counts from when a
 * message was due. So a server that stalls makes every message late that had to wait.
 *
 * An error of one connection ends that connection alone; the result counts all errors. It resolves
 * even if no connection could be made, and when the signal is aborted.
 *
 * @example
 * ```ts
 * import { serveEcho } from "@socktool/socktool/echo";
 * import { runLoad } from "@socktool/socktool/load";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serveEcho("127.0.0.1:0");
 * const { summary } = await runLoad({ address: server.address, connections: 4, count: 10 });
 * assertEquals([summary.messages, summary.errors], [40, 0]);
 * ```
 *
 * @throws {AddressError} if a text is no address.
 * @throws {RangeError} if a value of the plan makes no sense.
 */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const plan = resolvePlan(options);
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
    const connected = await Promise.all(shares.map((share) => share.connect()));
    record.started(connected.reduce((sum, count) => sum + count, 0));
    await Promise.all(shares.map((share) => share.run()));
    return record.result(signal?.aborted ?? false);
  } finally {
    signal?.removeEventListener("abort", stop);
    shares.forEach((share) => share.close());
  }
}

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
  readonly #connecting: { connected: number; failed: number }[] = [];
  #connected = 0;
  #durationMs = 0;

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
        const sum = (name: "connected" | "failed") =>
          this.#connecting.reduce((total, each) => total + each[name], 0);
        this.#tell((observer) => observer.connecting?.(sum("connected"), sum("failed")));
      },
      failed: (error) => {
        if (!this.#failures.has(error.code)) this.#failures.set(error.code, error.message);
        this.#tell((observer) => observer.failed?.(error));
      },
      interval: (durationMs, tally, connections) => {
        this.#interval(second++, durationMs, tally, connections);
      },
    };
  }

  started(connected: number): void {
    this.#connected = connected;
    this.#tell((observer) => observer.started?.(connected));
  }

  result(interrupted: boolean): LoadResult {
    // Threads that ended earlier report nothing about the last seconds.
    for (let i = this.#intervals.length; i < this.#seconds.length; i++) this.#finish(i);
    const plan = this.#plan;
    return {
      settings: settingsOf(plan),
      startedAt: this.#startedAt,
      interrupted,
      summary: summaryOf(plan, this.#total, this.#durationMs, this.#connected),
      intervals: this.#intervals,
      latency: this.#total.latency,
      failures: this.#failures,
    };
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
    this.#durationMs += durationMs;
    this.#total.add(tally);
    const interval = intervalOf(tally, durationMs, this.#durationMs, connections);
    this.#intervals.push(interval);
    this.#tell((observer) => observer.interval?.(interval));
  }

  #tell(call: (observer: LoadObserver) => unknown): void {
    guard("The observer of a load failed", () => call(this.#observer));
  }
}
