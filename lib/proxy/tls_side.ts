import { Deque } from "../base/deque.ts";
import { addressOf } from "../net/address_of.ts";
import type { Address } from "../net/mod.ts";
import type { NodeConn } from "../net/node_conn.ts";
import type { Side, SideEvents } from "./side.ts";

/** While more than this waits to be written, there is no room for more. */
const HIGH_WATER_BYTES = 65_536;

const READ_BYTES = 65_536;

/** After both ends of the stream, the socket is open for this long. */
const LINGER_MS = 250;

/** Bytes that wait to be written, and who is told when they are. */
interface Outgoing {
  readonly bytes: Uint8Array;
  readonly taken: (() => void) | undefined;
}

/** A connection with TLS. */
export class TlsSide implements Side {
  readonly remote: Address;
  readonly local: Address;
  readonly #conn: NodeConn;
  readonly #outgoing = new Deque<Outgoing>();
  #pendingBytes = 0;
  #memory: Uint8Array<ArrayBuffer> | undefined;
  #events: SideEvents | undefined;
  #isReading = false;
  #isPaused = true;
  #isWriting = false;
  #isFull = false;
  #isEnding = false;
  #hasEnded = false;
  #wasEnded = false;
  #isClosed = false;
  #linger: ReturnType<typeof setTimeout> | undefined;

  /** Takes over a connection whose handshake is complete. */
  constructor(conn: NodeConn) {
    this.#conn = conn;
    this.remote = addressOf(conn.remoteAddr);
    this.local = addressOf(conn.localAddr);
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  listen(events: SideEvents): void {
    this.#events = events;
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isReading) void this.#read();
  }

  pause(): void {
    this.#isPaused = true;
  }

  write(bytes: Uint8Array): boolean {
    // They may be lent.
    this.#push(bytes.slice(), undefined);
    this.#isFull ||= this.#pendingBytes > HIGH_WATER_BYTES;
    return !this.#isFull;
  }

  writeAlone(bytes: Uint8Array, taken: () => void): void {
    this.#push(bytes, taken);
  }

  end(): void {
    this.#isEnding = true;
    if (!this.#isWriting) void this.#writeAll();
  }

  reset(): void {
    this.#close(() => this.#conn.reset());
  }

  close(): void {
    this.#close(() => this.#conn.close());
  }

  #push(bytes: Uint8Array, taken: (() => void) | undefined): void {
    if (this.#isClosed) return;
    this.#pendingBytes += bytes.length;
    this.#outgoing.push({ bytes, taken });
    if (!this.#isWriting) void this.#writeAll();
  }

  /** Reads until it is paused. Never rejects. */
  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      while (!this.#isPaused && !this.#isClosed && !this.#wasEnded) {
        this.#memory ??= new Uint8Array(READ_BYTES);
        const count = await this.#conn.read(this.#memory);
        if (this.#isClosed) return;
        if (count !== null) {
          if (!this.#events!.received(this.#memory.subarray(0, count))) {
            this.#isPaused = true;
            // It may be in use after a fault has this side read on.
            this.#memory = undefined;
          }
        } else {
          this.#wasEnded = true;
          this.#events!.ended();
          this.#closeIfDone();
        }
      }
    } catch (cause) {
      this.#failed(cause);
    } finally {
      this.#isReading = false;
    }
  }

  /** Writes what waits, then the end of the stream if that was asked for. Never rejects. */
  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    try {
      for (let next = this.#outgoing.peek(); next; next = this.#outgoing.peek()) {
        for (let at = 0; at < next.bytes.length && !this.#isClosed;) {
          const count = await this.#conn.write(next.bytes.subarray(at));
          at += count;
          this.#pendingBytes -= count;
        }
        if (this.#isClosed) return;
        this.#outgoing.shift();
        next.taken?.();
        if (this.#isFull && this.#pendingBytes === 0) {
          this.#isFull = false;
          this.#events!.drained();
        }
      }
      if (!this.#isEnding || this.#hasEnded) return;
      await this.#conn.closeWrite();
      // Not before: what waits below TLS would be lost with the socket.
      this.#hasEnded = true;
      this.#closeIfDone();
    } catch (cause) {
      this.#failed(cause);
    } finally {
      this.#isWriting = false;
    }
  }

  #closeIfDone(): void {
    if (!this.#wasEnded || !this.#hasEnded || this.#isClosed) return;
    // What says the end has to leave the socket first.
    this.#linger = setTimeout(() => this.close(), LINGER_MS);
  }

  #failed(cause: unknown): void {
    if (this.#isClosed) return;
    this.#events!.failed(cause);
    this.close();
  }

  #close(how: () => void): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#linger);
    this.#outgoing.clear();
    this.#pendingBytes = 0;
    try {
      how();
    } catch {
      // The peer has closed it.
    }
    queueMicrotask(() => this.#events?.closed());
  }
}
