import { ChunkDecoder, type Frame, HeaderCache } from "../../frame/mod.ts";

/** Frames of these kinds come when a connection is idle, and depend on the time alone. */
const BY_TIME: readonly unknown[] = ["ping", "pong"];

/** What a header begins with: a brace, or white space before it. */
const HEADER_STARTS: readonly number[] = [0x7b, 0x20, 0x09, 0x0a, 0x0d];

/** What all lists know of headers: a cache for each would take 17 KB. */
const headerCache = new HeaderCache();

/**
 * What one side sends, counted in frames; or in bytes, if it is no stream of frames. Pings and their
 * answers do not count.
 */
export class AnswerList {
  /** Whether it is a stream of frames so far. */
  isFrames = true;
  /** How many frames are complete. */
  frameCount = 0;
  /** How many bytes came. */
  byteCount = 0;
  /** The frames that are complete, if they are kept. */
  readonly frames: Frame[] = [];
  /** The bytes in pieces, if they are kept. */
  readonly pieces: Uint8Array[] = [];
  /** For each frame that is kept, how many bytes had come when it was complete. */
  readonly #completeAt: number[] = [];
  /** Made when something comes: many connections of a capture say nothing one way. */
  #decoder: ChunkDecoder | undefined;
  readonly #keeps: boolean;

  /**
   * Makes an empty list.
   *
   * @param keeps Whether frames and bytes are kept, and not only counted.
   */
  constructor(keeps: boolean) {
    this.#keeps = keeps;
  }

  /**
   * Takes what comes next, in memory that does not change.
   *
   * @returns the frames that are complete with it.
   */
  add(bytes: Uint8Array): readonly Frame[] {
    const third = bytes[2 - this.byteCount];
    this.byteCount += bytes.length;
    if (this.#keeps) this.pieces.push(bytes);
    // For a header of other bytes the decoder would wait.
    if (third !== undefined && !HEADER_STARTS.includes(third)) this.isFrames = false;
    if (!this.isFrames) return [];
    this.#decoder ??= new ChunkDecoder({ headerCache });
    const { frames, error } = this.#decoder.push(bytes);
    if (error) this.isFrames = false;
    const counted = frames.filter(({ header }) => !BY_TIME.includes(header["op"]));
    this.frameCount += counted.length;
    if (!this.#keeps) return counted;
    for (const frame of counted) {
      this.frames.push(frame);
      this.#completeAt.push(this.byteCount);
    }
    return counted;
  }

  /** How many of the frames that are kept were complete when the first `bytes` bytes had come. */
  framesWithin(bytes: number): number {
    let [low, high] = [0, this.#completeAt.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#completeAt[middle]! <= bytes) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
