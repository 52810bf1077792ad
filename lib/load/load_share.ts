import { PeriodicLook } from "../base/periodic_look.ts";
import { MAX_TIMER_MS } from "../base/timer_ms.ts";
import { type ClosedLoopRun, runClosedLoop } from "./closed_loop.ts";
import type { HistogramLibrary } from "./latencies.ts";
import type { LoadConnection } from "./load_connection.ts";
import type { LoadError } from "./load_error.ts";
import type { LoadPart } from "./load_plan.ts";
import { openConnections } from "./open_connections.ts";
import { runOpenLoop } from "./open_loop.ts";
import { Payload } from "./payload.ts";
import { SilenceWatch } from "./silence_watch.ts";
import { Tally } from "./tally.ts";

/** What one thread's part of a load reports. */
export interface ShareObserver {
  /** A connection was made or could not be made; the totals so far. */
  connecting(connected: number, failed: number): void;
  /** A connection failed. */
  failed(error: LoadError): void;
  /**
   * A second has passed, or the run has ended. The first interval also has the errors from before
   * it. The tally is used again when this returns.
   */
  interval(durationMs: number, tally: Tally, openConnections: number): void;
}

/** The most messages in one write of an open loop. */
const OPEN_LOOP_BATCH = 64;

const INTERVAL_MS = 1_000;

/** One thread's part of a load: connects, sends, and reports its counts each second. */
export class LoadShare {
  readonly #part: LoadPart;
  readonly #observer: ShareObserver;
  readonly #tally: Tally;
  readonly #payload: Payload;
  readonly #connections = new Set<LoadConnection>();
  readonly #stopping = new AbortController();
  #connectFailures = 0;
  /** The end of the warm-up. Messages that are sent, or due, before it are not recorded. */
  #measureAt = Infinity;
  #reportedAt = Infinity;

  /** Prepares the part; nothing is opened or sent yet. */
  constructor(part: LoadPart, library: HistogramLibrary, observer: ShareObserver) {
    this.#part = part;
    this.#observer = observer;
    this.#tally = new Tally(library);
    const { messages, pipeline, ratePerSecond } = part.plan;
    this.#payload = new Payload(messages, ratePerSecond === undefined ? pipeline : OPEN_LOOP_BATCH);
  }

  /** Opens its connections. Resolves to how many could be made. */
  async connect(): Promise<number> {
    const { signal } = this.#stopping;
    const told = () => this.#observer.connecting(this.#connections.size, this.#connectFailures);
    await openConnections(this.#part, this.#payload, signal, {
      opened: (connection) => {
        this.#connections.add(connection);
        told();
      },
      failed: (error) => {
        this.#connectFailures++;
        this.#fail(error);
        told();
      },
    });
    return this.#connections.size;
  }

  /** Runs the load to its end, and closes the connections. */
  async run(): Promise<void> {
    const { warmupMs, durationMs, answerTimeoutMs, ratePerSecond } = this.#part.plan;
    using _watch = new SilenceWatch(this.#connections, answerTimeoutMs);
    this.#measureAt = this.#reportedAt = performance.now() + warmupMs;
    // The last interval is 0.5 to 1.5 s long: a shorter rest is added to the second before it.
    const lastReportAt = this.#measureAt + durationMs - INTERVAL_MS / 2;
    using reporting = new PeriodicLook(INTERVAL_MS, (now) => {
      if (now < lastReportAt) this.#report();
    });
    const warming = setTimeout(() => reporting.start(), Math.min(warmupMs, MAX_TIMER_MS));
    try {
      await (ratePerSecond === undefined ? this.#runClosed() : this.#runOpen(ratePerSecond));
    } finally {
      clearTimeout(warming);
      reporting.stop();
      this.#report();
      this.close();
    }
  }

  /** Ends the run early: closing the connections ends their loops. What was recorded is kept. */
  stop(): void {
    this.#stopping.abort();
    this.close();
  }

  /** Closes the connections. */
  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  async #runClosed(): Promise<void> {
    const { pipeline, count, durationMs, warmupMs } = this.#part.plan;
    const tally = this.#tally;
    const measureAt = this.#measureAt;
    const run: ClosedLoopRun = {
      payload: this.#payload,
      pipeline,
      count,
      ended: false,
      answered(messages, bytes, sentAt, now) {
        if (sentAt < measureAt) return;
        tally.messages += messages;
        tally.bytes += bytes;
        tally.latency.record(now - sentAt, messages);
      },
    };
    const ending = durationMs < Infinity
      ? setTimeout(() => run.ended = true, Math.min(warmupMs + durationMs, MAX_TIMER_MS))
      : undefined;
    await Promise.all(Array.from(this.#connections, async (connection) => {
      try {
        await runClosedLoop(connection, run);
        connection.close();
      } catch (cause) {
        this.#drop(connection, connection.explain(cause));
      }
    }));
    clearTimeout(ending);
  }

  async #runOpen(ratePerSecond: number): Promise<void> {
    const { workers, count, durationMs, warmupMs, connections } = this.#part.plan;
    const { index } = this.#part;
    const tally = this.#tally;
    const measureAt = this.#measureAt;
    const intervalMs = 1_000 * workers / ratePerSecond;
    const mine = Math.ceil((connections - index) / workers);
    await runOpenLoop(this.#connections, {
      payload: this.#payload,
      // Thread i sends messages i, i + workers, i + 2 * workers, … of the whole schedule.
      firstDueAt: performance.now() + intervalMs * index / workers,
      intervalMs,
      total: Math.min(count * mine, Math.ceil((warmupMs + durationMs) / intervalMs)),
      signal: this.#stopping.signal,
      handedOver(dueAt, now) {
        if (dueAt >= measureAt) tally.lateness.record(now - dueAt);
      },
      answered(bytes, dueAt, sentAt, now) {
        if (dueAt < measureAt) return;
        tally.messages++;
        tally.bytes += bytes;
        tally.latency.record(now - dueAt);
        tally.service.record(now - sentAt);
      },
      failed: (connection, error, unanswered) => {
        if (unanswered > 0) tally.failed("unanswered", unanswered);
        this.#drop(connection, error);
      },
    });
  }

  #drop(connection: LoadConnection, error: LoadError): void {
    connection.close();
    this.#connections.delete(connection);
    this.#fail(error);
  }

  #fail(error: LoadError): void {
    if (this.#stopping.signal.aborted) return;
    this.#tally.failed(error.code);
    this.#observer.failed(error);
  }

  #report(): void {
    const now = performance.now();
    const durationMs = Math.max(0, now - this.#reportedAt);
    this.#reportedAt = Math.max(now, this.#measureAt);
    this.#observer.interval(durationMs, this.#tally, this.#connections.size);
    this.#tally.clear();
  }
}
