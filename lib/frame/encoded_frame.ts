import { FrameDecoder } from "./frame_decoder.ts";
import { encodeFrame, type OutgoingFrame } from "./frame_encoder.ts";

/**
 * A frame that is encoded already, for what is sent many times, such as the answer to a frequent
 * request: it is encoded once, and sending it is a copy. Bytes that are given without this mark are
 * the content of a frame.
 *
 * @example
 * ```ts
 * import { EncodedFrame, jsonFrame } from "@socktool/socktool/frame";
 * import { assertEquals } from "@std/assert";
 *
 * const pong = EncodedFrame.encode(jsonFrame({ pong: true }));
 * assertEquals(EncodedFrame.from(pong.bytes).bytes, pong.bytes);
 * ```
 */
export class EncodedFrame {
  /** The whole frame: length, header and content. Must not be written to. */
  readonly bytes: Uint8Array;

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Encodes a frame. @throws {RangeError | TypeError} as `encodeFrame` does. */
  static encode(frame: OutgoingFrame): EncodedFrame {
    return new EncodedFrame(encodeFrame(frame));
  }

  /**
   * Takes bytes that are an encoded frame, such as those of a frame that came. They are not copied,
   * so they must stay as they are.
   *
   * @throws {TypeError} if they are not exactly one frame.
   */
  static from(bytes: Uint8Array): EncodedFrame {
    const decoder = new FrameDecoder({ maxContentBytes: Infinity });
    const { frames, error } = decoder.decode(bytes);
    const cause = error ?? decoder.end();
    if (cause || frames.length !== 1) {
      const what = cause ? cause.message : `they are ${frames.length} frames`;
      throw new TypeError(`Cannot take the bytes as one encoded frame: ${what}`, { cause });
    }
    return new EncodedFrame(bytes);
  }
}
