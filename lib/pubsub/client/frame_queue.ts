import { Deque } from "../../base/deque.ts";
import { ByteBuffer, type OutgoingFrame, writeFrame } from "../../frame/mod.ts";
import type { OutgoingStream } from "../../net/bytes/outgoing_stream.ts";

/** What a stream that waits counts as, in bytes. */
const STREAM_BYTES = 1_024;

/** Where the frames of a {@linkcode FrameQueue} go in the end. */
export interface FrameQueueTarget {
  /** Sends encoded frames, which it copies. */
  sendBytes(bytes: Uint8Array): Promise<void>;
  /** Sends a frame whose content is a stream. */
  sendStream(stream: OutgoingStream): Promise<void>;
}

/** Encoded frames, or one whose content is a stream, and the promise that they are sent. */
interface Entry {
  readonly frames: ByteBuffer | OutgoingStream;
  readonly sent: PromiseWithResolvers<void>;
}

/** Frames that wait to be sent, in order and with a bound. */
export class FrameQueue {
  readonly #maxBytes: number;
  readonly #entries = new Deque<Entry>();
  /** The last entry, if it takes further encoded frames. */
  #open: { readonly frames: ByteBuffer; readonly sent: PromiseWithResolvers<void> } | undefined;
  #bytes = 0;

  /** @param maxBytes The most that may wait; a stream counts as 1 KiB. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many bytes wait; a stream counts as 1 KiB. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds a frame.
   *
   * @returns A promise that resolves when it is sent, the same as for frames added right before;
   * `undefined` if there is no room for the frame.
   * @throws {TypeError | RangeError} as `writeFrame` does; nothing is added then.
   */
  add(frame: OutgoingFrame): Promise<void> | undefined {
    const { frames, sent } = this.#opened();
    const before = frames.length;
    const size = writeFrame(frames, frame);
    if (this.#bytes + size > this.#maxBytes) {
      frames.length = before;
      return undefined;
    }
    this.#bytes += size;
    return sent.promise;
  }

  /** Adds frames that are encoded already, whether there is room or not. Result as for `add`. */
  addBytes(bytes: Uint8Array): Promise<void> {
    const { frames, sent } = this.#opened();
    frames.append(bytes);
    this.#bytes += bytes.length;
    return sent.promise;
  }

  /** Adds a frame whose content is a stream. Result as for `add`. */
  addStream(stream: OutgoingStream): Promise<void> | undefined {
    if (this.#bytes + STREAM_BYTES > this.#maxBytes) return undefined;
    this.#bytes += STREAM_BYTES;
    this.#open = undefined;
    return this.#push(stream).promise;
  }

  /** Sends what waits. */
  sendTo(target: FrameQueueTarget): void {
    this.#open = undefined;
    this.#bytes = 0;
    for (let entry = this.#entries.shift(); entry; entry = this.#entries.shift()) {
      const { frames, sent } = entry;
      const sending = frames instanceof ByteBuffer
        ? target.sendBytes(frames.view())
        : target.sendStream(frames);
      sending.then(sent.resolve, sent.reject);
    }
  }

  /** Drops what waits, and rejects its promises. */
  fail(error: unknown): void {
    this.#open = undefined;
    this.#bytes = 0;
    for (let entry = this.#entries.shift(); entry; entry = this.#entries.shift()) {
      if (!(entry.frames instanceof ByteBuffer)) entry.frames.cancel(error);
      entry.sent.reject(error);
    }
  }

  #opened() {
    if (this.#open === undefined) {
      const frames = new ByteBuffer(0);
      this.#open = { frames, sent: this.#push(frames) };
    }
    return this.#open;
  }

  #push(frames: ByteBuffer | OutgoingStream): PromiseWithResolvers<void> {
    const sent = Promise.withResolvers<void>();
    // A program that does not await it must not end with an unhandled rejection.
    sent.promise.catch(() => {});
    this.#entries.push({ frames, sent });
    return sent;
  }
}
