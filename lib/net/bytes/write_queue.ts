import { ByteBuffer } from "../../base/byte_buffer.ts";
import { Condition } from "../../base/condition.ts";
import { checkTransferred } from "./byte_duplex.ts";
import { giveBuffer, takeBuffer } from "./buffer_pool.ts";
import type { SharedMemory } from "./shared_memory.ts";

/** After a write larger than this the next one begins with a large buffer. */
const MUCH_BYTES = 8_192;

/**
 * Fewer bytes than this are copied instead of borrowed, as are bytes that are less than an eighth
 * of their memory, because all of the memory is held until they are sent.
 */
const BORROWED_BYTES = 8_192;
const BORROWED_SHARE = 1 / 8;

/** The counter is told only of changes of at least this size. */
const COUNTED_BYTES = 8_192;

const NO_BUFFER = new ByteBuffer(0);

/** Where a {@linkcode WriteQueue} sends its bytes, such as a `Deno.Conn`. */
export interface ByteSink {
  /** Writes some of the bytes, perhaps not all; resolves to how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Counts the bytes that wait in a {@linkcode WriteQueue}, without those in memory that many share.
 */
export interface OutputCounter {
  /** That many more bytes wait; fewer, if it is negative. */
  countOutput(bytes: number): void;
}

/**
 * The bytes that a connection has to send. A producer appends messages to
 * {@linkcode WriteQueue.buffer} and calls {@linkcode WriteQueue.flush} after the last one of a
 * batch, so that many small messages are sent by one write: 66-byte frames at 11 to 31 M/s, and at
 * 0.18 M/s with a write for each. What is appended while a write is pending is sent by the next
 * write.
 *
 * The queue takes any number of bytes. For back-pressure the producer has to wait for
 * {@linkcode WriteQueue.room}.
 */
export class WriteQueue {
  /** How many bytes the socket took so far. */
  writtenBytes = 0;
  /**
   * Called after each write, for a producer that keeps its bytes back until there is room. What it
   * appends then is sent without a flush. It is also called when a write has failed, before
   * {@linkcode WriteQueue.unsent} is dropped. It must not throw or call `flush`.
   */
  onWritten: (() => void) | undefined;
  readonly #sink: ByteSink;
  readonly #highWaterBytes: number;
  readonly #explain: (cause: unknown) => Error;
  readonly #counter: OutputCounter | undefined;
  #countedBytes = 0;
  /** Bytes in borrowed memory; they are sent before those in the buffer. */
  #borrowed: Uint8Array | undefined;
  #gathering = NO_BUFFER;
  /** Whether the last write was large. */
  #sendsMuch = false;
  /** The rest of the bytes that are being sent; `undefined` while nothing is. */
  #sending: Uint8Array | undefined;
  /** How many bytes before them the socket has taken of the same write. */
  #takenBytes = 0;
  /** The memory of those bytes: a buffer of the pool, or borrowed memory. */
  #sendingMemory: ByteBuffer | SharedMemory | undefined;
  /** The memory of the bytes in `#borrowed`. */
  #lender: SharedMemory | undefined;
  #failure: Error | undefined;
  readonly #room = new Condition();
  readonly #idle = new Condition();
  // Made once, so that a write needs neither a new closure nor an async function.
  #onSinkWrote: ((count: number) => void) | undefined;
  #onSinkFailed: ((cause: unknown) => void) | undefined;

  /**
   * Makes an empty queue.
   *
   * @param sink Where the bytes go.
   * @param highWaterBytes While more bytes than this wait, {@linkcode WriteQueue.room} does too.
   * @param explain Makes the error of a failed write from its cause.
   * @param counter Counts the bytes that wait, to within 8 KiB.
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

  /** The buffer to append to; {@linkcode WriteQueue.flush} sends it. */
  get buffer(): ByteBuffer {
    if (this.#gathering === NO_BUFFER) this.#gathering = takeBuffer(this.#sendsMuch);
    return this.#gathering;
  }

  /** How many bytes wait to be sent. */
  get pendingBytes(): number {
    return this.gatheredBytes + (this.#sending?.length ?? 0);
  }

  /** How many of them are not part of the pending write. */
  get gatheredBytes(): number {
    return this.#gathering.length + (this.#borrowed?.length ?? 0);
  }

  /** Whether a write is pending. */
  get writing(): boolean {
    return this.#sending !== undefined;
  }

  /** Whether a write has failed. The connection is lost then, and what is appended is dropped. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * The bytes that the socket has not taken, in the order of sending, each piece with what was
   * appended together. Of the first piece it may have taken a part. They are views.
   */
  unsent(): { readonly bytes: Uint8Array; readonly takenBytes: number }[] {
    const pieces = [this.#borrowed, this.#gathering.view()]
      .filter((bytes) => bytes?.length)
      .map((bytes) => ({ bytes: bytes!, takenBytes: 0 }));
    const rest = this.#sending;
    if (!rest?.length) return pieces;
    const takenBytes = this.#takenBytes;
    const begin = rest.byteOffset - takenBytes;
    const bytes = new Uint8Array(rest.buffer, begin, takenBytes + rest.length);
    return [{ bytes, takenBytes }, ...pieces];
  }

  /**
   * Appends bytes in memory that can be lent. If they are many, and nothing else waits, they are
   * sent from there, so that any number of receivers share one memory; memory that is not shared waits
   * behind a pending write, too. Otherwise they are copied.
   */
  append(bytes: Uint8Array, memory: SharedMemory): void {
    const waits = memory.isShared ? this.pendingBytes : this.gatheredBytes;
    const least = Math.max(BORROWED_BYTES, memory.bytes.length * BORROWED_SHARE);
    if (waits > 0 || bytes.length < least) return this.buffer.append(bytes);
    this.#borrowed = bytes;
    this.#lender = memory;
    memory.borrow();
  }

  /** Sends what was appended: at once, or after the pending write. */
  flush(): void {
    if (this.#failure) this.drop();
    else if (this.#sending === undefined && this.gatheredBytes > 0) this.#send();
    if (this.#counter) this.#count(this.#counter);
  }

  /** Drops what was appended and is not part of the pending write. */
  drop(): void {
    this.#gathering = NO_BUFFER;
    this.#lender?.giveBack();
    this.#borrowed = this.#lender = undefined;
  }

  /**
   * A promise to wait for while more bytes wait than the high-water mark; `undefined` otherwise. It
   * resolves when half of that is left.
   *
   * @throws the error that `explain` made of a failed write.
   */
  room(): Promise<void> | undefined {
    if (!this.#failure && this.pendingBytes <= this.#highWaterBytes) return undefined;
    if (this.#failure) return Promise.reject(this.#failure);
    this.flush();
    return this.#room.wait();
  }

  /** Waits until all bytes are sent. @throws the error that `explain` made of a failed write. */
  async flushed(): Promise<void> {
    this.flush();
    if (this.#sending) await this.#idle.wait();
    if (this.#failure) throw this.#failure;
  }

  /** Begins to send the borrowed bytes, or else the buffer; one of them is not empty. */
  #send(): void {
    if (this.#borrowed) {
      this.#sending = this.#borrowed;
      this.#sendingMemory = this.#lender;
      this.#borrowed = this.#lender = undefined;
    } else {
      this.#sendingMemory = this.#gathering;
      this.#sending = this.#gathering.view();
      this.#gathering = NO_BUFFER;
    }
    this.#takenBytes = 0;
    this.#sendsMuch = this.#sending.length > MUCH_BYTES;
    this.#write(this.#sending);
  }

  #write(rest: Uint8Array): void {
    this.#onSinkWrote ??= (count) => this.#written(count);
    this.#onSinkFailed ??= (cause) => this.#failed(cause);
    try {
      this.#sink.write(rest).then(this.#onSinkWrote, this.#onSinkFailed);
    } catch (cause) {
      // A connection of the program's own may throw instead of rejecting.
      this.#failed(cause);
    }
  }

  #written(count: number): void {
    const sent = this.#sending!;
    try {
      checkTransferred(count, sent.length);
    } catch (error) {
      return this.#failed(error);
    }
    const rest = sent.subarray(count);
    this.#sending = rest;
    this.writtenBytes += count;
    this.#takenBytes += count;
    if (this.#counter) this.#count(this.#counter);
    if (this.#room.isAwaited && this.pendingBytes <= this.#highWaterBytes / 2) this.#room.notify();
    if (rest.length > 0) {
      this.onWritten?.();
      return this.#write(rest);
    }
    this.#sent();
    this.onWritten?.();
    if (this.gatheredBytes > 0) return this.#send();
    this.#idle.notify();
  }

  /** Gives back the memory of the bytes that were sent. */
  #sent(): void {
    const memory = this.#sendingMemory;
    this.#sending = this.#sendingMemory = undefined;
    if (memory instanceof ByteBuffer) giveBuffer(memory);
    else memory?.giveBack();
  }

  /** Tells the counter if the number of waiting bytes has changed much, or is 0. */
  #count(counter: OutputCounter): void {
    // Shared memory never waits behind a write.
    const isShared = (this.#sendingMemory as SharedMemory | undefined)?.isShared;
    const waiting = isShared ? this.gatheredBytes : this.pendingBytes;
    const more = waiting - this.#countedBytes;
    if (Math.abs(more) < COUNTED_BYTES && (waiting > 0 || more === 0)) return;
    this.#countedBytes = waiting;
    counter.countOutput(more);
  }

  #failed(cause: unknown): void {
    this.#failure = this.#explain(cause);
    this.onWritten?.();
    this.drop();
    this.#sent();
    if (this.#counter) this.#count(this.#counter);
    this.#room.fail(this.#failure);
    this.#idle.notify();
  }
}
