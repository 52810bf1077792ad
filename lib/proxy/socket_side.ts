import type { Socket } from "node:net";
import type { Address } from "../net/mod.ts";
import { type OwnReads, SOCKET_OPTIONS } from "./own_reads.ts";
import type { Side, SideEvents } from "./side.ts";
import { writingSocket } from "./writing_socket.ts";

/** A peer that has vanished is found after this time without a byte. */
const KEEP_ALIVE_MS = 60_000;

/** What fits into the systems' buffers: writing it need not wait for the peer. */
const FITTING_BYTES = 16_384;

/** A connection over TCP. */
export class SocketSide implements Side {
  readonly remote: Address;
  readonly local: Address;
  readonly #socket: Socket;
  readonly #reads: OwnReads;
  /** What is written to: another socket of the same connection where the first one would break it off. */
  #writer: Socket;
  #events: SideEvents | undefined;

  /** Takes over a connected socket. */
  constructor(reads: OwnReads) {
    const { socket } = reads;
    this.#socket = this.#writer = socket;
    this.#reads = reads;
    this.remote = tcpOf(socket.remoteAddress, socket.remotePort);
    this.local = tcpOf(socket.localAddress, socket.localPort);
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
  }

  get hasRead(): boolean {
    return this.#reads.hasRead;
  }

  get pendingBytes(): number {
    return this.#writer.writableLength;
  }

  listen(events: SideEvents): void {
    this.#events = events;
    const socket = this.#socket;
    this.#reads.listen((bytes) => events.received(bytes));
    socket.on("end", () => {
      const turn = this.#reads.shared.turns.takeToEnd();
      if (turn) void turn.then(() => events.ended());
      else events.ended();
    });
    socket.on("drain", () => events.drained());
    socket.on("error", (cause) => events.failed(cause));
    socket.on("close", () => events.closed());
  }

  resume(): void {
    this.#reads.resume();
  }

  discard(): void {
    this.#reads.discard();
  }

  pause(): void {
    this.#reads.pause();
  }

  write(bytes: Uint8Array): boolean {
    return this.#writerFor(bytes.length).write(bytes);
  }

  writeAlone(bytes: Uint8Array): boolean {
    const writer = this.#writerFor(bytes.length);
    // What the system has taken at once counts no more by then, though a stream says later that it has.
    return writer.write(bytes) || writer.writableLength === 0;
  }

  end(): void {
    // The connection's end comes behind what was written.
    if (this.#writer === this.#socket) this.#socket.end();
    else this.#writer.end(() => this.#socket.end());
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  close(): void {
    this.#socket.destroy();
  }

  /**
   * What the next bytes are written to. It is another socket, by {@linkcode writingSocket}, before they
   * may have to wait for a peer that has sent nothing.
   */
  #writerFor(count: number): Socket {
    const socket = this.#socket;
    if (this.#reads.hasRead || this.#writer !== socket) return this.#writer;
    if (socket.bytesWritten + count <= FITTING_BYTES) return socket;
    // What waits there must not be overtaken.
    if (socket.writableLength > 0) return socket;
    const writer = writingSocket(socket, SOCKET_OPTIONS);
    if (!writer) return socket;
    this.#writer = writer;
    writer.on("drain", () => this.#events!.drained());
    writer.on("error", (cause) => socket.destroy(cause));
    socket.on("close", () => writer.destroy());
    return writer;
  }
}

function tcpOf(hostname: string | undefined, port: number | undefined): Address {
  return { transport: "tcp", hostname: plainHost(hostname ?? ""), port: port ?? 0 };
}

/** Clients over IPv4 come to a listener on [::] as ::ffff:192.0.2.1. */
export function plainHost(hostname: string): string {
  return hostname.replace(/^::ffff:(?=\d+\.)/, "");
}
