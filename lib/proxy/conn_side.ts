import { Deque } from "../base/deque.ts";
import { addressOf } from "../net/address_of.ts";
import type { Address } from "../net/mod.ts";
import { ReadMemory } from "./read_memory.ts";
import type { Shared } from "./shared.ts";
import type { Side, SideEvents } from "./side.ts";

/** What a {@linkcode ConnSide} needs of a connection. */
export interface SideConn
  extends Pick<Deno.Conn, "localAddr" | "remoteAddr" | "read" | "write" | "closeWrite" | "close"> {
  /** Closes it at once so that the peer sees a reset. A Unix socket has no such thing. */
  reset?(): void;
}

/** A connection with TLS, or over a Unix socket. */
export class ConnSide implements Side {
  readonly remote: Address;
  readonly local: Address;
  hasRead = false;
  readonly #conn: SideConn;
  readonly #shared: Shared;
  readonly #outgoing = new Deque<Uint8Array>();
  #pendingBytes = 0;
  readonly #memory: ReadMemory;
  #events: SideEvents | undefined;
  #isReading = false;
  #isPaused = true;
  #isWriting = false;
  #isLent = false;
  #isEnding = false;
  #hasEnded = false;
  #wasEnded = false;
  #isClosed = false;

  /**
   * Takes over a connection: with TLS, after its handshake.
   *
   * @param place Where it leads, where its ends do not tell: those of a Unix socket have no name.
   */
  constructor(conn: SideConn, shared: Shared, place?: Address) {
    this.#conn = conn;
    this.#shared = shared;
    this.#memory = new ReadMemory(shared.reads);
    this.remote = place ?? addressOf(conn.remoteAddr);
    this.local = place ?? addressOf(conn.localAddr);
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  listen(events: SideEvents): void {
    this.#events = events;
  }

  resume(): void {
    this.#isPaused = false;
    this.#memory.takeBack();
    if (!this.#isReading) void this.#read();
  }

  discard(): void {
    this.#memory.leave();
    this.resume();
  }

  pause(): void {
    this.#isPaused = true;
  }

  write(bytes: Uint8Array): boolean {
    // There is room once all of it is taken: until then it is lent, and need not be copied.
    if (this.#isClosed) return false;
    this.#isLent = true;
    this.#pendingBytes += bytes.length;
    this.#outgoing.push(bytes);
    if (!this.#isWriting) void this.#writeAll();
    return false;
  }

  writeAlone(bytes: Uint8Array): boolean {
    return this.write(bytes);
  }

  end(): void {
    this.#isEnding = true;
    if (!this.#isWriting) void this.#writeAll();
  }

  reset(): void {
    this.#close(() => this.#conn.reset ? this.#conn.reset() : this.#conn.close());
  }

  close(): void {
    this.#close(() => this.#conn.close());
  }

  /** Reads until it is paused. Never rejects. */
  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      while (!this.#isPaused && !this.#isClosed && !this.#wasEnded) {
        const count = await this.#conn.read(this.#memory.free);
        if (this.#isClosed) return;
        if (count !== null) {
          this.hasRead = true;
          const mayGoOn = this.#memory.lend(count, (bytes) => this.#events!.received(bytes));
          if (!mayGoOn) this.#isPaused = true;
        } else {
          await this.#shared.turns.takeToEnd();
          if (this.#isClosed) return;
          this.#wasEnded = true;
          this.#events!.ended();
          this.#closeIfDone();
        }
      }
    } catch (cause) {
      await this.#shared.turns.takeToEnd();
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
        for (let at = 0; at < next.length && !this.#isClosed;) {
          const count = await this.#conn.write(next.subarray(at));
          at += count;
          this.#pendingBytes -= count;
        }
        if (this.#isClosed) return;
        this.#outgoing.shift();
        if (this.#isLent && this.#pendingBytes === 0) {
          this.#isLent = false;
          this.#events!.drained();
        }
      }
      if (!this.#isEnding || this.#hasEnded) return;
      // It resolves when the system has all of it, so that nothing is lost when the socket is closed.
      await this.#conn.closeWrite();
      this.#hasEnded = true;
      this.#closeIfDone();
    } catch (cause) {
      await this.#shared.turns.takeToEnd();
      this.#failed(cause);
    } finally {
      this.#isWriting = false;
    }
  }

  #closeIfDone(): void {
    if (this.#wasEnded && this.#hasEnded) this.close();
  }

  #failed(cause: unknown): void {
    if (this.#isClosed) return;
    this.#events!.failed(cause);
    this.close();
  }

  #close(how: () => void): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#memory.release();
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
