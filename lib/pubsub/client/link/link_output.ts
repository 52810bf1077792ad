import { Deque } from "../../../base/deque.ts";
import type { EncodedHead } from "../../../frame/encoded_head.ts";
import { type OutgoingFrame, writeFrame } from "../../../frame/frame_encoder.ts";
import type { OutgoingStream } from "../../../net/bytes/outgoing_stream.ts";
import { type ByteSink, WriteQueue } from "../../../net/bytes/write_queue.ts";
import { FrameQueue, type FrameQueueTarget } from "./frame_queue.ts";
import { PubSubError } from "../pubsub_error.ts";
import { type Sending, sending, type Sent, type TellUnsent } from "./sent.ts";

const HIGH_WATER_BYTES = 262_144;

/** Frames that leave together: those sent in one turn of the event loop, or one with a stream. */
interface Batch {
  /** How many bytes the socket has taken when all of them are sent. */
  readonly target: number;
  readonly sent: Sending;
}

/**
 * The sending half of a connection: packs what is sent in one turn of the event loop into one
 * write. While the content of a frame is being streamed, other frames wait behind it.
 */
export class LinkOutput implements FrameQueueTarget {
  readonly #queue: WriteQueue;
  readonly #onFailed: (error: unknown) => void;
  /** Batches whose bytes the socket has not taken, in order. */
  readonly #batches = new Deque<Batch>();
  /** The promise of what was sent in this turn. */
  #open: Sending | undefined;
  #streaming: OutgoingStream | undefined;
  /** What waits until the stream is sent. Its bound is that of the client's buffer. */
  #behind: FrameQueue;
  readonly #tell: TellUnsent;
  readonly #flushSoon = () => this.#flush();
  #lost: PubSubError | undefined;

  /**
   * Nothing is sent at first.
   *
   * @param onFailed Is called with the error when a write fails, or a stream in the middle of its
   * frame. The connection has to be closed then.
   * @param tell Is told of frames that are not sent, where nobody awaits their promise.
   */
  constructor(sink: ByteSink, onFailed: (error: unknown) => void, tell: TellUnsent) {
    this.#onFailed = onFailed;
    this.#tell = tell;
    this.#behind = new FrameQueue(Infinity, tell);
    let failure: PubSubError | undefined;
    const explain = (cause: unknown) => failure = lostError(cause);
    this.#queue = new WriteQueue(sink, HIGH_WATER_BYTES, explain);
    this.#queue.onWritten = () => failure ? onFailed(failure) : this.#written();
  }

  /** Bytes that the socket has not taken. */
  get pendingBytes(): number {
    return this.#queue.pendingBytes + this.#behind.bytes;
  }

  /** Bytes that the socket has taken since the start. */
  get writtenBytes(): number {
    return this.#queue.writtenBytes;
  }

  /** Whether the content of a frame is being streamed. */
  get isStreaming(): boolean {
    return this.#streaming !== undefined;
  }

  /**
   * Sends a frame.
   *
   * @returns A promise that resolves when the socket has taken the whole frame, and rejects if it
   * does not. It is the same for all that is sent in one turn.
   * @throws {TypeError | RangeError} as `writeFrame` does; nothing is sent then.
   */
  send(frame: OutgoingFrame): Sent {
    if (this.#lost) return this.#rejected(this.#lost);
    if (this.#streaming) return this.#behind.add(frame)!;
    writeFrame(this.#queue.buffer, frame);
    return this.#sent();
  }

  /**
   * Sends a frame whose head is encoded already. Result as for `send`.
   *
   * @param fields As for `EncodedHead.writeWith`; without it, the head is complete.
   * @returns `undefined`, and nothing is sent, while the frame would have to wait behind a stream, and
   * once the connection is lost.
   * @throws {RangeError} as `EncodedHead.writeWith` does; nothing is sent then.
   */
  sendHead(
    head: EncodedHead,
    content: Uint8Array | string,
    fields: string | undefined,
  ): Sent | undefined {
    if (this.#lost || this.#streaming) return undefined;
    const { buffer } = this.#queue;
    if (fields !== undefined) head.writeWith(buffer, content, fields);
    else if (typeof content === "string") head.writeText(buffer, content);
    else head.writeBytes(buffer, content);
    return this.#sent();
  }

  /** Sends frames that are encoded already. They are copied. Result as for `send`. */
  sendBytes(bytes: Uint8Array): Sent {
    if (this.#lost) return this.#rejected(this.#lost);
    if (this.#streaming) return this.#behind.addBytes(bytes);
    this.#queue.buffer.append(bytes);
    return this.#sent();
  }

  /** Sends a frame whose content is a stream, behind all that was sent before. Result as for `send`. */
  sendStream(stream: OutgoingStream): Sent {
    if (this.#lost) {
      stream.cancel(this.#lost);
      return this.#rejected(this.#lost);
    }
    if (this.#streaming) return this.#behind.addStream(stream)!;
    this.#flush();
    this.#streaming = stream;
    const sent = sending(this.#tell);
    void this.#stream(stream, sent);
    return sent.promise;
  }

  /** Sends nothing any more: the promises of what is not sent are rejected. */
  close(reason: unknown): void {
    if (this.#lost) return;
    this.#lost = lostError(reason);
    for (const { sent } of this.#batches) sent.reject(this.#lost);
    this.#batches.clear();
    this.#open?.reject(this.#lost);
    this.#open = undefined;
    this.#streaming?.cancel(this.#lost);
    this.#behind.fail(this.#lost);
  }

  /**
   * Sends one more frame behind those that the socket is taking, and nothing any more: the promises of
   * all others are rejected. `false` if it cannot be sent, because a stream is in the middle of its
   * frame, or the connection is lost.
   */
  closeWith(frame: OutgoingFrame, reason: unknown): boolean {
    const isPossible = !this.#lost && !this.#streaming?.begun;
    this.close(reason);
    if (!isPossible) return false;
    this.#queue.drop();
    writeFrame(this.#queue.buffer, frame);
    this.#queue.flush();
    return true;
  }

  // One promise for a turn, because one for each frame would cost more than sending it.
  #sent(): Sent {
    if (this.#open === undefined) {
      this.#open = sending(this.#tell);
      queueMicrotask(this.#flushSoon);
    }
    return this.#open.promise;
  }

  #flush(): void {
    const sent = this.#open;
    if (sent === undefined) return;
    this.#open = undefined;
    this.#watch(sent);
    this.#queue.flush();
  }

  /** Resolves a promise when the socket has taken all that was appended so far. */
  #watch(sent: Sending): void {
    const { writtenBytes, pendingBytes } = this.#queue;
    if (pendingBytes === 0) sent.resolve();
    else this.#batches.push({ target: writtenBytes + pendingBytes, sent });
  }

  /** Sends a stream, and then what waits behind it. Never rejects. */
  async #stream(stream: OutgoingStream, sent: Sending): Promise<void> {
    try {
      await stream.send(this.#queue);
      this.#watch(sent);
    } catch (error) {
      sent.reject(error);
      // What would be sent now were taken for the rest of the content.
      if (stream.begun) return this.#onFailed(error);
    }
    this.#streaming = undefined;
    const behind = this.#behind;
    this.#behind = new FrameQueue(Infinity, this.#tell);
    behind.sendTo(this);
  }

  #written(): void {
    const { writtenBytes } = this.#queue;
    let batch = this.#batches.peek();
    for (; batch && batch.target <= writtenBytes; batch = this.#batches.peek()) {
      this.#batches.shift();
      batch.sent.resolve();
    }
  }

  #rejected(error: PubSubError): Sent {
    const { promise, reject } = sending(this.#tell);
    reject(error);
    return promise;
  }
}

function lostError(cause: unknown): PubSubError {
  const message = "The connection was lost before the publication was sent whole";
  return new PubSubError("disconnected", message, { cause });
}
