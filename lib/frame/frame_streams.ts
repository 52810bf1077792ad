import { checkOptions } from "../base/option_kinds.ts";
import { ByteBuffer } from "../base/byte_buffer.ts";
import { ChunkDecoder } from "./chunk_decoder.ts";
import type { Frame } from "./frame.ts";
import type { FrameDecoderOptions } from "./frame_decoder.ts";
import type { FrameError } from "./frame_error.ts";
import { type OutgoingFrame, writeFrame } from "./frame_encoder.ts";

/** Options of a {@linkcode FrameDecoderStream}. */
export interface FrameDecoderStreamOptions extends FrameDecoderOptions {
  /**
   * Called for each frame that is too large, which is then skipped. Without it such a frame fails
   * the stream, as does what this throws.
   */
  readonly onSkip?: ((error: FrameError) => void) | undefined;
}

/**
 * Turns a stream of bytes into a stream of batches: the frames that each chunk completed, in order.
 * One stream item per frame would cost more than decoding the frame.
 *
 * Frames are views of the chunks, so chunks must not be written to afterwards. A broken frame fails
 * the stream with a `FrameError`.
 *
 * @example
 * ```ts
 * import { encodeFrame, FrameDecoderStream } from "@socktool/socktool/frame";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = ReadableStream.from([encodeFrame({ content: "a" }), encodeFrame({ content: "b" })]);
 * const texts = [];
 * for await (const frames of bytes.pipeThrough(new FrameDecoderStream())) {
 *   for (const frame of frames) texts.push(frame.text());
 * }
 * assertEquals(texts, ["a", "b"]);
 * ```
 */
export class FrameDecoderStream extends TransformStream<Uint8Array, readonly Frame[]> {
  /**
   * Makes a decoder for one stream.
   *
   * @throws {TypeError | RangeError} if an option is not what it has to be.
   */
  constructor(options: FrameDecoderStreamOptions = {}) {
    checkOptions(options, { onSkip: "function" });
    const { onSkip } = options;
    const decoder = new ChunkDecoder(options);
    super({
      transform(chunk, controller) {
        let batch = decoder.push(chunk);
        let frames = batch.frames;
        try {
          while (batch.error) {
            if (!onSkip || !batch.error.recoverable) throw batch.error;
            onSkip(batch.error);
            batch = decoder.push(NO_BYTES);
            frames = [...frames, ...batch.frames];
          }
        } finally {
          // All in one item: an error discards every item that was not read yet.
          if (frames.length > 0) controller.enqueue(frames);
        }
      },
      flush() {
        const error = decoder.end();
        if (error) throw error;
      },
    });
  }
}

/**
 * Turns a stream of frames, or of arrays of frames, into a stream of bytes with one chunk per item.
 * The chunks belong to their reader. A frame that cannot be encoded fails the stream with the error
 * of `writeFrame`.
 *
 * @example
 * ```ts
 * import { FrameEncoderStream, readMessages } from "@socktool/socktool/frame";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = ReadableStream.from([{ content: "a" }]).pipeThrough(new FrameEncoderStream());
 * for await (const message of readMessages(bytes)) assertEquals(await message.text(), "a");
 * ```
 */
export class FrameEncoderStream
  extends TransformStream<OutgoingFrame | readonly OutgoingFrame[], Uint8Array<ArrayBuffer>> {
  /** Takes no options. */
  constructor() {
    super({
      transform(item, controller) {
        const buffer = new ByteBuffer();
        if (isList(item)) { for (const frame of item) writeFrame(buffer, frame); }
        else writeFrame(buffer, item);
        if (buffer.length > 0) controller.enqueue(buffer.view());
      },
    });
  }
}

const NO_BYTES = new Uint8Array(0);

function isList(
  item: OutgoingFrame | readonly OutgoingFrame[],
): item is readonly OutgoingFrame[] {
  return Array.isArray(item);
}
