import { ByteBuffer, Frame } from "../../../frame/mod.ts";
import { SharedMemory } from "../../../net/mod.ts";
import type { BackplaneHost } from "../backplane.ts";

/**
 * The size of a batch at which it is handed on. The frames of a read of 128 KiB mostly fit: with less
 * room, each read would take two writes to each subscriber.
 */
export const BATCH_BYTES = 262_144;

/** How many memories of that size are used over and over: new memory has to be cleared first. */
const MAX_KEPT = 8;

/**
 * Gathers frames, and hands them to the broker. That borrows the memory for as long as it sends from
 * there; the next frames are gathered in other memory then.
 */
export class FrameBatch {
  /** What frames are appended to. */
  readonly buffer: ByteBuffer = new ByteBuffer(0);
  readonly #host: BackplaneHost;
  #memory = new SharedMemory(this.buffer.bytes);
  readonly #kept: SharedMemory[] = [];
  /** The frames up to `framesEnd`. */
  #frames: Frame[] = [];
  #framesEnd = 0;

  /** @param host Gets the frames. */
  constructor(host: BackplaneHost) {
    this.#host = host;
  }

  /**
   * Whether the next frame fits; else what was gathered is to be handed over before.
   *
   * @param bytes About the size of that frame.
   */
  hasRoom(bytes: number): boolean {
    const { length } = this.buffer;
    return length === 0 || length + bytes <= BATCH_BYTES;
  }

  /** Takes memory for the first frame, if the broker sends from that of the last batch. */
  begin(): void {
    const { buffer } = this;
    if (buffer.length > 0 || (buffer.bytes.length > 0 && !this.#memory.borrowed)) return;
    this.#memory = this.#kept.find(({ borrowed }) => !borrowed) ?? this.#make();
    buffer.bytes = this.#memory.bytes;
  }

  /** Notes that the last `many` frames have the header of the one before them, and its size. */
  repeated(many: number, frameBytes: number): void {
    const { bytes, length } = this.buffer;
    const from = length - many * frameBytes;
    this.#decode(from);
    const last = this.#frames.at(-1);
    // Where the decoder refuses a header, it does so again when the batch is handed over.
    if (last?.end !== from) return;
    const { header, start, contentStart } = last;
    const headBytes = contentStart - start;
    for (let at = from; at < length; at += frameBytes) {
      this.#frames.push(new Frame(header, bytes, at, at + headBytes, at + frameBytes));
    }
    this.#framesEnd = length;
  }

  /** Hands over what was gathered, if something was. */
  handOver(): void {
    const { buffer } = this;
    if (buffer.length === 0) return;
    // If a frame did not fit, all of them are in other memory.
    const isShared = buffer.bytes === this.#memory.bytes;
    if (isShared) this.#decode(buffer.length);
    const frames = this.#frames;
    const bytes = buffer.view();
    this.#frames = [];
    this.#framesEnd = 0;
    buffer.clear();
    buffer.bytes = this.#memory.bytes;
    if (!isShared) deliverBytes(this.#host, bytes);
    else if (frames.length > 0) this.#host.deliver(frames, this.#memory);
  }

  /** Decodes what is not decoded yet, up to a frame's end. */
  #decode(end: number): void {
    if (this.#framesEnd === end) return;
    const frames = this.#host.decode(this.buffer.bytes, this.#framesEnd, end);
    for (const frame of frames) this.#frames.push(frame);
    this.#framesEnd = end;
  }

  #make(): SharedMemory {
    const made = new SharedMemory(new Uint8Array(BATCH_BYTES));
    if (this.#kept.length < MAX_KEPT) this.#kept.push(made);
    return made;
  }
}

/** Hands frames to the broker, in memory that it takes over. */
export function deliverBytes(host: BackplaneHost, bytes: Uint8Array<ArrayBuffer>): void {
  const frames = host.decode(bytes, 0, bytes.length);
  if (frames.length > 0) host.deliver(frames, new SharedMemory(bytes));
}
