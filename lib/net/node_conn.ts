import { Duplex } from "node:stream";
import { Deque } from "../base/deque.ts";
import { releaseMemory } from "../base/large_memory.ts";
import { AdaptedConn, type ConnBase } from "./adapted_conn.ts";

/** One write takes at most this much, so that a stream without a bound of its own has one. */
const LARGEST_WRITE_BYTES = 65_536;

const NOTHING = new Uint8Array(0);

/** What lies under the stream of a {@linkcode NodeConn}. */
export interface StreamBase extends ConnBase {
  /** Closes the socket so that its peer sees a reset, if it can. */
  resetSocket?(): void;
  /**
   * Lets the stream bring about this many bytes more, or fewer; then {@linkcode NodeConn.wake} is to
   * be called.
   */
  pull(bytes: number): void;
  /** What to wait for between two writes; `undefined` if there is room for the next. */
  room?(): Promise<void> | undefined;
  /** Waits, once the stream has finished, until the socket has taken all of it. */
  flushed?(): Promise<void>;
  /**
   * Whether each chunk that the stream brings has memory of its own, which nobody else reads. It is
   * given back when it was read: by itself, the runtime gives it back late.
   */
  readonly ownChunks?: boolean;
}

/**
 * Makes a `Deno.Conn` of a stream of Node's, for TLS: with half-close, and with back-pressure in both
 * directions. The memory of a read or write may be reused once it resolves.
 *
 * A peer may end its stream with or without the close message of TLS: both are an end of stream, not
 * an error. What was cut short is for the protocol above to notice.
 */
export class NodeConn extends AdaptedConn {
  /** Whether anything was written to it. */
  hasWritten = false;
  readonly #stream: Duplex;
  readonly #base: StreamBase;
  /** What has arrived and was not read: the rest of one chunk, and further chunks. */
  #chunk: Uint8Array = NOTHING;
  readonly #chunks = new Deque<Uint8Array>();

  /** Takes over the stream and what lies under it. */
  constructor(stream: Duplex, base: StreamBase) {
    super(base);
    this.#stream = stream;
    this.#base = base;
    stream.on("data", (chunk: Uint8Array) => this.#take(chunk));
    stream.on("end", () => this.end());
    stream.on("close", () => this.end());
    stream.on("error", (cause) => this.fail(cause));
  }

  /** Reads some bytes; `null` at the end of stream. */
  override async read(into: Uint8Array): Promise<number | null> {
    if (into.length === 0) return 0;
    while (this.#chunk.length === 0) {
      if (this.#chunks.length > 0) this.#chunk = this.#chunks.shift()!;
      else if (this.failure) throw this.failure.cause;
      else if (this.hasEnded) return null;
      else await this.#arrival(into.length);
    }
    let count = this.#moveTo(into);
    // Records of a byte, a thousand of them, would else be a thousand reads.
    while (count < into.length && this.#chunks.length > 0) {
      this.#chunk = this.#chunks.shift()!;
      count += this.#moveTo(into.subarray(count));
    }
    return count;
  }

  /** Writes some of the bytes; resolves to how many. */
  override write(bytes: Uint8Array): Promise<number> {
    const part = bytes.subarray(0, LARGEST_WRITE_BYTES);
    this.hasWritten = true;
    return this.untilWritten((resolve, reject) => {
      this.#stream.write(part, (error) => {
        if (error) return reject(error);
        const room = this.#base.room?.();
        if (room) void room.then(() => resolve(part.length));
        else resolve(part.length);
      });
    });
  }

  /** Says that no more will be sent. Resolves when the socket has taken that, and all before it. */
  override closeWrite(): Promise<void> {
    return this.untilWritten((resolve) => {
      this.#stream.end(() => {
        if (this.#base.flushed) void this.#base.flushed().then(resolve);
        else resolve();
      });
    });
  }

  /** Closes it at once so that the peer sees a reset, where the socket has such a thing. */
  reset(): void {
    if (this.isClosed) return;
    this.#base.resetSocket?.();
    this.close();
  }

  /**
   * Keeps the stream open until {@linkcode close}, or until it fails. The runtime's TLS destroys itself,
   * and its socket, when both halves have ended, though it has not handed on all that it has encrypted.
   */
  keepAfterEnds(): void {
    const stream = this.#stream;
    stream.destroy = (error) => error ? Duplex.prototype.destroy.call(stream, error) : stream;
  }

  /** Called when what was pulled is there: a read that waits looks whether it is enough. */
  wake(): void {
    this.arrived.notify();
  }

  protected override closing(): void {
    this.#chunk = NOTHING;
    this.#chunks.clear();
    Duplex.prototype.destroy.call(this.#stream);
  }

  #take(chunk: Uint8Array): void {
    if (this.isClosed) return;
    this.#chunks.push(chunk);
    this.wake();
  }

  /** Moves as much of the chunk as there is room for. */
  #moveTo(into: Uint8Array): number {
    const part = this.#chunk.subarray(0, into.length);
    const { length } = part;
    into.set(part);
    if (length < this.#chunk.length) this.#chunk = this.#chunk.subarray(length);
    else {
      if (this.#base.ownChunks) releaseMemory(part);
      this.#chunk = NOTHING;
    }
    return length;
  }

  #arrival(bytes: number): Promise<void> {
    const arrival = this.arrived.wait();
    this.#base.pull(bytes);
    return arrival;
  }
}
