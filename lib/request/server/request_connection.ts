import { OverBudgetError } from "../../base/budget.ts";
import { guard, reportError } from "../../base/report.ts";
import { isThenable } from "../../base/thenable.ts";
import type { Frame, FrameError, FrameInit, HeaderCache } from "../../frame/mod.ts";
import { FrameDecoder } from "../../frame/frame_decoder.ts";
import { isStreamedFrame } from "../../frame/streamed_frame.ts";
import type { CloseReason, Connection, Peer, ServerObserver } from "../../net/mod.ts";
import { failureReply, isClientError } from "./error_reply.ts";
import { LentMemory } from "./lent_memory.ts";
import { type ReplyInit, ReplyQueue } from "./reply_queue.ts";

/**
 * Answers a request, at once or by a promise. `client` is who asks; its `signal` is aborted when it
 * is gone.
 *
 * The request, and every view of its content, stays as it is until its answer is there: until the
 * handler returns, or the promise that it returned resolves; where the answer is a stream, until
 * that has ended. What is kept longer has to be copied, by {@linkcode Frame.detach}. An answer that
 * is returned at once is copied before the handler is called again, so its memory may be used for
 * the next one.
 *
 * A handler that throws, or rejects, is answered for with an error; the connection goes on. A
 * {@linkcode RequestError} tells the client what is wrong; any other error, and an answer that is
 * none, tells it `internal` and goes to {@linkcode RequestObserver.requestFailed}.
 */
export type RequestHandler = (
  request: Frame,
  client: Peer,
) => ReplyInit | PromiseLike<ReplyInit>;

/** What happens at a request server; every method is optional. */
export interface RequestObserver extends ServerObserver {
  /**
   * A handler failed, or its answer could not be sent; the client was told, or its connection ends
   * where a part of the answer was sent. Without this method it is reported to the console.
   */
  requestFailed?(client: Peer, error: unknown): void;
  /** A client sent what is no frame; it was told, and its connection ends. */
  frameFailed?(client: Peer, error: FrameError): void;
}

/** What the connections of one server have in common. */
export interface ServiceSettings {
  readonly handler: RequestHandler;
  readonly observer: RequestObserver;
  readonly headerCache: HeaderCache;
  readonly maxContentBytes: number | undefined;
  readonly maxHeaderBytes: number | undefined;
  readonly maxPipelined: number;
  readonly maxPendingBytes: number;
  readonly streamTimeoutMs: number;
}

/** How long a client that may not be served any more has to take its last answers. */
const REVOKED_MS = 2_000;

/** About what answering a request costs, and each of its bytes where they are parsed. */
const REQUEST_NS = 1_000;
const BYTE_NS = 10;

const EVICTED = "The server needs the memory of this unfinished frame";

/** One client of a request server. */
export class RequestConnection {
  readonly #connection: Connection;
  readonly #settings: ServiceSettings;
  readonly #decoder: FrameDecoder;
  readonly #replies: ReplyQueue;
  readonly #lent = new LentMemory();
  #reading = false;
  #draining = false;
  #watchesEnd = false;
  /** The end of the connection, once it has begun, and that of its draining. */
  #finished: Promise<void> | undefined;
  #drained: Promise<void> | undefined;
  /** The client may not be served any more. */
  #revoked = false;

  /** Takes over a connection. */
  constructor(connection: Connection, settings: ServiceSettings) {
    this.#connection = connection;
    this.#settings = settings;
    this.#decoder = new FrameDecoder(settings);
    this.#replies = new ReplyQueue({
      output: connection.output,
      lent: this.#lent,
      streamTimeoutMs: settings.streamTimeoutMs,
      held: (bytes) => connection.countHeld(bytes),
      failed: (error) => this.#failed(error),
      broken: () => void this.#finish("failed"),
      streams: () => this.#watchEnd(),
    });
    connection.onDrain = () => this.#drain();
    connection.onEvict = () => this.#evicted();
    connection.onRevoke = (error) => this.#revoke(error);
  }

  /** Serves the client whose first bytes are there. */
  async serve(): Promise<void> {
    try {
      await this.#serve();
    } catch (error) {
      const failure = this.#reading ? this.#connection.readError(error) : error;
      if (!(failure instanceof OverBudgetError)) throw failure;
      this.#connection.dropInput();
      await this.#overBudget(failure);
    }
  }

  // The hot path: the frames that a read brought, one write, the next read. No promise per request
  // that is answered at once, no timer, no copy of a request.
  async #serve(): Promise<void> {
    const { input, output } = this.#connection;
    while (true) {
      const batch = this.#decoder.decode(input.bytes, input.start, input.end);
      for (const frame of batch.frames) {
        if (this.#revoked) break;
        this.#handle(frame);
        const wait = this.#noRoom();
        if (wait && !await this.#makeRoom(wait)) return await this.#finish("done");
        const turn = this.#connection.worked(REQUEST_NS + BYTE_NS * (frame.end - frame.start));
        if (turn) {
          output.flush();
          await turn;
        }
      }
      this.#connection.readFrames += batch.frames.length;
      input.consume(batch.consumed);
      output.flush();
      if (batch.error && !this.#revoked) return await this.#broken(batch.error, false);
      // One read may be all that was asked for while much is still to be written.
      const room = output.room();
      if (room) await room;
      const turn = this.#connection.turn();
      if (turn) await turn;
      if (this.#revoked) return await this.#finishRevoked();
      if (this.#draining && !this.#decoder.midFrame) return await this.#finishDrained();
      this.#connection.midFrame = this.#decoder.midFrame;
      this.#reading = true;
      const count = await this.#connection.readSome();
      this.#reading = false;
      const end = this.#drained ?? this.#finished;
      if (end) {
        this.#connection.dropInput();
        return await end;
      }
      if (count === null) return await this.#ended();
      this.#connection.received(count);
      this.#connection.midFrame = false;
    }
  }

  /** What to wait for before the next request is taken. */
  #noRoom(): Promise<void> | undefined {
    const { maxPipelined, maxPendingBytes } = this.#settings;
    return this.#replies.below(maxPipelined, maxPendingBytes) ?? this.#connection.output.room();
  }

  /** Waits until there is room; `false` if the connection ends before. */
  async #makeRoom(first: Promise<void>): Promise<boolean> {
    this.#watchEnd();
    // While answers made room in the one place they may have filled the other.
    for (let wait: Promise<void> | undefined = first; wait; wait = this.#noRoom()) {
      this.#connection.output.flush();
      await wait;
      if (this.#replies.abandoned) return false;
    }
    return true;
  }

  /** A handler, or a stream, that never ends must not outlive its connection. */
  #watchEnd(): void {
    if (this.#watchesEnd) return;
    this.#watchesEnd = true;
    const { signal } = this.#connection;
    const abandon = () => this.#replies.abandon(signal.reason);
    if (signal.aborted) abandon();
    else signal.addEventListener("abort", abandon, { once: true });
  }

  /** Waits until every request is answered. */
  #answered(): Promise<void> | undefined {
    const wait = this.#replies.below(1);
    if (wait) this.#watchEnd();
    return wait;
  }

  #handle(frame: Frame): void {
    const isCopied = this.#lent.isMuch;
    if (isCopied) frame.detach();
    let reply: FrameInit;
    try {
      const answer = this.#settings.handler(frame, this.#connection);
      if (isThenable(answer) || isStreamedFrame(answer)) {
        const memory = isCopied ? undefined : this.#lent.lend(this.#connection.input.memory);
        return this.#replies.addLater(answer, frame.end - frame.start, memory);
      }
      reply = answer;
    } catch (error) {
      this.#failed(error);
      reply = failureReply(error);
    }
    this.#replies.add(reply);
  }

  /** The client sends no more; it may still read. */
  async #ended(): Promise<void> {
    const error = this.#decoder.end();
    if (error) return await this.#broken(error, true);
    await this.#answered();
    await this.#finish("done", true);
  }

  async #broken(error: FrameError, peerEnded: boolean): Promise<void> {
    this.#tell(() => this.#settings.observer.frameFailed?.(this.#connection, error));
    this.#replies.add(failureReply(error));
    await this.#answered();
    await this.#finish("protocol", peerEnded);
  }

  /** There is no memory for what the client sends: it is told, and the connection ends. */
  async #overBudget(error: OverBudgetError): Promise<void> {
    this.#replies.add(failureReply(error));
    await this.#answered();
    await this.#finish("over-budget");
  }

  /** The server needs the memory of what this client sends, or does not read. */
  #evicted(): void {
    // Whoever does not read cannot be told.
    const doesNotRead = this.#connection.output.pendingBytes > 0 || this.#replies.outstanding > 0;
    if (doesNotRead) this.#connection.close("over-budget");
    else void this.#overBudget(new OverBudgetError(EVICTED));
  }

  #failed(error: unknown): void {
    // Work that was given up because its client has gone is no failure.
    if (isClientError(error) || this.#connection.closeReason !== undefined) return;
    const { observer } = this.#settings;
    if (!observer.requestFailed) return reportError(error, "A request could not be answered");
    this.#tell(() => observer.requestFailed?.(this.#connection, error));
  }

  #tell(call: () => unknown): void {
    guard("The observer of a request server failed", call);
  }

  // The loop ends by itself, unless it waits for a request that may never come.
  #drain(): void {
    this.#draining = true;
    if (this.#reading && !this.#decoder.midFrame) this.#drained = this.#finishDrained();
  }

  /** Takes no further request. The loop ends by itself, unless it waits for one. */
  #revoke(error: Error | undefined): void {
    if (this.#revoked) return;
    this.#revoked = true;
    if (error) this.#replies.add(failureReply(error));
    const timer = setTimeout(() => this.#connection.close("unauthorized"), REVOKED_MS);
    this.#connection.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
    if (this.#reading) this.#drained ??= this.#finishRevoked();
  }

  async #finishRevoked(): Promise<void> {
    await this.#answered();
    await this.#finish("unauthorized");
  }

  async #finishDrained(): Promise<void> {
    await this.#answered();
    await this.#finish("drained");
  }

  /** Ends the connection once what is pending is sent; unless its end was begun before. */
  #finish(reason: CloseReason, peerEnded = false): Promise<void> {
    return this.#finished ??= this.#connection.finish(reason, peerEnded);
  }
}
