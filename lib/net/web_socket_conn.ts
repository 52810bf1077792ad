import type { Buffer } from "node:buffer";
// @ts-types="./ws.d.ts"
import type { WebSocket } from "ws";
import { ByteBuffer } from "../base/byte_buffer.ts";
import { closeQuietly } from "../base/close_quietly.ts";
import { AdaptedConn } from "./adapted_conn.ts";
import { answerPings } from "./answer_pings.ts";
import type { ConnStream } from "./conn_stream.ts";
import type { ConnectionMemory, KeepingConn } from "./server_memory.ts";
import type { WebSocketInput } from "./web_socket_input.ts";

/** A peer that does not answer the Close frame is waited for this long. */
const CLOSE_TIMEOUT_MS = 5_000;

/** What both sides of a WebSocket want of `ws`, and the bounds of what one message may take. */
export const WEB_SOCKET_OPTIONS = {
  // Compressing costs more time than it saves on the way, and memory for each connection.
  perMessageDeflate: false,
  // Bytes are cut anywhere, so no peer needs larger messages.
  maxPayload: 1_048_576,
  maxFragments: 1_024,
  maxBufferedChunks: 4_096,
  // By itself it ends a peer that sends sixty pings at once, as one may: see `answerPings`.
  autoPong: false,
  closeTimeout: CLOSE_TIMEOUT_MS,
} as const;

/** The status of a Close frame for data of a kind that is not taken (RFC 6455, 7.4.1). */
const UNSUPPORTED_DATA = 1_003;

/** While more than this waits to be read, nothing is taken from the socket. */
const HIGH_WATER_BYTES = 65_536;

/** One write, and so one message, takes at most this much. */
const LARGEST_WRITE_BYTES = 65_536;

/**
 * An open WebSocket as a connection: the bytes of its binary messages, wherever they are cut. A text
 * message ends it with the status 1003. As a WebSocket has no half-close, `closeWrite` begins to
 * close it as a whole.
 *
 * A message goes into the memory of the read that waits, else into a buffer that all of them share:
 * each by itself would take a hundred bytes and more, and those of a byte are a peer's to send.
 */
export class WebSocketConn extends AdaptedConn implements KeepingConn {
  readonly #socket: WebSocket;
  readonly #input: WebSocketInput | undefined;
  /** What came and was not read, without the first `#readBytes`, which were. */
  #unread: ByteBuffer | undefined;
  #readBytes = 0;
  /** The memory of the read that waits, and how many bytes of it are there. */
  #into: Uint8Array | undefined;
  #intoBytes = 0;
  #paused = false;

  /**
   * Takes over a WebSocket and the stream under it.
   *
   * @param input Counts what it keeps. Give it before anything can have come.
   */
  constructor(socket: WebSocket, under: ConnStream, input?: WebSocketInput) {
    const { localAddr, remoteAddr } = under.conn;
    super({
      localAddr,
      remoteAddr,
      ref: () => void under.ref(),
      unref: () => void under.unref(),
      closeSocket() {
        under.destroy();
        closeQuietly(under.conn);
      },
    });
    this.#socket = socket;
    this.#input = input;
    if (input) {
      under.prependListener("data", (bytes: Uint8Array) => input.arrived(bytes));
      under.mayRead = (bytes) => input.mayRead(bytes);
    }
    const onMessage = (data: Buffer, isBinary: boolean) => {
      if (isBinary) return this.#take(data);
      socket.off("message", onMessage);
      socket.close(UNSUPPORTED_DATA, "only binary messages are taken");
    };
    socket.on("message", onMessage);
    socket.once("close", () => this.end());
    socket.on("error", (cause) => this.fail(cause));
    answerPings(socket);
  }

  /**
   * Reads some bytes. A peer may end it with or without a Close frame: both are an end of stream. What
   * was cut short is for the protocol above to notice.
   *
   * @returns How many; `null` at the end of stream.
   */
  override async read(into: Uint8Array): Promise<number | null> {
    if (into.length === 0) return 0;
    if (this.#unread) return this.#readWaiting(into, this.#unread);
    if (!this.failure && !this.hasEnded) {
      this.#into = into;
      this.#intoBytes = 0;
      if (this.#paused) {
        this.#paused = false;
        this.#socket.resume();
      }
      await this.arrived.wait();
      this.#into = undefined;
      if (this.#intoBytes > 0) return this.#intoBytes;
    }
    if (this.failure) throw this.failure.cause;
    return null;
  }

  /** Sends some of the bytes as a message; resolves to how many. */
  override write(bytes: Uint8Array): Promise<number> {
    const part = bytes.subarray(0, LARGEST_WRITE_BYTES);
    return this.untilWritten((resolve, reject) => {
      this.#socket.send(part, (error) => error ? reject(error) : resolve(part.length));
    });
  }

  /** Begins to close: nothing is sent after it, and the peer's answer is the end of stream. */
  override closeWrite(): Promise<void> {
    if (this.failure) return Promise.reject(this.failure.cause);
    this.#socket.close();
    return Promise.resolve();
  }

  /** Counts what it keeps as input of a server's connection. */
  countIn(memory: ConnectionMemory): void {
    this.#input?.countIn(memory);
  }

  protected override closing(): void {
    this.#unread = undefined;
    this.#socket.terminate();
  }

  #take(data: Uint8Array): void {
    if (this.isClosed || data.length === 0) return;
    let rest = data;
    const into = this.#into;
    if (into && !this.#unread) {
      const room = into.length - this.#intoBytes;
      into.set(data.length <= room ? data : data.subarray(0, room), this.#intoBytes);
      // The read goes on once all of this packet is here.
      if (this.#intoBytes === 0) this.arrived.notify();
      this.#intoBytes += Math.min(data.length, room);
      if (data.length <= room) return;
      rest = data.subarray(room);
    }
    const unread = this.#unread ??= new ByteBuffer();
    unread.append(rest);
    this.#input?.keeps(unread.bytes.length);
    if (unread.length <= HIGH_WATER_BYTES || this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  #readWaiting(into: Uint8Array, unread: ByteBuffer): number {
    const from = this.#readBytes;
    const part = unread.bytes.subarray(from, Math.min(unread.length, from + into.length));
    into.set(part);
    this.#readBytes += part.length;
    if (this.#readBytes === unread.length) {
      this.#unread = undefined;
      this.#readBytes = 0;
      this.#input?.keeps(0);
    }
    return part.length;
  }
}
