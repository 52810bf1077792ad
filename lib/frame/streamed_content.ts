import type { Frame } from "./frame.ts";
import type { FrameSource } from "./frame_source.ts";

/** The content of one message, part by part as it comes. Calls are made in turn. */
export class StreamedContent {
  readonly #source: FrameSource;
  /** What has come and was not read; `undefined` once it was. */
  #part: Uint8Array | undefined;
  /** Whether nobody else uses the memory of that part. */
  #ownsPart = false;
  /** Bytes that are to come from the source. */
  #left: number;
  #skipped = false;

  /** Begins with the part that came with the header. */
  constructor(first: Frame, source: FrameSource) {
    this.#source = source;
    this.#left = first.header["content-length"];
    this.#came(first);
  }

  /**
   * The next part: a view, good as long as the chunk that it came in; `undefined` behind the last.
   *
   * @throws {TypeError} if it was skipped.
   */
  async next(): Promise<Uint8Array | undefined> {
    const part = await this.#nextPart();
    this.drop();
    return part;
  }

  /** The next part, in memory that is the caller's alone. @throws as `next` does. */
  async nextOwn(): Promise<Uint8Array | undefined> {
    const part = await this.#nextPart();
    this.drop();
    return this.#ownsPart ? part : part?.slice();
  }

  /**
   * Reads into memory as much as comes at once, which is taken over: what comes is a view of it,
   * perhaps moved. `undefined` behind the last byte.
   *
   * @throws as `next` does.
   */
  async readInto(memory: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined> {
    this.#throwIfSkipped();
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

  /** Drops the part that is there; what has not come is skipped later. */
  drop(): void {
    this.#part = undefined;
  }

  /** Reads past what is left. */
  async skip(): Promise<void> {
    this.#skipped ||= this.#part !== undefined || this.#left > 0;
    this.drop();
    while (this.#left > 0) await this.#read();
    this.drop();
  }

  /** The part that is there, or that comes next; it is never empty. */
  async #nextPart(): Promise<Uint8Array | undefined> {
    this.#throwIfSkipped();
    // The first part of a large content is empty where the header ended its chunk.
    while (!this.#part?.length && this.#left > 0) await this.#read();
    return this.#part?.length ? this.#part : undefined;
  }

  async #read(): Promise<void> {
    const frame = await this.#source.next();
    // The source ends only between frames.
    if (!frame) throw new TypeError("The stream of messages was cancelled");
    this.#came(frame);
  }

  #came(frame: Frame): void {
    this.#part = frame.content;
    this.#ownsPart = this.#source.ownsMemory(frame);
    this.#left -= this.#part.length;
  }

  #throwIfSkipped(): void {
    if (this.#skipped) {
      throw new TypeError("The content was skipped: the next message was asked for before");
    }
  }
}
