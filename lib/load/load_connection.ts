import { Backoff } from "../base/backoff.ts";
import { closeQuietly } from "../base/close_quietly.ts";
import { Condition } from "../base/condition.ts";
import { sleep } from "../base/sleep.ts";
import type { Address } from "../net/mod.ts";
import { connectFailure, connectionFailure } from "./connection_failure.ts";
import type { Exchange, Wire, WireListener, WireOutcome } from "./exchange/wire.ts";
import { LoadError } from "./load_error.ts";
import type { LoadRecorder } from "./load_recorder.ts";
import { type Run, RunQueue } from "./run_queue.ts";

/** What connections of one thread share. */
export interface ConnectionSetup {
  readonly exchange: Exchange;
  readonly recorder: LoadRecorder;
  /** Where the connections lead to. */
  readonly address: Address;
  /** Whether a connection that ended is made anew. */
  readonly reconnect: boolean;
  /** How long the exchange may take to take a socket over. */
  readonly openTimeoutMs: number;
  /** Makes a socket. */
  dial(): Promise<Deno.Conn>;
  /** Aborted when the load is over. */
  readonly signal: AbortSignal;
  /** Nothing waits or is under way: called at the beginning, and after the last answer. */
  idle(connection: LoadConnection, now: number): void;
  /** The socket failed, or could not be made. */
  failed(error: LoadError): void;
}

/** How long to wait before a socket is made anew. */
const BACKOFF = { firstMs: 100, longestMs: 5_000 };

/**
 * One connection of a load with the messages that are its to send. It sends what is due at once, if
 * the socket takes it. With `reconnect`, what waits outlives the socket.
 */
export class LoadConnection implements WireListener {
  /** Its number, from 1. */
  readonly id: number;
  /** Messages that it was given so far. */
  given = 0;
  /** Whether its socket failed, and it is not made anew. */
  failed = false;
  readonly #setup: ConnectionSetup;
  /** Messages that are to be sent. */
  waiting = 0;
  /** Messages that were sent, at least in part, and not answered. */
  underWay = 0;
  /** What waits, and where answers come in order, what is under way. */
  readonly #runs = new RunQueue();
  /** Messages under way by their numbers, where answers tell the number. */
  readonly #byNumber = new Map<number, Run>();
  /** The number of the next message to be sent. */
  next = 0;
  #conn: Deno.Conn | undefined;
  #wire: Wire | undefined;
  #sentOnWire = 0;
  #sendError: unknown;
  #givenUp: LoadError | undefined;
  #over = false;
  readonly #wake = new Condition();
  /** When answers came that are not yet said to be all; 0 if there are none. */
  #now = 0;
  /** Answers so far. */
  #answered = 0;

  /** @param conn Its socket; if it could not be made, `undefined`. */
  constructor(id: number, conn: Deno.Conn | undefined, setup: ConnectionSetup) {
    this.id = id;
    this.#conn = conn;
    this.#setup = setup;
  }

  /** Whether it has a socket. */
  get open(): boolean {
    return this.#wire !== undefined || this.#conn !== undefined;
  }

  /** Whether it takes no more messages. */
  get over(): boolean {
    return this.#over;
  }

  /** A number that grows as long as the server does something. */
  get progress(): number {
    return this.#answered + (this.#wire?.progress ?? 0);
  }

  /** Gives it messages; {@linkcode LoadConnection.flush} sends them. */
  add(dueAt: number, count: number, now: number): void {
    const { recorder, exchange } = this.#setup;
    this.#runs.add(dueAt, count, exchange.answers);
    this.waiting += count;
    this.given += count;
    recorder.due(dueAt, count, now);
  }

  /** Sends what was added. If a write is under way, it is sent after that one. */
  flush(): void {
    const wire = this.#wire;
    if (wire === undefined) this.#wake.notify();
    else wire.flush();
  }

  /** Serves its messages until it is over. Never rejects. */
  async serve(): Promise<void> {
    const { reconnect, exchange } = this.#setup;
    const backoff = new Backoff(BACKOFF);
    while (!this.#over) {
      const conn = this.#conn ?? await this.#dial(backoff);
      this.#conn = undefined;
      if (this.#over || conn === undefined) {
        conn?.close();
        this.failed = !this.#over;
        break;
      }
      const answered = this.#answered;
      const error = await this.#serveOn(conn);
      if (this.#over) break;
      if (this.#answered > answered) backoff.reset();
      if (error) {
        this.#setup.failed(error);
        this.failed = !reconnect;
        if (!reconnect) break;
        // A server that takes connections and ends them at once is not asked all the time.
        if (this.#answered === answered) await sleep(backoff.next(), this.#setup.signal);
      } else if (!exchange.oneMessage) break;
      // The next message finds a socket that is made for it, not one that waits.
      if (exchange.oneMessage && this.waiting === 0 && !this.#over) await this.#wake.wait();
    }
    this.finish(performance.now());
  }

  /** Ends the connection because nothing came for too long. */
  giveUp(timeoutMs: number): void {
    this.#givenUp = new LoadError("no-answer", `no byte came for ${timeoutMs} ms`);
    this.#wire?.close();
  }

  /** Records all messages that have come to no end as given up. It sends nothing afterwards. */
  giveUpMessages(now: number): void {
    this.#over = true;
    this.#lose(now);
    for (let run = this.#runs.shift(); run; run = this.#runs.shift()) {
      this.#setup.recorder.gaveUp(run, now);
    }
    this.waiting = 0;
  }

  /** Ends it, and records what has come to no end as given up. */
  finish(now: number): void {
    this.giveUpMessages(now);
    this.#wake.notify();
    this.#wire?.close();
    this.#conn?.close();
    this.#conn = undefined;
  }

  /** Messages to be written to the socket. */
  take(most: number): number {
    const count = this.#over ? 0 : Math.min(this.waiting, most, this.#room());
    if (count <= 0) return 0;
    const { recorder, exchange } = this.#setup;
    const now = recorder.sendingAt();
    this.waiting -= count;
    this.underWay += count;
    this.#sentOnWire += count;
    for (let left = count; left > 0;) {
      const run = this.#runs.begin(exchange.inOrder ? left : 1);
      recorder.sending(run, now);
      if (!exchange.inOrder) this.#byNumber.set(this.next, this.#runs.shift()!);
      this.next += run.count;
      left -= run.count;
    }
    return count;
  }

  /** The oldest messages have been answered. */
  answered(count: number, bytes: number, outcome?: WireOutcome): void {
    if (this.#now === 0) this.#now = performance.now();
    this.#answered += count;
    const each = bytes / count;
    for (let left = count; left > 0;) {
      const run = this.#runs.oldest;
      if (run === undefined) throw new LoadError("wrong", "an answer came that was not due");
      const part = Math.min(left, run.count);
      if (part === run.count) this.#runs.shift();
      this.#setup.recorder.answered(run, part, each * part, this.#now, outcome);
      run.count -= part;
      if (run.count === 0) this.#runs.recycle(run);
      this.underWay -= part;
      left -= part;
    }
  }

  /** Tells if nothing is left to do. */
  told(): void {
    const now = this.#now;
    if (now === 0) return;
    this.#now = 0;
    if (this.underWay === 0 && this.waiting === 0 && !this.#over) {
      this.#setup.idle(this, now);
    }
  }

  /** The read ends, too, and this error is the one reported. */
  sendFailed(error: unknown): void {
    this.#sendError ??= error;
  }

  /** A message has been answered, or has got one of its answers. */
  settled(number: number, bytes: number, outcome?: WireOutcome): void {
    const run = this.#byNumber.get(number);
    if (run === undefined) return;
    this.#answered++;
    const now = performance.now();
    const { recorder } = this.#setup;
    if (--run.answers > 0) return recorder.partlyAnswered(run, bytes, now, outcome);
    this.#byNumber.delete(number);
    this.underWay--;
    recorder.answered(run, 1, bytes, now, outcome);
    if (this.waiting > 0) this.flush();
    else if (this.underWay === 0 && !this.#over) this.#setup.idle(this, now);
  }

  /** A socket; `undefined` if the load ends before there is one. */
  async #dial(backoff: Backoff): Promise<Deno.Conn | undefined> {
    const { signal, dial, failed, reconnect } = this.#setup;
    while (!this.#over) {
      try {
        return await dial();
      } catch (cause) {
        if (signal.aborted || this.#over) return undefined;
        failed(connectFailure(this.id, cause));
        if (!reconnect) return undefined;
        await sleep(backoff.next(), signal);
      }
    }
    return undefined;
  }

  /** Uses a socket until it ends. Resolves to why, if that was an error. */
  async #serveOn(conn: Deno.Conn): Promise<LoadError | undefined> {
    const { idle } = this.#setup;
    let wire: Wire | undefined;
    this.#sentOnWire = 0;
    this.#sendError = this.#givenUp = undefined;
    try {
      wire = this.#wire = await this.#open(conn);
      if (wire === undefined || this.#over) return undefined;
      if (this.waiting > 0) this.flush();
      else idle(this, performance.now());
      await wire.run();
      this.told();
      return undefined;
    } catch (error) {
      const cause = this.#givenUp ?? this.#sendError ?? error;
      return connectionFailure(this.id, this.#setup.address, cause);
    } finally {
      if (wire) wire.close();
      else closeQuietly(conn);
      this.#wire = undefined;
      this.#lose(performance.now());
    }
  }

  /**
   * Has the exchange take a socket over. `undefined` if the load ends before it has.
   *
   * @throws {LoadError} if that takes too long: a user's own may never do it.
   */
  async #open(conn: Deno.Conn): Promise<Wire | undefined> {
    const { exchange, openTimeoutMs, signal } = this.#setup;
    const opening = exchange.open(conn, this.id, this.next, this);
    const opened = new AbortController();
    try {
      const wire = await Promise.race([
        opening,
        sleep(openTimeoutMs, AbortSignal.any([signal, opened.signal])),
      ]);
      if (wire) return wire;
    } finally {
      opened.abort();
    }
    opening.then((late) => late.close(), () => {
      // Its end is told of already.
    });
    if (signal.aborted) return undefined;
    throw new LoadError("connect", `its exchange did not open it in ${openTimeoutMs} ms`);
  }

  #room(): number {
    const { maxUnderWay, oneMessage } = this.#setup.exchange;
    return oneMessage ? 1 - this.#sentOnWire : maxUnderWay - this.underWay;
  }

  /** What is under way will not be answered any more. */
  #lose(now: number): void {
    this.#now = 0;
    const { recorder } = this.#setup;
    while (this.#runs.oldest) recorder.gaveUp(this.#runs.shift()!, now);
    for (const run of this.#byNumber.values()) recorder.gaveUp(run, now);
    this.#byNumber.clear();
    this.underWay = 0;
  }
}
