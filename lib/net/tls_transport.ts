import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import { closeQuietly } from "../base/close_quietly.ts";
import { Condition } from "../base/condition.ts";
import { releaseMemory } from "../base/large_memory.ts";

/** What a record of TLS adds to the bytes in it, at most. */
const RECORD_BYTES = 256;

/** The largest read: four records. */
const LARGEST_READ_BYTES = 65_536 + RECORD_BYTES;

/** Memory that is more than this many times as large as the next read is replaced. */
const TOO_LARGE = 8;

/** While more than this waits to be sent, {@linkcode TlsTransport.room} waits. */
const HIGH_WATER_BYTES = 65_536;

interface ResettableConn {
  /** Closes it at once so that the peer sees a reset. */
  reset(): void;
}

/** What happens to a {@linkcode TlsTransport}. */
export interface TransportEvents {
  /** What was pulled is there, though it need not be a whole record. */
  pulled(): void;
  /** The peer sends no more. */
  ended(): void;
  /** The socket failed. */
  failed(cause: unknown): void;
  /** TLS has given up: the socket is to be closed. @default {closes it} */
  destroyed?(): void;
  /** What to wait for before the end of the connection is dealt with: many may end at once. */
  turnToEnd?(): Promise<void> | undefined;
}

/**
 * A TCP connection as the stream of encrypted bytes that `node:tls` reads from and writes to. The
 * runtime's TLS decrypts whatever it is given and keeps it, without a bound. So this stream is given
 * bytes only on demand, and counts those that the socket has not taken.
 */
export class TlsTransport extends Duplex {
  /** What is decrypted is new memory, a chunk each. */
  readonly ownChunks = true;
  readonly #events: TransportEvents;
  readonly #conn: Deno.Conn;
  #memory = new Uint8Array(0);
  /** What was pulled before anybody could take it. */
  #held: Uint8Array | undefined;
  #started = false;
  #reading = false;
  #over = false;
  #unsentBytes = 0;
  /** Whether anything was written to the socket. */
  hasWritten = false;
  readonly #room = new Condition();
  readonly #idle = new Condition();
  // Made once: a read costs no closure.
  readonly #onRead = (count: number | null) => {
    if (count === null) this.#inTurn(() => this.#ended());
    else this.#read(count);
  };
  readonly #onReadFailed = (cause: unknown) => this.#inTurn(() => this.#failed(cause));

  /** Takes over the connection. `events` is told what happens; nothing is emitted as `error`. */
  constructor(conn: Deno.Conn, events: TransportEvents) {
    super({ allowHalfOpen: true, autoDestroy: false, readableHighWaterMark: LARGEST_READ_BYTES });
    this.#conn = conn;
    this.#events = events;
  }

  /** Where it comes from. */
  get remoteAddr(): Deno.Addr {
    return this.#conn.remoteAddr;
  }

  /** Where it arrived. */
  get localAddr(): Deno.Addr {
    return this.#conn.localAddr;
  }

  /** Keeps the program running. */
  ref(): void {
    (this.#conn as Deno.TcpConn).ref();
  }

  /** Lets the program end. */
  unref(): void {
    (this.#conn as Deno.TcpConn).unref();
  }

  /** Hands on what was pulled so far; further bytes are handed on as they come. */
  start(): void {
    this.#started = true;
    if (this.#held) this.push(this.#held);
    this.#held = undefined;
  }

  /** Reads once what is there, at most about as many bytes, unless a read is under way. */
  pull(bytes: number): void {
    if (this.#reading || this.#over) return;
    this.#reading = true;
    const size = Math.min(bytes + RECORD_BYTES, LARGEST_READ_BYTES);
    const { length } = this.#memory;
    if (length < size || length > size * TOO_LARGE) this.#memory = new Uint8Array(size);
    this.#conn.read(this.#memory).then(this.#onRead, this.#onReadFailed);
  }

  /** Waits until the socket has taken most of what was written; `undefined` if it has. */
  room(): Promise<void> | undefined {
    if (this.#over || this.#unsentBytes <= HIGH_WATER_BYTES) return undefined;
    return this.#room.wait();
  }

  /**
   * Waits until the socket has taken all that TLS has encrypted so far, the message that says the end
   * included: the runtime says that a TLS stream has finished when it has not handed that on yet.
   */
  async flushed(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.#over || this.#unsentBytes === 0) return;
    await this.#idle.wait();
  }

  /** Closes the socket at once. */
  closeSocket(): void {
    if (!this.#over) this.#end();
    closeQuietly(this.#conn);
  }

  /** Closes the socket at once, with a reset if it has one. */
  resetSocket(): void {
    if ("reset" in this.#conn) (this.#conn as ResettableConn).reset();
    this.closeSocket();
  }

  /** Bytes come when they are pulled. */
  override _read(): void {}

  override _write(chunk: Uint8Array, _: string, done: (error?: Error | null) => void): void {
    void this.#write(chunk).then(() => {
      done();
      // What was encrypted meanwhile has been handed on by then.
      if (this.#unsentBytes === 0) this.#idle.notify();
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#conn.closeWrite().then(() => done(), () => done());
  }

  override _destroy(_: Error | null, done: (error?: Error | null) => void): void {
    if (this.#events.destroyed) this.#events.destroyed();
    else this.closeSocket();
    done(null);
  }

  async #write(chunk: Uint8Array): Promise<void> {
    this.#unsentBytes += chunk.length;
    this.hasWritten = true;
    try {
      let rest = chunk;
      while (rest.length > 0 && !this.#over) {
        const count = await this.#conn.write(rest);
        this.#unsentBytes -= count;
        rest = rest.subarray(count);
      }
    } catch (cause) {
      this.#failed(cause);
    }
    // What was encrypted is in memory of its own, which the runtime gives back late.
    releaseMemory(chunk);
    if (this.#unsentBytes <= HIGH_WATER_BYTES) this.#room.notify();
  }

  #inTurn(end: () => void): void {
    const turn = this.#events.turnToEnd?.();
    if (turn) void turn.then(end);
    else end();
  }

  #ended(): void {
    this.#reading = false;
    if (this.#over) return;
    this.push(null);
    this.#events.ended();
  }

  #read(count: number): void {
    this.#reading = false;
    if (this.#over) return;
    const chunk = this.#memory.subarray(0, count);
    if (this.#started) this.push(chunk);
    else this.#held = chunk;
    // What nobody has taken at once is still read from that memory.
    if (!this.#started || this.readableLength > 0) this.#memory = new Uint8Array(0);
    this.#events.pulled();
  }

  #failed(cause: unknown): void {
    this.#reading = false;
    if (this.#over) return;
    this.#end();
    this.#events.failed(cause);
  }

  #end(): void {
    this.#over = true;
    this.#room.notify();
    this.#idle.notify();
  }
}
