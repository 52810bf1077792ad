import { before } from "../base/before.ts";
import { PeriodicLook } from "../base/periodic_look.ts";
import { sleep } from "../base/sleep.ts";
import { MAX_TIMER_MS } from "../base/timer_ms.ts";
import { dial } from "../net/mod.ts";
import { ClosedLoop } from "./closed_loop.ts";
import { makeExchange } from "./exchange/make_exchange.ts";
import type { Exchange } from "./exchange/wire.ts";
import type { HistogramLibrary } from "../base/latencies.ts";
import { type ConnectionSetup, LoadConnection } from "./load_connection.ts";
import type { LoadError } from "./load_error.ts";
import type { LoadPart, ResolvedPlan } from "./load_plan.ts";
import { LoadRecorder } from "./load_recorder.ts";
import { openConnections } from "./open_connections.ts";
import { sendOnSchedule } from "./open_loop.ts";
import { numbersOf, Schedule } from "./schedule.ts";
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

/** When all threads begin, and on how many connections. */
export interface StartSignal {
  /** In milliseconds since 1970, as `performance.timeOrigin + performance.now()` gives it. */
  readonly atEpochMs: number;
  /** How many connections each thread has. */
  readonly connections: readonly number[];
}

/** How a thread's part of a load ended. Times are in milliseconds from the end of the warm-up. */
export interface ShareEnd {
  /** When it stopped to wait for answers. */
  readonly endedAtMs: number;
  /** When the last answer came; `-Infinity` if none did. */
  readonly lastAnswerAtMs: number;
  /** Whether it ended because no connection was left. */
  readonly died: boolean;
  /** How many answers each message has. */
  readonly answersPerMessage: number;
  /** What the exchange counted besides. */
  readonly counts: Readonly<Record<string, number>>;
}

const INTERVAL_MS = 1_000;

/** How often to check whether all messages have come to their end. */
const END_TICK_MS = 1;

/** How long to wait for answers when the run is ended early. */
const STOP_DRAIN_MS = 250;

/** How long an exchange may take to end what it began besides. */
const CLOSE_MS = 5_000;

/** One thread's part of a load: connects, sends, and reports its counts each second. */
export class LoadShare {
  readonly #part: LoadPart;
  readonly #observer: ShareObserver;
  readonly #tally: Tally;
  readonly #recorder: LoadRecorder;
  readonly #loop: ClosedLoop;
  #connections: LoadConnection[] = [];
  /** Aborted when nothing more is to be sent. */
  readonly #stopping = new AbortController();
  /** Aborted when all is over. */
  readonly #over = new AbortController();
  #exchange: Exchange | undefined;
  #serving: Promise<unknown> = Promise.resolve();
  #connected = 0;
  #connectFailures = 0;
  #reportedAt = Infinity;

  /** Prepares the part; nothing is opened or sent yet. */
  constructor(part: LoadPart, library: HistogramLibrary, observer: ShareObserver) {
    this.#part = part;
    this.#observer = observer;
    this.#tally = new Tally(library);
    this.#recorder = new LoadRecorder(this.#tally, part.plan.ratePerSecond !== undefined);
    this.#loop = new ClosedLoop(part.plan);
  }

  /** Opens its connections. Resolves to how many it has: with `reconnect`, all of them. */
  async connect(): Promise<number> {
    const { plan } = this.#part;
    const exchange = this.#exchange = await makeExchange(plan);
    const setup = this.#setup(plan, exchange);
    const told = () => this.#observer.connecting(this.#connected, this.#connectFailures);
    await openConnections(this.#part, this.#stopping.signal, {
      opened: (id, conn) => {
        this.#connected++;
        this.#connections.push(new LoadConnection(id, conn, setup));
        told();
      },
      failed: (id, error) => {
        this.#connectFailures++;
        this.#fail(error);
        if (plan.reconnect) this.#connections.push(new LoadConnection(id, undefined, setup));
        told();
      },
    });
    this.#connections.sort((a, b) => a.id - b.id);
    return this.#connections.length;
  }

  /** Runs the load to its end, and closes the connections. */
  async run(start: StartSignal): Promise<ShareEnd> {
    const { warmupMs, durationMs, answerTimeoutMs, ratePerSecond } = this.#part.plan;
    using _watch = new SilenceWatch(this.#connections, answerTimeoutMs);
    const startAt = start.atEpochMs - performance.timeOrigin;
    const measureAt = startAt + warmupMs;
    this.#recorder.measureAt = this.#reportedAt = measureAt;
    // Nothing is reported shortly before and after the last message is due: what is outstanding
    // then comes to its end, and belongs to the second before.
    using reporting = new PeriodicLook(INTERVAL_MS, (now) => {
      if (Math.abs(now - measureAt - durationMs) > INTERVAL_MS / 2) this.#report(now);
    });
    const warming = setTimeout(() => reporting.start(), timerMs(measureAt - performance.now()));
    try {
      const died = ratePerSecond === undefined
        ? await this.#runClosed(startAt)
        : await this.#runOpen(startAt, ratePerSecond, start);
      const endedAt = performance.now();
      for (const connection of this.#connections) connection.giveUpMessages(endedAt);
      this.#report(endedAt);
      return {
        endedAtMs: endedAt - measureAt,
        lastAnswerAtMs: this.#recorder.lastAnswerAt - measureAt,
        died,
        counts: this.#exchange!.counts(),
        answersPerMessage: this.#exchange!.answers,
      };
    } finally {
      clearTimeout(warming);
      await this.close();
    }
  }

  /** Ends the run early, when those answers have come that are about to. */
  stop(): void {
    this.#stopping.abort();
    this.#loop.end();
  }

  /** Closes the connections, and what the exchange has besides. */
  async close(): Promise<void> {
    if (this.#over.signal.aborted) return;
    this.#stopping.abort();
    this.#over.abort();
    const now = performance.now();
    for (const connection of this.#connections) connection.finish(now);
    await this.#serving;
    // A user's own may never be done.
    if (this.#exchange) await before(this.#exchange.close(), CLOSE_MS);
  }

  /** Resolves to whether it ended because no connection was left. */
  async #runClosed(startAt: number): Promise<boolean> {
    const { count, durationMs, warmupMs, connections, workers, drainTimeoutMs } = this.#part.plan;
    const waitMs = startAt - performance.now();
    if (waitMs > 0) await sleep(waitMs, this.#stopping.signal);
    const serving = this.#serve();
    const limitMs = startAt + warmupMs + durationMs - performance.now();
    const timing = new AbortController();
    const { signal } = timing;
    const stopped = this.#stopping.signal;
    // What ends the rounds: the time is up, or the run is ended early.
    const ending = (async () => {
      const either = AbortSignal.any([signal, stopped]);
      await sleep(timerMs(limitMs), either);
      if (signal.aborted) return;
      this.#loop.end();
      const now = performance.now();
      for (const connection of this.#connections) if (!connection.open) connection.finish(now);
      await sleep(drainTimeoutMs, either);
      if (stopped.aborted) await sleep(STOP_DRAIN_MS, signal);
    })();
    await Promise.race([serving, ending]);
    const ended = performance.now() >= startAt + warmupMs + durationMs;
    timing.abort();
    if (stopped.aborted) return false;
    const mine = Math.ceil((connections - this.#part.index) / workers);
    const given = this.#connections.reduce((sum, each) => sum + each.given, 0);
    if (count < Infinity) this.#recorder.neverSent(count * mine - given);
    return !ended && this.#allFailed();
  }

  /** Resolves to whether it ended because no connection was left. */
  async #runOpen(startAt: number, ratePerSecond: number, start: StartSignal): Promise<boolean> {
    const { count, durationMs, warmupMs, connections, drainTimeoutMs } = this.#part.plan;
    const { index } = this.#part;
    const most = count * connections;
    const schedule = new Schedule({ ratePerSecond, durationMs, warmupMs, most });
    const ofAll = start.connections.reduce((sum, each) => sum + each, 0);
    const stopped = this.#stopping.signal;
    const recorder = this.#recorder;
    // Where there is no connection at all, the first thread answers for what was due.
    if (ofAll === 0) {
      if (index === 0 && !stopped.aborted) recorder.neverSent(schedule.total - schedule.warmup);
      return true;
    }
    void this.#serve();
    const numbers = numbersOf(start.connections, index);
    const left = await sendOnSchedule(this.#connections, {
      schedule,
      startAt,
      numbers,
      ofAll,
      signal: stopped,
      recorder,
    });
    await this.#drain(drainTimeoutMs);
    const failed = this.#allFailed() && left > 0;
    // What the server does to connections on which nothing is due is no failure.
    const now = performance.now();
    for (const connection of this.#connections) connection.giveUpMessages(now);
    if (!failed) await sleep(timerMs(startAt + schedule.endMs - now), stopped);
    if (stopped.aborted) return false;
    recorder.neverSent(left);
    return failed;
  }

  /** Waits until all messages are answered, or it has taken too long. */
  async #drain(timeoutMs: number): Promise<void> {
    const startedAt = performance.now();
    const stopped = this.#stopping.signal;
    while (this.#recorder.outstanding > 0 && !this.#allFailed()) {
      const limitMs = stopped.aborted ? STOP_DRAIN_MS : timeoutMs;
      if (performance.now() - startedAt >= limitMs) break;
      await sleep(END_TICK_MS, this.#over.signal);
    }
  }

  #allFailed(): boolean {
    return this.#connections.every(({ failed }) => failed);
  }

  #serve(): Promise<unknown> {
    return this.#serving = Promise.all(this.#connections.map((connection) => connection.serve()));
  }

  #setup(plan: ResolvedPlan, exchange: Exchange): ConnectionSetup {
    const { address, tls, connectTimeoutMs: timeoutMs, reconnect } = plan;
    const { signal } = this.#over;
    return {
      exchange,
      recorder: this.#recorder,
      address,
      reconnect,
      openTimeoutMs: timerMs(timeoutMs),
      signal,
      dial: () => dial(address, { tls, timeoutMs, signal }),
      idle: plan.ratePerSecond === undefined
        ? (connection, now) => this.#loop.next(connection, now)
        : () => {},
      failed: (error) => this.#fail(error),
    };
  }

  #fail(error: LoadError): void {
    if (this.#over.signal.aborted) return;
    this.#tally.failed(error.code);
    this.#observer.failed(error);
  }

  #report(now: number): void {
    const durationMs = Math.max(0, now - this.#reportedAt);
    this.#reportedAt = Math.max(now, this.#reportedAt);
    // One that has done its work is closed, and counts as if it were open until the end.
    const open =
      this.#connections.filter((each) => each.open || (each.over && !each.failed)).length;
    this.#observer.interval(durationMs, this.#tally, open);
    this.#tally.clear();
  }
}

function timerMs(ms: number): number {
  return Math.max(0, Math.min(ms, MAX_TIMER_MS));
}
