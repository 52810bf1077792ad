import { Condition } from "../base/condition.ts";
import { Deque } from "../base/deque.ts";
import { checkOptions } from "../base/option_kinds.ts";
import { timerMs } from "../base/timer_ms.ts";
import { AddressError, formatAddress, hostProblem, type WebSocketAddress } from "./address.ts";
import type { ByteDuplex } from "./bytes/byte_duplex.ts";
import { ConnectionError } from "./connection_error.ts";

/** The largest message that is sent: the byte stream may be cut anywhere. */
const MAX_MESSAGE_BYTES = 65_536;

/** While more bytes wait in the socket, a write waits. The socket tells only when it is asked. */
const HIGH_WATER_BYTES = 262_144;
const POLL_MS = 4;

/** What may wait to be read. A WebSocket takes what comes, whether it is read or not. */
const MAX_WAITING_BYTES = 16_777_216;

/** What a message that waits costs beside its bytes. */
const MESSAGE_BYTES = 256;

/** `WebSocket.OPEN`. */
const OPEN = 1;

/** Closed as meant: normally, because the server or the page goes away, or without saying why. */
const CLEAN_CODES: ReadonlySet<number> = new Set([1000, 1001, 1005]);

const SHAPES = "write ws://HOST:PORT/PATH or wss://HOST:PORT/PATH";

/** Lost without a word, as browsers and Deno number it. */
const LOST_CODES: ReadonlySet<number> = new Set([1006, 0]);

/** How to open a WebSocket. */
export interface WebSocketOptions {
  /** The time limit for the connection and the handshakes together. @default {10_000} */
  readonly timeoutMs?: number | undefined;
  /** When it is aborted, opening stops and rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the address of a WebSocket of the text of one, where a browser is: `http:` and `https:` may
 * stand for `ws:` and `wss:`, and what is left out is that of the page. So `/ws` is enough for the
 * server that the page comes from.
 *
 * @throws {AddressError} if the text is none, or has a user in it: who a client is is said in the
 * connection.
 */
export function toWebSocketAddress(text: string | URL): WebSocketAddress {
  const page = globalThis.location?.href;
  if (URL.canParse(String(text), page)) {
    const { protocol, username, password, hostname: host, port, pathname, search } = new URL(
      text,
      page,
    );
    const transport = protocol.slice(0, -1).replace(/^http/, "ws");
    if (transport === "ws" || transport === "wss") {
      // A password is not repeated.
      if (username || password) throw new AddressError("ws://…@…", "a user is not part of it");
      const hostname = host.replace(/^\[|\]$/g, "");
      const problem = hostProblem(hostname);
      if (problem !== undefined) throw new AddressError(String(text), problem);
      const portByDefault = transport === "ws" ? 80 : 443;
      const number = port === "" ? portByDefault : Number(port);
      return { transport, hostname, port: number, path: pathname + search };
    }
  }
  throw new AddressError(String(text), SHAPES);
}

/**
 * Opens a WebSocket and gives it as a duplex: binary messages carry the bytes of a connection, cut
 * anywhere. It needs what browsers have and nothing else.
 *
 * @throws {ConnectionError} with operation `connect`. A browser does not tell a page why.
 * @throws {TypeError | RangeError} if `timeoutMs` is no number of milliseconds.
 */
export async function openWebSocket(
  address: WebSocketAddress,
  options: WebSocketOptions = {},
): Promise<ByteDuplex> {
  checkOptions(options, { signal: "signal" });
  const timeoutMs = timerMs("timeoutMs", options.timeoutMs, 10_000);
  const { signal } = options;
  signal?.throwIfAborted();
  const socket = new WebSocket(formatAddress(address));
  socket.binaryType = "arraybuffer";
  const opened = Promise.withResolvers<void>();
  let said = "no server is there, or it refused; the browser's console says more";
  socket.onopen = () => opened.resolve();
  // Where this is not a browser, the event has a message.
  socket.onerror = (event) => said = (event as { message?: string }).message || said;
  socket.onclose = () => opened.reject(new ConnectionError("connect", address, new Error(said)));
  const timer = setTimeout(() => {
    opened.reject(new ConnectionError("connect", address, undefined, "timed-out"));
  }, timeoutMs);
  const giveUp = () => opened.reject(signal?.reason);
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    await opened.promise;
    return new WebSocketDuplex(socket, address);
  } catch (error) {
    socket.onclose = null;
    socket.close();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}

/** An open WebSocket as a duplex of bytes. */
class WebSocketDuplex implements ByteDuplex {
  readonly buffersInput = true;
  readonly #socket: WebSocket;
  readonly #remote: WebSocketAddress;
  /** What came, message by message, and how much of the first was read. */
  #waiting = new Deque<Uint8Array>();
  #readBytes = 0;
  #waitingBytes = 0;
  #ended = false;
  #failure: Error | undefined;
  readonly #arrived = new Condition();

  constructor(socket: WebSocket, remote: WebSocketAddress) {
    this.#socket = socket;
    this.#remote = remote;
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onerror = null;
    socket.onclose = ({ code, reason }) => {
      if (CLEAN_CODES.has(code)) return this.#end(undefined);
      const why = `the WebSocket was closed with code ${code}${reason && `: ${reason}`}`;
      this.#end(this.#error("read", why, LOST_CODES.has(code) ? "reset" : "failed"));
    };
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#waiting.length === 0) {
      if (this.#failure) throw this.#failure;
      if (this.#ended) return null;
      await this.#arrived.wait();
    }
    const message = this.#waiting.peek()!;
    const part = message.subarray(this.#readBytes, this.#readBytes + into.length);
    into.set(part);
    this.#readBytes += part.length;
    if (this.#readBytes === message.length) {
      this.#waiting.shift();
      this.#readBytes = 0;
      this.#waitingBytes -= MESSAGE_BYTES + message.length;
    }
    return part.length;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const part = bytes.subarray(0, MAX_MESSAGE_BYTES);
    this.#checkOpen();
    // It copies them.
    this.#socket.send(part as Uint8Array<ArrayBuffer>);
    while (this.#socket.bufferedAmount > HIGH_WATER_BYTES) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      this.#checkOpen();
    }
    return part.length;
  }

  close(): void {
    this.#waiting = new Deque();
    this.#end(undefined);
    this.#socket.close();
  }

  #take(data: unknown): void {
    if (this.#ended) return;
    if (!(data instanceof ArrayBuffer)) {
      return this.#fail("the server sent text over the WebSocket, not the bytes of a connection");
    }
    if (data.byteLength === 0) return;
    this.#waiting.push(new Uint8Array(data));
    this.#waitingBytes += data.byteLength + MESSAGE_BYTES;
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      return this.#fail(`more than ${MAX_WAITING_BYTES} bytes came that were not read`);
    }
    this.#arrived.notify();
  }

  #fail(why: string): void {
    this.#waiting = new Deque();
    this.#end(this.#error("read", why, "failed"));
    this.#socket.close();
  }

  /** The first reason counts. */
  #end(failure: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#arrived.notify();
  }

  #checkOpen(): void {
    if (this.#failure) throw this.#failure;
    if (this.#ended || this.#socket.readyState !== OPEN) {
      throw this.#error("write", "the connection is closed", "closed");
    }
  }

  #error(operation: "read" | "write", why: string, code: "closed" | "failed" | "reset"): Error {
    return new ConnectionError(operation, this.#remote, new Error(why), code);
  }
}
