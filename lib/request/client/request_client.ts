import {
  appendFrame,
  DEFAULT_MAX_CONTENT_BYTES,
  type Frame,
  FrameDecoder,
  type FrameInit,
} from "../../frame/mod.ts";
import {
  type Address,
  Connection,
  ConnectionError,
  dial,
  type DialOptions,
  timerMs,
} from "../../net/mod.ts";

/** How a {@linkcode RequestClient} connects, and its limits. */
export interface RequestClientOptions extends DialOptions {
  /** Answers with more content break the connection. @default {16_777_216} */
  readonly maxContentBytes?: number | undefined;
  /** Requests that may wait for their answers at one time. @default {1_024} */
  readonly maxOutstanding?: number | undefined;
}

/** What one request may take. */
export interface RequestOptions {
  /** The longest time until the answer is there. Without it, as long as the connection lives. */
  readonly timeoutMs?: number | undefined;
}

interface Waiting {
  resolve(frame: Frame): void;
  reject(error: unknown): void;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const DEFAULT_MAX_OUTSTANDING = 1_024;
const HIGH_WATER_BYTES = 1_048_576;

/**
 * The client's end of {@linkcode serveRequests}: requests go out at once, packed where several are
 * made in one turn, and their answers come back in order.
 */
export class RequestClient implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #decoder: FrameDecoder;
  readonly #maxOutstanding: number;
  readonly #waiting = new Map<number, Waiting>();
  readonly #closed: Promise<void>;
  #asked = 0;
  #answered = 0;
  #failure: unknown;
  #flushing = false;
  #closing = false;

  /** Takes over a connection; `connectRequests` makes one. */
  constructor(connection: Connection, options: RequestClientOptions = {}) {
    this.#connection = connection;
    this.#decoder = new FrameDecoder({
      maxContentBytes: options.maxContentBytes ?? DEFAULT_MAX_CONTENT_BYTES,
    });
    this.#maxOutstanding = options.maxOutstanding ?? DEFAULT_MAX_OUTSTANDING;
    this.#closed = this.#receive();
  }

  /** The server. */
  get remote(): Address {
    return this.#connection.remote;
  }

  /** How many requests wait for their answers. */
  get outstanding(): number {
    return this.#asked - this.#answered;
  }

  /** How many answers have come. */
  get answered(): number {
    return this.#answered;
  }

  /** Resolves when the connection has ended, for whatever reason. Never rejects. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Whether the connection has ended. */
  get ended(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * Sends a request.
   *
   * @returns The answer, which owns its bytes. Answers come in the order of the requests.
   * @throws {ConnectionError} if the connection ends before the answer, code `closed` where the
   * server closed it; `timed-out` if the answer does not come in time, which ends the connection,
   * since later answers could not be told apart.
   * @throws {FrameError} if the server sends what is no frame.
   * @throws {RangeError} if more than `maxOutstanding` requests wait, the frame cannot be
   * encoded, or `timeoutMs` is no time; nothing is sent then.
   */
  request(frame: FrameInit, options: RequestOptions = {}): Promise<Frame> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closing) return Promise.reject(this.#error("closed", "the client closes it"));
    if (this.outstanding >= this.#maxOutstanding) {
      const message = `Cannot send a request: ${this.outstanding} wait for their answers`;
      return Promise.reject(new RangeError(message));
    }
    return new Promise((resolve, reject) => {
      const { timeoutMs } = options;
      const limitMs = timeoutMs === undefined ? undefined : timerMs("timeoutMs", timeoutMs);
      appendFrame(this.#connection.output.buffer, frame);
      const timer = limitMs === undefined
        ? undefined
        : setTimeout(() => this.#fail(this.#error("timed-out", "no answer came")), limitMs);
      this.#waiting.set(this.#asked++, { resolve, reject, timer });
      this.#flushSoon();
    });
  }

  /**
   * Waits for the answers that are outstanding, and closes. Never rejects. The sending half stays
   * open until then: many a server takes its end for the end of the client.
   */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.outstanding === 0) this.#fail(this.#error("closed", "the client closed it"));
    await this.#closed;
  }

  /** Closes at once; answers that are outstanding are lost. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(this.#error("closed", "the client closed it"));
    await this.#closed;
  }

  // Requests that are made in one turn leave in one write.
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#connection.output.flush();
    });
  }

  async #receive(): Promise<void> {
    const { input } = this.#connection;
    try {
      while (await this.#connection.read()) {
        const batch = this.#decoder.decode(input.bytes, input.start, input.end);
        for (const frame of batch.frames) this.#deliver(frame);
        input.consume(batch.consumed);
        if (batch.error) throw batch.error;
      }
      this.#fail(this.#decoder.end() ?? this.#error("closed", "the server closed it"));
    } catch (error) {
      this.#fail(error);
    }
  }

  #deliver(frame: Frame): void {
    const waiting = this.#waiting.get(this.#answered);
    if (!waiting) throw this.#error("failed", "the server sent an answer that was not asked for");
    this.#waiting.delete(this.#answered++);
    clearTimeout(waiting.timer);
    waiting.resolve(frame.detach());
    if (this.#closing && this.outstanding === 0) void this.close();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#connection.close("done");
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(this.#failure);
    }
    this.#waiting.clear();
  }

  #error(code: "closed" | "timed-out" | "failed", why: string): ConnectionError {
    return new ConnectionError("read", this.#connection.remote, new Error(why), code);
  }
}

/**
 * Connects to a message server.
 *
 * @throws {ConnectionError} with operation `connect` or `tls-handshake`
 */
export async function connectRequests(
  address: Address,
  options: RequestClientOptions = {},
): Promise<RequestClient> {
  const conn = await dial(address, options);
  return new RequestClient(new Connection(conn, HIGH_WATER_BYTES), options);
}
