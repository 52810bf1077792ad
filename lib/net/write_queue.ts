import { ByteBuffer } from "../frame/mod.ts";
import { giveBuffer, takeBuffer } from "./buffer_pool.ts";

/** A connection whose last write was larger than this begins the next with a large buffer. */
const MUCH_BYTES = 8_192;

const NO_BUFFER = new ByteBuffer(0);

/** Where a {@linkcode WriteQueue} sends its bytes; a part of `Deno.Conn`. */
export interface ByteSink {
  /** Writes some of the bytes; resolves to how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * The bytes on their way out of a connection. Whoever has something to send appends it to
 * {@linkcode WriteQueue.buffer} and calls {@linkcode WriteQueue.flush} once all of its batch is
 * there, so that many small messages leave in one write: 66-byte frames go out at 11 to 31 M/s
 * packed, at 0.18 M/s one by one. While a write is under way the next one gathers.
 *
 * Nothing here refuses bytes: back-pressure is the producer's, by {@linkcode WriteQueue.room}.
 */
export class WriteQueue {
  /** Bytes that were handed to the socket since the start. */
  writtenBytes = 0;
  /**
   * Called whenever the socket took some bytes, and when it failed, for a producer that holds back
   * what it has until there is room. What it appends goes out without a flush. It must not throw,
   * nor flush.
   */
  onWritten: (() => void) | undefined;
  readonly #sink: ByteSink;
  readonly #highWaterBytes: number;
  readonly #explain: (cause: unknown) => Error;
  #gathering = NO_BUFFER;
  /** Whether the last write was large: the next one begins with a large buffer then. */
  #sendsMuch = false;
  /** What is being sent, and how far it is; `undefined` while nothing is. */
  #sending: ByteBuffer | undefined;
  #sentBytes = 0;
  #failure: Error | undefined;
  #room: PromiseWithResolvers<void> | undefined;
  #idle: PromiseWithResolvers<void> | undefined;
  // Made once, with the first write: after it a write costs no closure and no async function.
  #onSinkWrote: ((count: number) => void) | undefined;
  #onSinkFailed: ((cause: unknown) => void) | undefined;

  /**
   * Makes an empty queue.
   *
   * @param sink Where the bytes go.
   * @param highWaterBytes Above it {@linkcode WriteQueue.room} makes the producer wait.
   * @param explain Makes what a failed write is reported as.
   */
  constructor(
    sink: ByteSink,
    highWaterBytes: number,
    explain: (cause: unknown) => Error = (cause) => new Error("Cannot write", { cause }),
  ) {
    this.#sink = sink;
    this.#highWaterBytes = highWaterBytes;
    this.#explain = explain;
  }

  /** Bytes appended to it are sent by the next flush. */
  get buffer(): ByteBuffer {
    if (this.#gathering === NO_BUFFER) this.#gathering = takeBuffer(this.#sendsMuch);
    return this.#gathering;
  }

  /** Bytes that the socket has not taken yet. */
  get pendingBytes(): number {
    const sending = this.#sending ? this.#sending.length - this.#sentBytes : 0;
    return this.#gathering.length + sending;
  }

  /** Bytes of these that no write has been started for. */
  get gatheredBytes(): number {
    return this.#gathering.length;
  }

  /** Whether a write is under way. */
  get writing(): boolean {
    return this.#sending !== undefined;
  }

  /** Whether a write failed: the connection is lost, and further bytes are dropped. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Starts to send what was appended, unless a write is under way: that goes on with it. */
  flush(): void {
    if (this.#failure !== undefined) this.#gathering.clear();
    else if (this.#sending === undefined && this.#gathering.length > 0) this.#send();
  }

  /**
   * Waits until the queue is below its high-water mark; `undefined` if it is.
   *
   * @throws what `explain` made of the failure of a write.
   */
  room(): Promise<void> | undefined {
    if (this.#failure === undefined && this.pendingBytes <= this.#highWaterBytes) return undefined;
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.flush();
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Sends everything. @throws what `explain` made of the failure of a write. */
  async flushed(): Promise<void> {
    this.flush();
    if (this.#sending) {
      this.#idle ??= Promise.withResolvers();
      await this.#idle.promise;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Begins to send what was gathered; there is something. */
  #send(): void {
    this.#sending = this.#gathering;
    this.#sentBytes = 0;
    this.#gathering = NO_BUFFER;
    this.#write();
  }

  #write(): void {
    const { bytes, length } = this.#sending!;
    const rest = bytes.subarray(this.#sentBytes, length);
    this.#onSinkWrote ??= (count) => this.#written(count);
    this.#onSinkFailed ??= (cause) => this.#failed(cause);
    this.#sink.write(rest).then(this.#onSinkWrote, this.#onSinkFailed);
  }

  #written(count: number): void {
    const sending = this.#sending!;
    this.#sentBytes += count;
    this.writtenBytes += count;
    if (this.#room && this.pendingBytes <= this.#highWaterBytes / 2) this.#release();
    if (this.#sentBytes < sending.length) {
      this.onWritten?.();
      return this.#write();
    }
    this.#sendsMuch = sending.length > MUCH_BYTES;
    giveBuffer(sending);
    this.#sending = undefined;
    this.onWritten?.();
    if (this.#gathering.length > 0) return this.#send();
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #failed(cause: unknown): void {
    this.#failure = this.#explain(cause);
    this.#gathering = NO_BUFFER;
    this.#sending = undefined;
    this.onWritten?.();
    this.#release();
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #release(): void {
    if (this.#failure !== undefined) this.#room?.reject(this.#failure);
    else this.#room?.resolve();
    this.#room = undefined;
  }
}
