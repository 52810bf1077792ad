import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { closeQuietly } from "../base/close_quietly.ts";

/** The smallest and the largest read. An idle connection holds the memory of the smallest. */
const LEAST_READ_BYTES = 1_024;
const LARGEST_READ_BYTES = 65_536;

/**
 * While more than this waits to be sent, nothing is read. Whoever writes in order waits for each
 * write, so only what is written unasked, such as answers to pings, can take that much.
 */
const MAX_UNSENT_BYTES = 262_144;

/**
 * Where what was read takes longer to deal with, the next read is smaller: 64 KiB may be ten thousand
 * frames of a WebSocket, or chunks of a content, each of which costs a few µs.
 */
const MUCH_MS = 2;

/** A peer that sends no more than this, and then nothing for a while, goes before those that flood. */
const LITTLE_BYTES = 2_048;

/** All streams read what they discard into this memory. It is made when it is first needed. */
let unwanted: Buffer | undefined;
const discarded = (): Buffer => unwanted ??= Buffer.allocUnsafeSlow(LARGEST_READ_BYTES);

/** What a {@linkcode ConnStream} waits for, so that others are served too: see `Turns`. */
export interface StreamTurns {
  /** A turn before it hands on what was read, which may be little; `undefined` if none is needed. */
  takeIfBusy(isLittle: boolean): Promise<void> | undefined;
  /** A turn before its end is dealt with: many may end at once. `undefined` if none is needed. */
  takeToEnd(): Promise<void> | undefined;
}

/**
 * A connection as a stream of Node's, for `node:http` and `ws`: with half-close, and with
 * back-pressure in both directions. It is the counterpart of `NodeConn`. The connection belongs to it
 * and is closed when it is destroyed.
 */
export class ConnStream extends Duplex {
  /** The connection under it. */
  readonly conn: Deno.Conn;
  /** How many bytes were received so far. */
  readBytes = 0;
  /** How many bytes the socket took so far. */
  writtenBytes = 0;
  /**
   * Asked before each read that is larger than the smallest one whether there is memory for it; and with
   * 0 before one that is not.
   */
  mayRead: ((bytes: number) => boolean) | undefined;
  #readSize = LEAST_READ_BYTES;
  /** What the next read reads into, if the last one has left it. */
  #memory: Buffer | undefined;
  /** Bytes that came since a read left none in the socket. */
  #bytesInARow = 0;
  #reading = false;
  #held = false;
  #isDiscarding = false;
  readonly #turns: StreamTurns | undefined;

  /**
   * Takes over a connection.
   *
   * @param turns What it waits for beside others. Who reads what comes need not have turns of its own:
   * much of it, such as control frames of a WebSocket, is seen by nobody else.
   */
  constructor(conn: Deno.Conn, turns?: StreamTurns) {
    // What nobody takes stays with the system: a thousand packets of a byte would be as many buffers.
    super({ allowHalfOpen: true, autoDestroy: true, readableHighWaterMark: 1 });
    this.conn = conn;
    this.#turns = turns;
    // Errors are seen by whoever reads or writes. Without a listener they would end the program.
    this.on("error", () => {});
    this.on("resume", () => this.#readOn());
  }

  /** Does nothing: there are other limits in time. */
  setTimeout(): this {
    return this;
  }

  /** Does nothing: TCP connections of servers and clients send small writes at once anyway. */
  setNoDelay(): this {
    return this;
  }

  /** Does nothing: there are other signs of life. */
  setKeepAlive(): this {
    return this;
  }

  /** Keeps the program running. */
  ref(): this {
    (this.conn as Deno.TcpConn).ref?.();
    return this;
  }

  /** Lets the program end. */
  unref(): this {
    (this.conn as Deno.TcpConn).unref?.();
    return this;
  }

  /**
   * Discards what comes from now on, up to the end, without parsing it. The peer may go on sending: if
   * its bytes stayed unread, the kernel would reset the connection, and the peer lose the last answer.
   */
  discardInput(): void {
    this.#isDiscarding = true;
    this.resume();
  }

  override _read(): void {
    if (this.#reading || this.destroyed) return;
    this.#held = this.isPaused() || this.writableLength > MAX_UNSENT_BYTES;
    if (!this.#held) void this.#readSome();
  }

  override _write(chunk: Uint8Array, _: string, done: (error?: Error | null) => void): void {
    this.#writeAll(chunk).then(() => this.#written(done), done);
  }

  /** What was written in one go, such as the head and the content of a message, costs one write. */
  override _writev(
    chunks: { chunk: Uint8Array }[],
    done: (error?: Error | null) => void,
  ): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "", done);
  }

  override _final(done: (error?: Error | null) => void): void {
    // The peer may have gone, which is no failure of the stream.
    this.conn.closeWrite().then(() => done(), () => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    closeQuietly(this.conn);
    done(error);
  }

  async #readSome(): Promise<void> {
    this.#reading = true;
    const memory = this.#isDiscarding ? discarded() : this.#memoryToRead();
    let count: number | null = null;
    let failure: Error | undefined;
    try {
      count = await this.conn.read(memory);
    } catch (error) {
      failure = error as Error;
    }
    const turn = count === null
      ? this.#turns?.takeToEnd()
      : this.#turns?.takeIfBusy(this.#isLittle(count, memory.length));
    if (turn) await turn;
    this.#reading = false;
    if (failure) return void this.destroy(failure);
    if (this.destroyed) return;
    if (count === null) return void this.push(null);
    this.readBytes += count;
    if (this.#isDiscarding) return this._read();
    const begin = performance.now();
    this.push(this.#taken(memory, count));
    const isMuch = performance.now() - begin > MUCH_MS;
    if (isMuch || count < memory.length / 4) {
      this.#readSize = Math.max(memory.length / 2, LEAST_READ_BYTES);
    } else if (count === memory.length) this.#readSize = Math.min(2 * count, LARGEST_READ_BYTES);
  }

  /** Whether what was read is little, with all that came before it without a pause. */
  #isLittle(count: number, size: number): boolean {
    this.#bytesInARow += count;
    const isLittle = this.#bytesInARow <= LITTLE_BYTES;
    if (count < size) this.#bytesInARow = 0;
    return isLittle;
  }

  #memoryToRead(): Buffer {
    const isLeast = this.#readSize === LEAST_READ_BYTES;
    const mayRead = this.mayRead?.(isLeast ? 0 : this.#readSize) ?? true;
    const size = mayRead ? this.#readSize : LEAST_READ_BYTES;
    const memory = this.#memory?.length === size ? this.#memory : Buffer.allocUnsafeSlow(size);
    this.#memory = undefined;
    return memory;
  }

  /**
   * What was read. It may be kept for long, and all of its memory with it: a few bytes get memory of
   * their own.
   */
  #taken(memory: Buffer, count: number): Buffer {
    if (2 * count > memory.length) return memory.subarray(0, count);
    this.#memory = memory;
    const bytes = Buffer.allocUnsafeSlow(count);
    bytes.set(memory.subarray(0, count));
    return bytes;
  }

  async #writeAll(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.length > 0;) {
      const count = await this.conn.write(rest);
      this.writtenBytes += count;
      rest = rest.subarray(count);
    }
  }

  #written(done: () => void): void {
    done();
    this.#readOn();
  }

  /** Reads on if it was kept from it. */
  #readOn(): void {
    if (this.#held) this._read();
  }
}
