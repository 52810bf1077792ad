import type { ProtocolHandler } from "@nats-io/transport-node";
import { ByteBuffer } from "../../../../base/byte_buffer.ts";
import { Condition } from "../../../../base/condition.ts";
import type { Turn } from "../turn.ts";
import type { NatsConnection, NatsConnectionEvents } from "./nats_connection.ts";
import { makeReadable } from "./readable_headers.ts";
import { DEFAULT_MAX_PAYLOAD } from "./server_info.ts";

type Transport = ProtocolHandler["transport"];

/** How connections for the official client are made. */
export interface HowToConnect {
  /** Opens one whose server has accepted the client. It tells what comes by `events`. */
  open(events: NatsConnectionEvents, signal: AbortSignal): Promise<NatsConnection>;
  /** What to wait for after much was read. */
  turn: Turn;
}

const encoder = new TextEncoder();

const PONG = encoder.encode("PONG\r\n");

/**
 * A connection of ours as the official client uses one. The client's own stands on a socket of Node's,
 * without a listener for errors at times: an error then ends the program. It reads on when the client
 * has stopped at something that it cannot read, without a bound.
 *
 * The connection logs in by itself, so the client's introduction is left out. What the client gets is
 * what it can read: whole messages, and what the server says of itself as far as that is used.
 */
export class ClientTransport implements Transport {
  readonly lang = "socktool";
  readonly version = "1";
  closeError?: Error;
  readonly #how: HowToConnect;
  readonly #closing = new AbortController();
  readonly #over = Promise.withResolvers<void | Error>();
  #connection: NatsConnection | undefined;
  /** What has come and was not given to the client. */
  #chunk = new ByteBuffer(0);
  readonly #more = new Condition();
  /** Whether the client's first ping was answered: the server has answered one already. */
  #isGreeted = false;
  #isOver = false;

  constructor(how: HowToConnect) {
    this.#how = how;
  }

  get isClosed(): boolean {
    return this.#isOver;
  }

  async connect(): Promise<void> {
    const { signal } = this.#closing;
    const connection = await this.#how.open(this.#events, signal);
    if (signal.aborted) connection.close();
    signal.throwIfAborted();
    this.#connection = connection;
    void this.#run(connection);
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    try {
      yield this.#greeting();
      while (true) {
        if (this.#chunk.length > 0) {
          // The client keeps views of it.
          const bytes = this.#chunk.view();
          this.#chunk = new ByteBuffer(0);
          yield bytes;
        } else if (this.#isOver) return;
        else await this.#more.wait();
      }
    } finally {
      // The client reads no more, perhaps because it cannot.
      this.disconnect();
    }
  }

  isEncrypted(): boolean {
    return false;
  }

  send(frame: Uint8Array): void {
    // Its first lines: who it is, which the server knows, and a ping.
    if (frame[0] === C) return;
    if (frame[0] === P && frame[1] === I && !this.#isGreeted) {
      this.#isGreeted = true;
      this.#append(PONG);
      return;
    }
    const connection = this.#connection;
    connection?.output.buffer.append(frame);
    connection?.flush();
  }

  close(error?: Error): Promise<void> {
    this.#end(error);
    return Promise.resolve();
  }

  disconnect(): void {
    this.#end();
  }

  closed(): Promise<void | Error> {
    return this.#over.promise;
  }

  /** Closes it. Nobody is told. */
  discard(): void {
    this.#isOver = true;
    this.#closing.abort();
    this.#connection?.close();
    this.#more.notify();
  }

  readonly #events: NatsConnectionEvents = {
    message: (message) => {
      const { bytes, start, end, headerStart, dataStart } = message;
      this.#append(bytes.subarray(start, end + 2));
      if (!message.hasHeaders) return;
      const { length } = this.#chunk;
      const at = length - (end + 2 - headerStart);
      makeReadable(this.#chunk.bytes.subarray(at, at + dataStart - headerStart));
    },
    // It knows of other servers by those who connect.
    info() {},
    pong: () => this.#append(PONG),
    refused: (reason) => this.#append(encoder.encode(`-ERR '${reason}'\r\n`)),
    written() {},
  };

  #append(bytes: Uint8Array): void {
    this.#chunk.append(bytes);
    this.#more.notify();
  }

  #greeting(): Uint8Array {
    const { maxPayload = DEFAULT_MAX_PAYLOAD, version, cluster } = this.#connection?.info ?? {};
    const info = { max_payload: maxPayload, headers: true, version, cluster };
    return encoder.encode(`INFO ${JSON.stringify(info)}\r\n`);
  }

  async #run(connection: NatsConnection): Promise<void> {
    const failure = await connection.run(() => this.#how.turn());
    this.#end(failure instanceof Error ? failure : undefined);
  }

  #end(error?: Error): void {
    if (this.#isOver) return;
    const wasOpen = this.#connection !== undefined;
    if (error !== undefined) this.closeError = error;
    this.discard();
    if (wasOpen) this.#over.resolve(error);
  }
}

const C = 0x43, P = 0x50, I = 0x49;
