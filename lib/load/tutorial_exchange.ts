import { checkOptions, type OptionKinds, refusal } from "../base/option_kinds.ts";
import { closeQuietly } from "../base/close_quietly.ts";
import { guard } from "../base/report.ts";
import type { Address, ClientTls } from "../net/mod.ts";
import { EchoReader } from "./answers/echo_reader.ts";
import { connectionFailure } from "./connection_failure.ts";
import { LoadError } from "./load_error.ts";
import { resolvePlan } from "./load_plan.ts";
import { openConnections } from "./open_connections.ts";
import { Payload } from "./payload.ts";
import { SilenceWatch, type Watched } from "./silence_watch.ts";

/** What the multi-connection client of the Python sockets tutorial sends on each connection. */
export const TUTORIAL_MESSAGES: readonly Uint8Array[] = [
  "hello message 1 from client.",
  "hi message 2 from client.",
].map((text) => new TextEncoder().encode(text));

/**
 * What happens in the exchange. Every method is optional. What one throws is reported, and the exchange
 * goes on.
 */
export interface TutorialExchangeObserver {
  /** A connection is about to be made. `id` is its number, from 1. */
  starting?(id: number): void;
  /** A message is about to be sent. */
  sending?(id: number, bytes: Uint8Array): void;
  /** Bytes were received: a view, good until this returns. */
  received?(id: number, bytes: Uint8Array): void;
  /** All bytes came back, or the connection failed; it is closed. */
  closing?(id: number): void;
  /** A connection failed; the others go on. */
  failed?(error: LoadError): void;
}

/** Options of {@linkcode runTutorialExchange}. */
export interface TutorialExchangeOptions {
  /** The echo server; a text such as `localhost:5633` is read as an address. */
  readonly address: Address | string;
  /** How many connections, all open at the same time. */
  readonly connections: number;
  /** What each of them sends, once. @default {the tutorial's two messages} */
  readonly messages?: readonly Uint8Array[] | undefined;
  /** Connect with TLS, with these settings. @default {no TLS} */
  readonly tls?: ClientTls | undefined;
  /** The longest time for one connection to be made. @default {10_000} */
  readonly connectTimeoutMs?: number | undefined;
  /** How long a connection may receive nothing while it awaits bytes. @default {10_000} */
  readonly answerTimeoutMs?: number | undefined;
  /** Ends the exchange early. */
  readonly signal?: AbortSignal | undefined;
  /** Is told what happens. */
  readonly observer?: TutorialExchangeObserver | undefined;
}

const OBSERVER_KINDS: OptionKinds<TutorialExchangeObserver> = {
  starting: "function",
  sending: "function",
  received: "function",
  closing: "function",
  failed: "function",
};

/**
 * Does what the multi-connection client of the Python sockets tutorial does with an echo server:
 * opens all connections, sends every message on each, reads until as many bytes have come back, and
 * closes. What comes back is compared with what was sent.
 *
 * A connection that fails is reported to `observer.failed`; the others go on.
 *
 * @returns how many connections got back what they sent.
 * @throws {AddressError} if a text is no address.
 * @throws {RangeError} if an option makes no sense.
 * @throws the signal's reason, if it is aborted.
 *
 * @example
 * ```ts
 * import { serveEcho } from "@socktool/socktool/echo";
 * import { runTutorialExchange } from "@socktool/socktool/load";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serveEcho("127.0.0.1:0");
 * const done = await runTutorialExchange({ address: server.address, connections: 3 });
 * assertEquals(done, 3);
 * ```
 */
export async function runTutorialExchange(options: TutorialExchangeOptions): Promise<number> {
  checkOptions(options, { signal: "signal", observer: OBSERVER_KINDS });
  const { observer = {}, signal = new AbortController().signal } = options;
  const { messages = TUTORIAL_MESSAGES } = options;
  if (!Array.isArray(messages)) {
    throw new TypeError(refusal("messages", messages, "an array of Uint8Arrays"));
  }
  const plan = resolvePlan({ ...options, messages, count: messages.length, verify: true });
  const payload = new Payload(messages, messages.length);
  const open = new Set<TutorialConnection>();
  using _watch = new SilenceWatch(open, plan.answerTimeoutMs);
  const exchanges: Promise<void>[] = [];
  const tell: Tell = (call) => guard("The observer of an exchange failed", () => call(observer));
  const fail = (error: LoadError) => {
    if (!signal.aborted) tell((observer) => observer.failed?.(error));
  };
  let done = 0;
  const exchange = async (id: number, conn: Deno.Conn) => {
    const connection = new TutorialConnection(id, conn, payload, tell);
    open.add(connection);
    try {
      await connection.exchange(messages);
      done++;
    } catch (cause) {
      fail(connectionFailure(id, plan.address, cause));
      if (!signal.aborted) tell((observer) => observer.closing?.(id));
    }
    open.delete(connection);
    connection.close();
  };
  const stop = () => open.forEach((connection) => connection.close());
  signal.addEventListener("abort", stop, { once: true });
  try {
    await openConnections({ plan, index: 0 }, signal, {
      starting: (id) => tell((observer) => observer.starting?.(id)),
      opened: (id, conn) => void exchanges.push(exchange(id, conn)),
      failed: (_, error) => fail(error),
    });
    await Promise.all(exchanges);
  } finally {
    signal.removeEventListener("abort", stop);
  }
  signal.throwIfAborted();
  return done;
}

/** Calls a method of the observer. */
type Tell = (call: (observer: TutorialExchangeObserver) => unknown) => void;

/** The most bytes of one read. */
const READ_BYTES = 65_536;

/** One connection of the exchange. */
class TutorialConnection implements Watched {
  underWay = 0;
  progress = 0;
  readonly #id: number;
  readonly #conn: Deno.Conn;
  readonly #tell: Tell;
  readonly #reader: EchoReader;
  #givenUp: LoadError | undefined;

  constructor(id: number, conn: Deno.Conn, payload: Payload, tell: Tell) {
    this.#id = id;
    this.#conn = conn;
    this.#tell = tell;
    this.#reader = new EchoReader(payload, 0, true, () => this.underWay--);
  }

  /** Sends all messages, and reads until all have come back. */
  async exchange(messages: readonly Uint8Array[]): Promise<void> {
    this.underWay = messages.length;
    const sending = this.#send(messages);
    // If it fails, so does the read, and that error is the one reported.
    sending.catch(() => {});
    try {
      await this.#receive();
      await sending;
    } catch (error) {
      throw this.#givenUp ?? error;
    }
    this.#tell((observer) => observer.closing?.(this.#id));
  }

  giveUp(timeoutMs: number): void {
    this.#givenUp = new LoadError("no-answer", `no byte came for ${timeoutMs} ms`);
    this.close();
  }

  close(): void {
    closeQuietly(this.#conn);
  }

  async #send(messages: readonly Uint8Array[]): Promise<void> {
    for (const message of messages) {
      this.#tell((observer) => observer.sending?.(this.#id, message));
      this.#reader.sentBytes += message.length;
      for (let at = 0; at < message.length;) {
        at += await this.#conn.write(message.subarray(at));
      }
    }
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    while (this.underWay > 0) {
      const count = await this.#conn.read(buffer);
      if (count === null) {
        const bytes = this.progress;
        throw new LoadError("closed", `the server closed it after ${bytes} bytes`);
      }
      this.progress += count;
      this.#tell((observer) => observer.received?.(this.#id, buffer.subarray(0, count)));
      this.#reader.take(buffer, count);
    }
  }
}
