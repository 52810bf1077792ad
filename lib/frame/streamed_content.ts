import type { Frame } from "./frame.ts";
import type { FrameSource } from "./frame_source.ts";

/** The content of one message, part by part as it arrives. One call at a time. */
export class StreamedContent {
  readonly #source: FrameSource;
  /** The part that arrived last, until somebody asks for it: most messages are told by their header. */
  #arrived: Frame | undefined;
  /** The part that arrived and was not read. */
  #part: Uint8Array | undefined;
  /** Whether the memory of that part holds nothing else that is in use. */
  #ownsPart = false;
  /** Bytes that are still to be read from the source. */
  #left: number;
  #skipped = false;

  /** Begins with the part that came with the header. */
  constructor(first: Frame, source: FrameSource) {
    this.#source = source;
    this.#left = first.header["content-length"];
    this.#came(first);
  }

  /**
   * The next part: a view of the chunk that it came in. `undefined` behind the last.
   *
   * @throws {TypeError} if it was skipped.
   */
  async next(): Promise<Uint8Array | undefined> {
    const part = await this.#nextPart();
    this.drop();
    return part;
  }

  /** The next part, in memory that belongs to the caller. @throws as `next` does. */
  async nextOwn(): Promise<Uint8Array | undefined> {
    const part = await this.#nextPart();
    this.drop();
    return this.#ownsPart ? part : part?.slice();
  }

  /**
   * Reads as many bytes into memory as one read gives. The memory may be transferred: the result is
   * a view of the same memory, perhaps under a new `ArrayBuffer`. `undefined` behind the last byte.
   *
   * @throws as `next` does.
   */
  async readInto(memory: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined> {
    this.#throwIfSkipped();
    this.#lookAtArrived();
    if (!this.#part?.length) {
      const direct = await this.#source.readInto(memory);
      if (direct) {
        this.drop();
        this.#left -= direct.length;
        return direct;
      }
    }
    const part = await this.#nextPart();
    const count = Math.min(part?.length ?? 0, memory.length);
    if (part) memory.set(part.subarray(0, count));
    this.#part = part && part.length > count ? part.subarray(count) : undefined;
    return part && memory.subarray(0, count);
  }

  /** Forgets the part that was not read. */
  drop(): void {
    this.#arrived = undefined;
    this.#part = undefined;
  }

  /** Reads what is left and forgets it. */
  async skip(): Promise<void> {
    this.#skipped ||= this.#arrived !== undefined || this.#part !== undefined || this.#left > 0;
    this.drop();
    while (this.#left > 0) await this.#read();
    this.drop();
  }

  /** The part that was not read, or else the next from the source; never an empty one. */
  async #nextPart(): Promise<Uint8Array | undefined> {
    this.#throwIfSkipped();
    this.#lookAtArrived();
    // The first part of a large content is empty if its chunk ended with the header.
    while (!this.#part?.length && this.#left > 0) {
      await this.#read();
      this.#lookAtArrived();
    }
    return this.#part?.length ? this.#part : undefined;
  }

  async #read(): Promise<void> {
    const frame = await this.#source.next();
    // The source ends only between frames.
    if (!frame) throw new TypeError("The stream of messages was cancelled");
    this.#came(frame);
  }

  #came(frame: Frame): void {
    this.#arrived = frame;
    this.#left -= frame.end - frame.contentStart;
  }

  #lookAtArrived(): void {
    const frame = this.#arrived;
    if (frame === undefined) return;
    this.#arrived = undefined;
    this.#part = frame.content;
    this.#ownsPart = this.#source.ownsMemory(frame);
  }

  #throwIfSkipped(): void {
    if (this.#skipped) {
      throw new TypeError("The content was skipped: the next message was asked for before");
    }
  }
}
