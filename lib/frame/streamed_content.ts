import type { Frame } from "./frame.ts";
import type { FrameSource } from "./frame_source.ts";

/** The content of one message, part by part as it comes. Calls are made in turn. */
export class StreamedContent {
  readonly #source: FrameSource;
  /** The part that came with the header. */
  #first: Frame | undefined;
  /** Whether all parts have come from the source. */
  #complete: boolean;
  #skipped = false;

  constructor(first: Frame, source: FrameSource) {
    this.#first = first;
    this.#complete = first.complete;
    this.#source = source;
  }

  /** The next part; `undefined` behind the last. @throws {TypeError} if it was skipped. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#skipped) {
      throw new TypeError("The content was skipped: the next message was asked for before");
    }
    let frame = this.#first;
    this.#first = undefined;
    // The first part of a large content is empty where the header ended its chunk.
    while (!frame?.content.length) {
      if (this.#complete) return undefined;
      frame = await this.#read();
    }
    return frame.content;
  }

  /** Drops the part that is there; what has not come is skipped later. */
  drop(): void {
    this.#first = undefined;
  }

  /** Reads past what is left. */
  async skip(): Promise<void> {
    this.#skipped ||= this.#first !== undefined || !this.#complete;
    this.#first = undefined;
    while (!this.#complete) await this.#read();
  }

  async #read(): Promise<Frame> {
    const frame = await this.#source.next();
    // The source ends only between frames.
    if (!frame) throw new TypeError("The stream of messages was cancelled");
    this.#complete = frame.complete;
    return frame;
  }
}
