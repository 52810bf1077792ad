import { ByteBuffer } from "../../base/byte_buffer.ts";
import { giveBuffer, takeBuffer } from "./buffer_pool.ts";
import type { SharedMemory } from "./shared_memory.ts";

/** A connection whose last write was larger than this begins the next with a large buffer. */
const MUCH_BYTES = 8_192;

/**
 * Fewer bytes than this are copied rather than borrowed, and so are less than an eighth of the
 * memory that they are in: that is held until they are sent.
 */
const BORROWED_BYTES = 8_192;
const BORROWED_SHARE = 1 / 8;

/** A change of what waits that is smaller than this is not counted. */
const COUNTED_BYTES = 8_192;

const NO_BUFFER = new ByteBuffer(0);

/** Where a {@linkcode WriteQueue} sends its bytes; a part of `Deno.Conn`. */
export interface ByteSink {
  /** Writes some of the bytes; resolves to how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Who counts what waits in a {@linkcode WriteQueue}; a part of it that is borrowed is not counted. */
export interface OutputCounter {
  /** So many bytes more wait, or fewer. */
  countOutput(bytes: number): void;
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
  readonly #counter: OutputCounter | undefined;
  #countedBytes = 0;
  /** What goes out before that which is gathered, from memory that somebody else reads into. */
  #borrowed: Uint8Array | undefined;
  #gathering = NO_BUFFER;
  /** Whether the last write was large: the next one begins with a large buffer then. */
  #sendsMuch = false;
  /** What the socket has not taken of what is being sent; `undefined` while nothing is. */
  #sending: Uint8Array | undefined;
  /** Where that lies: in a buffer of the pool, or in the lender's memory. */
  #sendingBuffer: ByteBuffer | undefined;
  #lender: SharedMemory | undefined;
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
   * @param counter Is told of how much waits, to within 8 KiB.
   */
  constructor(
    sink: ByteSink,
    highWaterBytes: number,
    explain: (cause: unknown) => Error = (cause) => new Error("Cannot write", { cause }),
    counter?: OutputCounter,
  ) {
    this.#counter = counter;
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
    return this.gatheredBytes + (this.#sending?.length ?? 0);
  }

  /** Bytes of these that no write has been started for. */
  get gatheredBytes(): number {
    return this.#gathering.length + (this.#borrowed?.length ?? 0);
  }

  /** Whether a write is under way. */
  get writing(): boolean {
    return this.#sending !== undefined;
  }

  /** Whether a write failed: the connection is lost, and further bytes are dropped. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * Adds bytes of a memory that can be borrowed. Many of them are sent from there if nothing else
   * is on its way, so that one memory serves any number of receivers; else they are copied.
   */
  append(bytes: Uint8Array, memory: SharedMemory): void {
    const idle = this.#lender === undefined && this.pendingBytes === 0;
    const many = bytes.length >= BORROWED_BYTES &&
      bytes.length >= memory.bytes.length * BORROWED_SHARE;
    if (!idle || !many || this.#failure !== undefined) return this.buffer.append(bytes);
    this.#borrowed = bytes;
    this.#lender = memory;
    memory.borrow();
  }

  /** Starts to send what was appended, unless a write is under way: that goes on with it. */
  flush(): void {
    if (this.#failure !== undefined) this.#gathering.clear();
    else if (this.#sending === undefined && this.gatheredBytes > 0) this.#send();
    if (this.#counter) this.#count(this.#counter);
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

  /** Begins to send what was borrowed or gathered; there is something. */
  #send(): void {
    if (this.#borrowed) {
      this.#sending = this.#borrowed;
      this.#borrowed = undefined;
    } else {
      this.#sendingBuffer = this.#gathering;
      this.#sending = this.#gathering.view();
      this.#gathering = NO_BUFFER;
    }
    this.#sendsMuch = this.#sending.length > MUCH_BYTES;
    this.#write(this.#sending);
  }

  #write(rest: Uint8Array): void {
    this.#onSinkWrote ??= (count) => this.#written(count);
    this.#onSinkFailed ??= (cause) => this.#failed(cause);
    this.#sink.write(rest).then(this.#onSinkWrote, this.#onSinkFailed);
  }

  #written(count: number): void {
    const rest = this.#sending!.subarray(count);
    this.#sending = rest;
    this.writtenBytes += count;
    if (this.#counter) this.#count(this.#counter);
    if (this.#room && this.pendingBytes <= this.#highWaterBytes / 2) this.#release();
    if (rest.length > 0) {
      this.onWritten?.();
      return this.#write(rest);
    }
    this.#sent();
    this.onWritten?.();
    if (this.gatheredBytes > 0) return this.#send();
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  /** Gives back the memory of what was sent. */
  #sent(): void {
    this.#sending = undefined;
    if (this.#sendingBuffer) giveBuffer(this.#sendingBuffer);
    this.#sendingBuffer = undefined;
    this.#lender?.giveBack();
    this.#lender = undefined;
  }

  /** Tells how much waits, where it has become much more or less, or nothing. */
  #count(counter: OutputCounter): void {
    const sending = this.#lender ? 0 : this.#sending?.length ?? 0;
    const waiting = sending + this.#gathering.length;
    const more = waiting - this.#countedBytes;
    if (Math.abs(more) < COUNTED_BYTES && (waiting > 0 || more === 0)) return;
    this.#countedBytes = waiting;
    counter.countOutput(more);
  }

  #failed(cause: unknown): void {
    this.#failure = this.#explain(cause);
    this.#gathering = NO_BUFFER;
    this.#borrowed = undefined;
    this.#sent();
    if (this.#counter) this.#count(this.#counter);
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
