import { closeQuietly } from "../../../../base/close_quietly.ts";
import {
  ConnectionError,
  dial,
  ReadBuffer,
  type TcpAddress,
  upgradeToTls,
  WriteQueue,
} from "../../../../net/mod.ts";
import { DialLimit } from "../../../../net/dial_limit.ts";
import type { Turn } from "../turn.ts";
import type { NatsMessage } from "./nats_message.ts";
import { NatsParser, NatsProtocolError } from "./nats_parser.ts";
import { MAX_PAYLOAD } from "./max_payload.ts";
import { readServerInfo, type ServerInfo } from "./server_info.ts";
import { Silence } from "./silence.ts";

/** How much is read before others have a turn. */
const TURN_BYTES = 65_536;

/** Makes the fields of `CONNECT` that say who the client is. */
export type Login = (nonce?: string) => unknown;

/** What a {@linkcode NatsConnection} tells of, once the server has accepted the client. */
export interface NatsConnectionEvents {
  /** @param message Holds good only during the call. */
  message(message: NatsMessage): void;
  /** The server has described itself and its cluster anew. */
  info(info: ServerInfo): void;
  /** The server has dealt with what was sent before a ping of the client's. */
  pong(): void;
  /** The server refuses something, or is about to close the connection. */
  refused(reason: string): void;
  /** The socket has taken something, or fails. */
  written(): void;
}

/** How to connect to a server. */
export interface NatsConnectionOptions {
  readonly address: TcpAddress;
  /** The name that its certificate has to have. */
  readonly tlsName: string;
  /** Whether to use TLS if the server does not ask for it. */
  readonly tls: boolean;
  /** Certificate authorities to trust besides those of the system (PEM). */
  readonly caCert: string | undefined;
  readonly login: Login | undefined;
  /** What the server calls the connection. */
  readonly name: string;
  /** Whether the server sends nothing back of what is published here. */
  readonly noEcho: boolean;
  /** How long it may take until the server has accepted the client. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly events: NatsConnectionEvents;
}

/** A server does not accept the client, and has said why. */
export class NatsRefusal extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "NatsRefusal";
}

const encoder = new TextEncoder();

const NO_TURN = () => undefined;

const PING = encoder.encode("PING\r\n");
const PONG = encoder.encode("PONG\r\n");

/**
 * When more than this waits to be sent, the server takes nothing. Publishers wait long before; what
 * answers the server, and what brokers tell each other, does not.
 */
const MAX_OUTPUT_BYTES = MAX_PAYLOAD;

/** One connection to a NATS server, from its greeting to its end. */
export class NatsConnection {
  /** What the server said of itself last. */
  info: ServerInfo | undefined;
  /** What is sent. */
  readonly output: WriteQueue;
  readonly #options: NatsConnectionOptions;
  readonly #input = new ReadBuffer();
  readonly #parser: NatsParser;
  readonly #silence = new Silence();
  #conn: Deno.Conn;
  /** Whether the client has said who it is, and whether the server has accepted it. */
  #isIntroduced = false;
  #isAccepted = false;
  #refusal: string | undefined;
  #bytesSinceTurn = 0;
  /** Why it was ended here. */
  #failure: Error | undefined;

  private constructor(conn: Deno.Conn, options: NatsConnectionOptions) {
    this.#conn = conn;
    this.#options = options;
    this.output = new WriteQueue({ write: (bytes) => this.#conn.write(bytes) }, Infinity);
    const { events } = options;
    this.output.onWritten = () => {
      if (this.output.failed) this.close();
      events.written();
    };
    this.#parser = new NatsParser({
      message: (message) => {
        this.#checkIntroduced("a message");
        events.message(message);
      },
      info: (json) => {
        this.info = readServerInfo(json);
        if (this.#isAccepted) events.info(this.info);
      },
      ping: () => this.#send(PONG),
      pong: () => {
        this.#checkIntroduced("an answer to a ping");
        if (this.#isAccepted) events.pong();
        this.#isAccepted = true;
      },
      refused: (reason) => {
        if (this.#isAccepted) events.refused(reason);
        else this.#refusal ??= reason;
      },
    });
  }

  /**
   * Connects, and logs in.
   *
   * @throws {ConnectionError} if there is no connection, or no TLS.
   * @throws {NatsRefusal} if the server does not accept the client.
   * @throws {NatsProtocolError} if it speaks no NATS.
   */
  static async open(options: NatsConnectionOptions): Promise<NatsConnection> {
    const { address, timeoutMs, signal } = options;
    using limit = new DialLimit(timeoutMs, signal);
    let opened: NatsConnection | undefined;
    try {
      const conn = await dial(address, { timeoutMs, signal: limit.signal });
      opened = new NatsConnection(conn, options);
      const close = () => opened!.close();
      limit.signal.addEventListener("abort", close, { once: true });
      limit.signal.throwIfAborted();
      await opened.#greet(limit.signal);
      limit.signal.removeEventListener("abort", close);
      return opened;
    } catch (cause) {
      opened?.close();
      if (limit.isOver) throw new ConnectionError("connect", address, cause, "timed-out");
      throw cause;
    }
  }

  /** Sends a ping, which the server answers once it has dealt with all that was sent before. */
  ping(): void {
    this.#send(PING);
  }

  /** Sends what was written into `output`. */
  flush(): void {
    this.output.flush();
    if (this.output.pendingBytes <= MAX_OUTPUT_BYTES || this.#failure !== undefined) return;
    this.#failure = new NatsProtocolError("A server does not take what is sent to it");
    this.close();
  }

  /** To be called at a steady interval. @returns As {@linkcode Silence.look}. */
  lookForLife(): number {
    return this.#silence.look(this.output);
  }

  /**
   * Reads until the connection is over. Resolves to what ended it; `undefined` if the server did.
   *
   * @param turn What to wait for after much was read.
   */
  async run(turn: Turn = NO_TURN): Promise<unknown> {
    try {
      while (await this.#read()) {
        while (this.#parse()) {
          const waiting = turn();
          if (waiting) await waiting;
        }
        if (this.#bytesSinceTurn < TURN_BYTES) continue;
        this.#bytesSinceTurn = 0;
        const waiting = turn();
        if (waiting) await waiting;
      }
      return this.#failure;
    } catch (error) {
      return this.#failure ?? error;
    } finally {
      this.close();
      this.#input.release();
    }
  }

  /** Ends it at once. */
  close(): void {
    closeQuietly(this.#conn);
  }

  async #greet(signal: AbortSignal): Promise<void> {
    const { address, tlsName, caCert } = this.#options;
    await this.#readUntil(() => this.info !== undefined);
    // A server that has no room for the client says so behind what it says of itself.
    if (this.#refusal !== undefined) throw new NatsRefusal(this.#refusal);
    const { tlsRequired, tlsAvailable, headers } = this.info!;
    if (tlsRequired || this.#options.tls) {
      if (!tlsAvailable) throw new NatsRefusal("it has no TLS");
      if (this.#input.end > this.#input.start) throw tooEarly("something");
      const tls = { serverName: tlsName, caCerts: caCert === undefined ? [] : [caCert] };
      this.#conn = await upgradeToTls(this.#conn, address, tls, signal);
    }
    if (!headers) throw new NatsRefusal("it takes no messages with headers");
    this.#isIntroduced = true;
    this.#send(encoder.encode(`CONNECT ${JSON.stringify(this.#introduction())}\r\nPING\r\n`));
    await this.#readUntil(() => this.#isAccepted || this.#refusal !== undefined);
    if (!this.#isAccepted) throw new NatsRefusal(this.#refusal);
  }

  #introduction(): object {
    const { name, noEcho, login } = this.#options;
    const { nonce, tlsRequired } = this.info!;
    return {
      verbose: false,
      pedantic: false,
      tls_required: tlsRequired || this.#options.tls,
      name,
      lang: "socktool",
      version: "1",
      protocol: 1,
      echo: !noEcho,
      headers: true,
      no_responders: true,
      ...(login?.(nonce) as object | undefined),
    };
  }

  /**
   * Nothing that comes before `CONNECT` but the server's greeting is taken: without TLS yet, anybody on
   * the way may have put it in.
   */
  #checkIntroduced(what: string): void {
    if (!this.#isIntroduced) throw tooEarly(what);
  }

  async #readUntil(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      if (!await this.#read()) {
        if (this.#refusal !== undefined) return;
        throw new ConnectionError("read", this.#options.address, new Error(CLOSED), "reset");
      }
      while (this.#parse());
    }
  }

  /** Reads once; `false` at the end. */
  async #read(): Promise<boolean> {
    const count = await this.#conn.read(this.#input.free()).catch((cause) => {
      throw new ConnectionError("read", this.#options.address, cause);
    });
    if (count === null) return false;
    this.#silence.heard();
    this.#bytesSinceTurn += count;
    this.#input.filled(count);
    return true;
  }

  /** Deals with some of what was read; whether there is more. */
  #parse(): boolean {
    const input = this.#input;
    input.consume(this.#parser.parse(input.bytes, input.start, input.end));
    return this.#parser.hasMore;
  }

  #send(bytes: Uint8Array): void {
    this.output.buffer.append(bytes);
    this.flush();
  }
}

const CLOSED = "the server closed the connection";

function tooEarly(what: string): NatsProtocolError {
  return new NatsProtocolError(`A server sent ${what} before it was told who connects`);
}
