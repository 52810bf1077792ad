import type { Socket } from "node:net";
import type { Address } from "../net/mod.ts";
import type { OwnReads } from "./own_reads.ts";
import type { Side, SideEvents } from "./side.ts";

/** A peer that has vanished is found after this time without a byte. */
const KEEP_ALIVE_MS = 60_000;

/** A connection over TCP. */
export class SocketSide implements Side {
  readonly remote: Address;
  readonly local: Address;
  readonly #socket: Socket;
  readonly #reads: OwnReads;

  /** Takes over a connected socket. */
  constructor(reads: OwnReads) {
    const { socket } = reads;
    this.#socket = socket;
    this.#reads = reads;
    this.remote = tcpOf(socket.remoteAddress, socket.remotePort);
    this.local = tcpOf(socket.localAddress, socket.localPort);
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  listen(events: SideEvents): void {
    const socket = this.#socket;
    this.#reads.listen((bytes) => events.received(bytes));
    socket.on("end", () => events.ended());
    socket.on("drain", () => events.drained());
    socket.on("error", (cause) => events.failed(cause));
    socket.on("close", () => events.closed());
  }

  resume(): void {
    this.#reads.resume();
  }

  pause(): void {
    this.#reads.pause();
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  writeAlone(bytes: Uint8Array, taken: () => void): void {
    this.#socket.write(bytes, (error) => {
      if (!error) taken();
    });
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  close(): void {
    this.#socket.destroy();
  }
}

function tcpOf(hostname: string | undefined, port: number | undefined): Address {
  // Clients over IPv4 come to a listener on [::] as ::ffff:192.0.2.1.
  const plain = (hostname ?? "").replace(/^::ffff:(?=\d+\.)/, "");
  return { transport: "tcp", hostname: plain, port: port ?? 0 };
}
