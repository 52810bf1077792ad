import { checkOptions, type OptionKinds } from "../base/option_kinds.ts";
import { guard } from "../base/report.ts";
import { msOption, numericOption } from "../base/numeric_options.ts";
import type { Address, Connection, Listener, ListenOptions, ServerTls } from "../net/mod.ts";
import { ConnectionError } from "../net/connection_error.ts";
import { serveConnections, type ServeOptions, type Server } from "../net/serve.ts";
import { serveOn, type ServeTarget } from "../net/serve_on.ts";
import { echoBytes } from "./echo_bytes.ts";
import type { EchoFigures, EchoObserver, EchoPeer, EchoServer } from "./echo_server.ts";

/** Options of {@linkcode serveEcho}. */
export interface EchoServeOptions extends
  Pick<
    ServeOptions,
    | "maxConnections"
    | "maxMemoryBytes"
    | "idleTimeoutMs"
    | "maxAccepted"
    | "drainTimeoutMs"
    | "signal"
  > {
  /** The longest time until the first byte comes; `0` sets no limit but the idle time. @default {0} */
  readonly firstByteTimeoutMs?: number | undefined;
  /** Is called when something happens. */
  readonly observer?: EchoObserver | undefined;
}

const OBSERVER_KINDS: OptionKinds<EchoObserver> = {
  opened: "function",
  received: "function",
  closed: "function",
  acceptFailed: "function",
};

/** @throws {TypeError} if an option that is no number is not what it has to be. */
export function checkEchoOptions(options: Pick<EchoServeOptions, "observer" | "signal">): void {
  checkOptions(options, { observer: OBSERVER_KINDS, signal: "signal" });
}

/** Serves on a listener, at once. */
export function serveEcho(listener: Listener, options?: EchoServeOptions): EchoServer;
/** Listens on an address, or on what a text says, and serves there. */
export function serveEcho(
  address: Address | string,
  options?: EchoServeOptions & ListenOptions,
): Promise<EchoServer>;
/**
 * Serves echo: sends every byte of a connection back, until the peer ends its stream. It stops reading
 * from a peer that does not read.
 *
 * The server owns the listener that it is given, and closes it. For an address the result is a
 * promise, and the options may be those of `listen` too.
 *
 * @example
 * ```ts
 * import { dial } from "@socktool/socktool/net";
 * import { serveEcho } from "@socktool/socktool/echo";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serveEcho("127.0.0.1:0");
 * using conn = await dial(server.address);
 * await conn.write(new TextEncoder().encode("hello"));
 * const bytes = new Uint8Array(16);
 * const count = await conn.read(bytes) ?? 0;
 * assertEquals(new TextDecoder().decode(bytes.subarray(0, count)), "hello");
 * ```
 *
 * @throws {TypeError | RangeError} if an option is not what it has to be.
 * @throws {AddressError} if a text is no address.
 * @throws {ConnectionError} with operation `listen`
 */
export function serveEcho(
  target: ServeTarget,
  options: EchoServeOptions & ListenOptions = {},
): EchoServer | Promise<EchoServer> {
  return serveOn(target, options, (listener, rest) => new SingleEchoServer(listener, rest));
}

const FIRST_BYTE = msOption(0);

class SingleEchoServer implements EchoServer {
  readonly #server: Server;
  readonly #listener: Listener;
  #closedRead = 0;
  #closedWritten = 0;

  constructor(listener: Listener, options: EchoServeOptions) {
    checkEchoOptions(options);
    const { observer = {} } = options;
    this.#listener = listener;
    const received = observer.received && ((peer: EchoPeer, bytes: Uint8Array) => {
      guard("The observer of an echo server failed", () => observer.received?.(peer, bytes));
    });
    this.#server = serveConnections(
      listener,
      { serve: (connection: Connection) => echoBytes(connection, received) },
      {
        ...options,
        firstByteTimeoutMs: numericOption(
          "firstByteTimeoutMs",
          options.firstByteTimeoutMs,
          FIRST_BYTE,
        ),
        observer: {
          opened: (connection) => observer.opened?.(connection),
          closed: (connection, reason, error) => {
            this.#closedRead += connection.readBytes;
            this.#closedWritten += connection.writtenBytes;
            return observer.closed?.(connection, reason, error);
          },
          acceptFailed: (error) => observer.acceptFailed?.(error),
        },
      },
    );
  }

  get address() {
    return this.#server.address;
  }

  get finished() {
    return this.#server.finished;
  }

  get forced() {
    return this.#server.forced;
  }

  async renewTls(tls: ServerTls): Promise<void> {
    const { address, handshakes } = this.#listener;
    if (handshakes) return await handshakes.renew(tls);
    throw new ConnectionError("listen", address, new Error("the server does not serve TLS"), "tls");
  }

  figures(): EchoFigures {
    const { connections, accepted, refused } = this.#server;
    let readBytes = this.#closedRead;
    let writtenBytes = this.#closedWritten;
    for (const connection of connections) {
      readBytes += connection.readBytes;
      writtenBytes += connection.writtenBytes;
    }
    return { connections: connections.size, accepted, refused, readBytes, writtenBytes };
  }

  drain(): Promise<void> {
    return this.#server.drain();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}
