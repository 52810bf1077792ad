import { Deque } from "../../../base/deque.ts";
import { ByteBuffer } from "../../../base/byte_buffer.ts";
import { type OutgoingFrame, writeFrame } from "../../../frame/frame_encoder.ts";
import type { OutgoingStream } from "../../../net/bytes/outgoing_stream.ts";
import { type Sending, sending, type Sent, type TellUnsent } from "./sent.ts";

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
  readonly sent: Sending;
  /** Whether it is given up. */
  cancelled: boolean;
}

/** Frames that wait to be sent, in order and with a bound. */
export class FrameQueue {
  readonly #maxBytes: number;
  readonly #tell: TellUnsent;
  readonly #entries = new Deque<Entry>();
  /** The entries that may be given up, by their keys. */
  readonly #byKey = new Map<number, Entry>();
  /** The last entry, if it takes further encoded frames. */
  #open: { readonly frames: ByteBuffer; readonly sent: Sending } | undefined;
  #bytes = 0;

  /**
   * Nothing waits at first.
   *
   * @param maxBytes The most that may wait; a stream counts as 1 KiB.
   * @param tell Is told of frames that are not sent, where nobody awaits their promise.
   */
  constructor(maxBytes: number, tell: TellUnsent) {
    this.#maxBytes = maxBytes;
    this.#tell = tell;
  }

  /** How many bytes wait; a stream counts as 1 KiB. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds a frame.
   *
   * @param key With it, {@linkcode FrameQueue.cancel} can give the frame up.
   * @returns A promise that resolves when it is sent, the same as for frames added right before;
   * `undefined` if there is no room for the frame.
   * @throws {TypeError | RangeError} as `writeFrame` does; nothing is added then.
   */
  add(frame: OutgoingFrame, key?: number): Sent | undefined {
    if (key !== undefined) return this.#addAlone(frame, key);
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
  addBytes(bytes: Uint8Array): Sent {
    const { frames, sent } = this.#opened();
    frames.append(bytes);
    this.#bytes += bytes.length;
    return sent.promise;
  }

  /** Adds a frame whose content is a stream. Parameter and result as for `add`. */
  addStream(stream: OutgoingStream, key?: number): Sent | undefined {
    if (this.#bytes + STREAM_BYTES > this.#maxBytes) return undefined;
    this.#bytes += STREAM_BYTES;
    return this.#push(stream, key).promise;
  }

  /** Gives up the frame with a key, if it still waits. */
  cancel(key: number, error: unknown): void {
    const entry = this.#byKey.get(key);
    if (entry === undefined) return;
    this.#byKey.delete(key);
    entry.cancelled = true;
    this.#bytes -= sizeOf(entry);
    drop(entry, error);
  }

  /** Sends what waits. */
  sendTo(target: FrameQueueTarget): void {
    for (let entry = this.#shift(); entry; entry = this.#shift()) {
      const { frames, sent } = entry;
      const done = frames instanceof ByteBuffer
        ? target.sendBytes(frames.view())
        : target.sendStream(frames);
      done.then(sent.resolve, sent.reject);
    }
  }

  /** Drops what waits, and rejects its promises. */
  fail(error: unknown): void {
    for (let entry = this.#shift(); entry; entry = this.#shift()) drop(entry, error);
  }

  /** Takes off the next entry that is not given up. */
  #shift(): Entry | undefined {
    this.#open = undefined;
    this.#bytes = 0;
    this.#byKey.clear();
    let entry = this.#entries.shift();
    while (entry?.cancelled) entry = this.#entries.shift();
    return entry;
  }

  #addAlone(frame: OutgoingFrame, key: number): Sent | undefined {
    const frames = new ByteBuffer(0);
    const size = writeFrame(frames, frame);
    if (this.#bytes + size > this.#maxBytes) return undefined;
    this.#bytes += size;
    return this.#push(frames, key).promise;
  }

  #opened() {
    if (this.#open === undefined) {
      const frames = new ByteBuffer(0);
      const sent = this.#push(frames);
      this.#open = { frames, sent };
    }
    return this.#open;
  }

  #push(frames: ByteBuffer | OutgoingStream, key?: number): Sending {
    this.#open = undefined;
    const entry = { frames, sent: sending(this.#tell), cancelled: false };
    this.#entries.push(entry);
    if (key !== undefined) this.#byKey.set(key, entry);
    return entry.sent;
  }
}

function sizeOf({ frames }: Entry): number {
  return frames instanceof ByteBuffer ? frames.length : STREAM_BYTES;
}

function drop({ frames, sent }: Entry, error: unknown): void {
  if (!(frames instanceof ByteBuffer)) frames.cancel(error);
  sent.reject(error);
}
