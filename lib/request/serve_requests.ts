import {
  DEFAULT_MAX_CONTENT_BYTES,
  type Frame,
  FrameDecoder,
  type FrameError,
  HeaderCache,
  writeFrame,
} from "../frame/mod.ts";
import {
  type Connection,
  DEFAULT_LIMITS,
  type Listener,
  serveConnections,
  type ServeOptions,
  type Server,
  type ServerObserver,
} from "../net/mod.ts";
import { errorReply, failureReply, isClientError } from "./error_reply.ts";
import { type Reply, ReplyQueue } from "./reply_queue.ts";

/**
 * Answers a request. `connection` is the client's; its `signal` is aborted when it is gone.
 *
 * The request's content is a view, good until the handler returns or first awaits; `text()`,
 * `json()` and the other methods work at any time. A handler that throws, or rejects, is answered
 * for with an error; the connection goes on.
 */
export type RequestHandler = (
  request: Frame,
  connection: Connection,
) => Reply | PromiseLike<Reply>;

/** What happens at a message server; every method is optional. They must not throw. */
export interface RequestObserver extends ServerObserver {
  /** A handler failed, or gave an answer that cannot be encoded; the client was told. */
  requestFailed?(connection: Connection, error: unknown): void;
  /** A client sent what is no frame; it was told, and its connection ends. */
  frameFailed?(connection: Connection, error: FrameError): void;
}

/** Limits and surroundings of a message server. */
export interface RequestServeOptions extends ServeOptions {
  /** Requests with more content are refused. @default {16_777_216} */
  readonly maxContentBytes?: number | undefined;
  /** Requests with a larger header are refused. @default {65_535} */
  readonly maxHeaderBytes?: number | undefined;
  /**
   * Requests of one connection that may be at work at one time. There are fewer while requests, or
   * the answers to the last ones, are so large that together they take more than `maxPendingBytes`.
   *
   * @default {128}
   */
  readonly maxPipelined?: number | undefined;
  /** Is told what happens. */
  readonly observer?: RequestObserver | undefined;
}

const DEFAULT_MAX_PIPELINED = 128;

/** Headers that the connections of a server remember together: 256 KiB. */
const SHARED_HEADERS = 1_024;

/**
 * Serves request and response over frames: each request is answered by one frame, in order, on a
 * connection that carries any number of them, pipelined or not. It takes over the listener.
 *
 * A frame that is broken or too large is answered by one last error; then the connection ends.
 *
 * @example A protocol of your own: upper case.
 * ```ts
 * import { connectRequests, listen, serveRequests } from "@socktool/socktool";
 * import { assertEquals } from "@std/assert";
 *
 * const listener = await listen({ transport: "tcp", hostname: "127.0.0.1", port: 0 });
 * await using server = serveRequests(
 *   listener,
 *   (request) => ({ content: request.text().toUpperCase() }),
 * );
 * await using client = await connectRequests(server.address);
 * const reply = await client.request({ content: "hello" });
 * assertEquals(reply.text(), "HELLO");
 * ```
 *
 * @throws {RangeError} if a limit is not a number.
 */
export function serveRequests(
  listener: Listener,
  handler: RequestHandler,
  options: RequestServeOptions = {},
): Server {
  const shared: Shared = {
    handler,
    observer: options.observer ?? {},
    headerCache: new HeaderCache(SHARED_HEADERS),
    maxContentBytes: options.maxContentBytes ?? DEFAULT_MAX_CONTENT_BYTES,
    maxHeaderBytes: options.maxHeaderBytes,
    maxPipelined: options.maxPipelined ?? DEFAULT_MAX_PIPELINED,
    maxPendingBytes: options.maxPendingBytes ?? DEFAULT_LIMITS.maxPendingBytes,
  };
  // Wrong limits are the caller's error, not the first client's.
  new FrameDecoder(shared);
  if (!(shared.maxPipelined >= 1)) {
    throw new RangeError(`Cannot use ${shared.maxPipelined} as maxPipelined: give 1 or more`);
  }
  return serveConnections(listener, {
    // What a conversation needs is made when it begins: most connections of a busy server are
    // idle. One that has not begun has nothing to finish when the server drains.
    async serve(connection) {
      if (await connection.read()) await new RequestConnection(connection, shared).serve();
      else await connection.finish("done", true);
    },
    async refuse(connection) {
      const message = "The server has too many connections";
      writeFrame(connection.output.buffer, errorReply("too-many-connections", message));
      await connection.finish("refused", false);
    },
  }, options);
}

/** What the connections of one server have in common. */
interface Shared {
  readonly handler: RequestHandler;
  readonly observer: RequestObserver;
  readonly headerCache: HeaderCache;
  readonly maxContentBytes: number;
  readonly maxHeaderBytes: number | undefined;
  readonly maxPipelined: number;
  readonly maxPendingBytes: number;
}

/** One client. */
class RequestConnection {
  readonly #connection: Connection;
  readonly #shared: Shared;
  readonly #decoder: FrameDecoder;
  readonly #replies: ReplyQueue;
  #reading = false;
  #draining = false;
  #watchesEnd = false;
  #drained: Promise<void> | undefined;

  constructor(connection: Connection, shared: Shared) {
    this.#connection = connection;
    this.#shared = shared;
    this.#decoder = new FrameDecoder(shared);
    this.#replies = new ReplyQueue(connection.output, (error) => this.#failed(error));
    connection.onDrain = () => this.#drain();
  }

  /** Serves the client whose first bytes are there. */
  async serve(): Promise<void> {
    try {
      await this.#serve();
    } catch (error) {
      throw this.#reading ? this.#connection.readError(error) : error;
    }
  }

  // The hot path: the frames that a read brought, one write, the next read. No promise per request
  // that is answered at once, no timer, no copy of a request.
  async #serve(): Promise<void> {
    const { input, output } = this.#connection;
    while (true) {
      const batch = this.#decoder.decode(input.bytes, input.start, input.end);
      for (const frame of batch.frames) {
        this.#handle(frame);
        const wait = this.#noRoom();
        if (wait && !await this.#makeRoom(wait)) return;
      }
      this.#connection.readFrames += batch.frames.length;
      input.consume(batch.consumed);
      output.flush();
      if (batch.error) return await this.#broken(batch.error, false);
      // One read may be all that was asked for while much is still to be written.
      const room = output.room();
      if (room) await room;
      const turn = this.#connection.turn();
      if (turn) await turn;
      if (this.#draining && !this.#decoder.midFrame) return await this.#finishDrained();
      this.#connection.midFrame = this.#decoder.midFrame;
      this.#reading = true;
      const count = await this.#connection.readSome();
      this.#reading = false;
      if (this.#drained) return await this.#drained;
      if (count === null) return await this.#ended();
      this.#connection.received(count);
      this.#connection.midFrame = false;
    }
  }

  /** What to wait for before the next request is taken. */
  #noRoom(): Promise<void> | undefined {
    const { maxPipelined, maxPendingBytes } = this.#shared;
    return this.#replies.below(maxPipelined, maxPendingBytes) ?? this.#connection.output.room();
  }

  /** Waits until there is room; `false` if the connection was closed instead. */
  async #makeRoom(first: Promise<void>): Promise<boolean> {
    this.#watchEnd();
    // While answers made room in the one place they may have filled the other.
    for (let wait: Promise<void> | undefined = first; wait; wait = this.#noRoom()) {
      this.#connection.output.flush();
      await wait;
      if (this.#connection.closeReason !== undefined) return false;
    }
    return true;
  }

  /** A handler that never ends must not outlive its connection. */
  #watchEnd(): void {
    if (this.#watchesEnd) return;
    this.#watchesEnd = true;
    const { signal } = this.#connection;
    if (signal.aborted) this.#replies.abandon();
    else signal.addEventListener("abort", () => this.#replies.abandon(), { once: true });
  }

  /** Waits until every request is answered. */
  #answered(): Promise<void> | undefined {
    const wait = this.#replies.below(1);
    if (wait) this.#watchEnd();
    return wait;
  }

  #handle(frame: Frame): void {
    let reply: Reply | PromiseLike<Reply>;
    try {
      reply = this.#shared.handler(frame, this.#connection);
    } catch (error) {
      this.#failed(error);
      reply = failureReply(error);
    }
    if (isPromise(reply)) {
      // The handler goes on while the buffer takes the next requests.
      frame.detach();
      this.#replies.addLater(reply, frame.end - frame.start);
    } else this.#replies.add(reply);
  }

  /** The client sends no more; it may still read. */
  async #ended(): Promise<void> {
    const error = this.#decoder.end();
    if (error) return await this.#broken(error, true);
    await this.#answered();
    await this.#connection.finish("done", true);
  }

  async #broken(error: FrameError, peerEnded: boolean): Promise<void> {
    this.#shared.observer.frameFailed?.(this.#connection, error);
    this.#replies.add(failureReply(error));
    await this.#answered();
    await this.#connection.finish("protocol", peerEnded);
  }

  #failed(error: unknown): void {
    // Work that was given up because its client has gone is no failure.
    if (isClientError(error) || this.#connection.closeReason !== undefined) return;
    this.#shared.observer.requestFailed?.(this.#connection, error);
  }

  // The loop ends by itself, unless it waits for a request that may never come.
  #drain(): void {
    this.#draining = true;
    if (this.#reading && !this.#decoder.midFrame) this.#drained = this.#finishDrained();
  }

  async #finishDrained(): Promise<void> {
    await this.#answered();
    await this.#connection.finish("drained", false);
  }
}

function isPromise(reply: Reply | PromiseLike<Reply>): reply is PromiseLike<Reply> {
  return typeof (reply as PromiseLike<Reply> | undefined)?.then === "function";
}
