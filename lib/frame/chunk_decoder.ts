import { checkGiven } from "../base/option_kinds.ts";
import type { Frame } from "./frame.ts";
import type { FrameError } from "./frame_error.ts";
import { type FrameBatch, FrameDecoder, type FrameDecoderOptions } from "./frame_decoder.ts";

const FIRST_HELD_BYTES = 1_024;

/**
 * Decodes frames from chunks of any size, such as a `ReadableStream` gives. A frame that lies whole
 * in one chunk is a view of that chunk. One that spans chunks is assembled in new memory, which
 * grows as bytes arrive and is not reused. So frames stay valid as long as the chunks are not
 * overwritten.
 *
 * @example
 * ```ts
 * import { ChunkDecoder, encodeFrame } from "@socktool/socktool/frame";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new ChunkDecoder();
 * const texts = [];
 * for (const byte of encodeFrame({ content: "hi" })) {
 *   for (const frame of decoder.push(new Uint8Array([byte])).frames) texts.push(frame.text());
 * }
 * assertEquals(texts, ["hi"]);
 * assertEquals(decoder.end(), undefined);
 * ```
 */
export class ChunkDecoder {
  readonly #decoder: FrameDecoder;
  #held = new Uint8Array(0);
  #heldBytes = 0;

  /**
   * Makes a decoder for one stream.
   *
   * @throws {TypeError | RangeError} if a limit is no number of bytes.
   */
  constructor(options: FrameDecoderOptions = {}) {
    this.#decoder = new FrameDecoder(options);
  }

  /**
   * Decodes the next chunk. All of it is consumed: an unfinished frame at its end is copied and
   * kept. After a recoverable `error` the next call, also with an empty chunk, continues behind the
   * frame concerned.
   *
   * @throws {TypeError} if it is given no bytes.
   */
  push(chunk: Uint8Array): FrameBatch {
    if (!(chunk instanceof Uint8Array)) checkGiven("chunk", chunk, "bytes");
    const frames: Frame[] = [];
    let error: FrameError | undefined;
    let at = 0;
    let starved = false;
    while (this.#heldBytes > 0 && !error && !starved) {
      const due = this.#decoder.needed - this.#heldBytes;
      if (due > 0) {
        starved = at === chunk.length;
        const taken = Math.min(due, chunk.length - at);
        this.#hold(chunk, at, at + taken);
        at += taken;
      }
      const batch = this.#decoder.decode(this.#held, 0, this.#heldBytes);
      error = batch.error;
      for (const frame of batch.frames) frames.push(frame);
      if (batch.consumed > 0) this.#release(batch.consumed);
    }
    if (this.#heldBytes === 0 && !error) {
      const batch = this.#decoder.decode(chunk, at, chunk.length);
      at += batch.consumed;
      if (frames.length === 0 && batch.consumed === chunk.length) return batch;
      error = batch.error;
      for (const frame of batch.frames) frames.push(frame);
    }
    if (at < chunk.length) this.#hold(chunk, at, chunk.length);
    return { frames, consumed: chunk.length, error };
  }

  /** Call it at the end of the stream: gives the error `truncated` if that is inside a frame. */
  end(): FrameError | undefined {
    return this.#decoder.end();
  }

  /** Whether the stream is inside a frame. */
  get midFrame(): boolean {
    return this.#decoder.midFrame;
  }

  /** Bytes that are missing of the content that is handed out in parts; 0 if there is none. */
  get contentLeft(): number {
    return this.#decoder.contentLeft;
  }

  /** See {@linkcode FrameDecoder.passContent}. @throws {RangeError} if fewer bytes are missing. */
  passContent(count: number): void {
    this.#decoder.passContent(count);
  }

  #hold(chunk: Uint8Array, start: number, end: number): void {
    const total = this.#heldBytes + end - start;
    if (total > this.#held.length) {
      const grown = new Uint8Array(Math.max(total, FIRST_HELD_BYTES, this.#held.length * 2));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(chunk.subarray(start, end), this.#heldBytes);
    this.#heldBytes = total;
  }

  // Frames that were handed out are views of this memory, so the rest moves to new memory.
  #release(consumed: number): void {
    const rest = this.#held.subarray(consumed, this.#heldBytes);
    this.#held = rest.length > 0 ? rest.slice() : new Uint8Array(0);
    this.#heldBytes = rest.length;
  }
}
