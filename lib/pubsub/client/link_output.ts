import { Deque } from "../../base/deque.ts";
import { type OutgoingFrame, writeFrame } from "../../frame/mod.ts";
import { type ByteSink, WriteQueue } from "../../net/bytes/write_queue.ts";
import { PubSubError } from "./pubsub_error.ts";

const HIGH_WATER_BYTES = 262_144;

/** Frames that leave together: those sent in one turn of the event loop. */
interface Batch {
  /** How many bytes the socket has taken when all of them are sent. */
  readonly target: number;
  readonly sent: PromiseWithResolvers<void>;
}

/** The sending half of a connection: packs what is sent in one turn of the event loop into one write. */
export class LinkOutput {
  readonly #queue: WriteQueue;
  /** Batches whose bytes the socket has not taken, in order. */
  readonly #batches = new Deque<Batch>();
  /** The promise of what was sent in this turn. */
  #open: PromiseWithResolvers<void> | undefined;
  #lost: PubSubError | undefined;

  /**
   * Nothing is sent at first.
   *
   * @param onFailed Is called with the error when a write fails.
   */
  constructor(sink: ByteSink, onFailed: (error: PubSubError) => void) {
    let failure: PubSubError | undefined;
    const explain = (cause: unknown) => failure = lostError(cause);
    this.#queue = new WriteQueue(sink, HIGH_WATER_BYTES, explain);
    this.#queue.onWritten = () => failure ? onFailed(failure) : this.#written();
  }

  /** Bytes that the socket has not taken. */
  get pendingBytes(): number {
    return this.#queue.pendingBytes;
  }

  /**
   * Sends a frame.
   *
   * @returns A promise that resolves when the socket has taken the whole frame, and rejects if it
   * does not. It is the same for all that is sent in one turn.
   * @throws {TypeError | RangeError} as `writeFrame` does; nothing is sent then.
   */
  send(frame: OutgoingFrame): Promise<void> {
    if (this.#lost) return rejected(this.#lost);
    writeFrame(this.#queue.buffer, frame);
    return this.#sent();
  }

  /** Sends frames that are encoded already. They are copied. Result as for `send`. */
  sendBytes(bytes: Uint8Array): Promise<void> {
    if (this.#lost) return rejected(this.#lost);
    this.#queue.buffer.append(bytes);
    return this.#sent();
  }

  /** Resolves once everything is sent; rejects if a write fails. */
  flushed(): Promise<void> {
    this.#flush();
    return this.#queue.flushed();
  }

  /** Sends nothing any more: the promises of what is not sent are rejected. */
  close(reason: unknown): void {
    this.#lost ??= lostError(reason);
    for (const { sent } of this.#batches) sent.reject(this.#lost);
    this.#batches.clear();
    this.#open?.reject(this.#lost);
    this.#open = undefined;
  }

  // One promise for a turn, because one for each frame would cost more than sending it.
  #sent(): Promise<void> {
    if (this.#open === undefined) {
      this.#open = Promise.withResolvers();
      // A program that does not await it must not end with an unhandled rejection.
      this.#open.promise.catch(() => {});
      queueMicrotask(() => this.#flush());
    }
    return this.#open.promise;
  }

  #flush(): void {
    const sent = this.#open;
    if (sent === undefined) return;
    this.#open = undefined;
    const queue = this.#queue;
    this.#batches.push({ target: queue.writtenBytes + queue.pendingBytes, sent });
    queue.flush();
  }

  #written(): void {
    const { writtenBytes } = this.#queue;
    let batch = this.#batches.peek();
    for (; batch && batch.target <= writtenBytes; batch = this.#batches.peek()) {
      this.#batches.shift();
      batch.sent.resolve();
    }
  }
}

function lostError(cause: unknown): PubSubError {
  const message = "The connection was lost before the publication was sent whole";
  return new PubSubError("disconnected", message, { cause });
}

function rejected(error: PubSubError): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(() => {});
  return promise;
}
