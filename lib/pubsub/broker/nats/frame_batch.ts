import { ByteBuffer, Frame } from "../../../frame/mod.ts";
import { SharedMemory } from "../../../net/mod.ts";
import type { BackplaneHost } from "../backplane.ts";

/**
 * A batch is handed on when it has so many bytes, at the latest. The frames of a read of 128 KiB
 * mostly fit: where they did not, each read took two writes to each subscriber.
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
   * Takes memory, if none is in use.
   *
   * @param bytes About the size of the next frame.
   * @returns Whether that fits; else what was gathered is to be handed over before.
   */
  hasRoom(bytes: number): boolean {
    const { buffer } = this;
    if (buffer.length > 0) return buffer.length + bytes <= BATCH_BYTES;
    if (buffer.bytes.length === 0 || this.#memory.borrowed) {
      this.#memory = this.#kept.find(({ borrowed }) => !borrowed) ?? this.#make();
      buffer.bytes = this.#memory.bytes;
    }
    return true;
  }

  /** Notes that the last frames, so many, are equal to the one before them but for their contents. */
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
    const isShared = buffer.bytes === this.#memory.bytes;
    if (isShared) this.#decode(buffer.length);
    const frames = this.#frames;
    const bytes = buffer.view();
    this.#frames = [];
    this.#framesEnd = 0;
    buffer.clear();
    if (isShared && frames.length > 0) this.#host.deliver(frames, this.#memory);
    if (isShared) return;
    // A frame did not fit: all of them are in other memory.
    buffer.bytes = this.#memory.bytes;
    deliverBytes(this.#host, bytes);
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
