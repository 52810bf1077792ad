import { checkOptions } from "../base/option_kinds.ts";
import { bytesOption, numericOptions } from "../base/numeric_options.ts";
import type { FrameError } from "./frame_error.ts";
import { DEFAULT_MAX_CONTENT_BYTES } from "./frame_decoder.ts";
import { StreamedMessage } from "./streamed_message.ts";
import { StreamedContent } from "./streamed_content.ts";
import { FrameSource } from "./frame_source.ts";

/** Content above this size is not buffered: 64 KiB. */
const STREAM_ABOVE = 65_536;

/** Options of {@linkcode readMessages}. */
export interface ReadMessagesOptions {
  /** The largest content in bytes. @default {Number.MAX_SAFE_INTEGER} */
  readonly maxContentBytes?: number | undefined;
  /** The largest header in bytes. @default {65_535} */
  readonly maxHeaderBytes?: number | undefined;
  /**
   * The most bytes that `bytes()`, `text()` and the other methods for the whole content read.
   *
   * @default {16_777_216}
   */
  readonly maxBufferedBytes?: number | undefined;
  /**
   * Called for each frame that is too large, which is then skipped. Without it the stream fails.
   */
  readonly onSkip?: ((error: FrameError) => void) | undefined;
  /** When it is aborted, the stream of bytes is cancelled and the messages fail with its reason. */
  readonly signal?: AbortSignal | undefined;
}

const LIMITS = {
  maxContentBytes: bytesOption(Number.MAX_SAFE_INTEGER),
  maxBufferedBytes: bytesOption(DEFAULT_MAX_CONTENT_BYTES),
};

/**
 * Reads messages from a stream of bytes. Content may be larger than memory: it is read from the
 * stream only as the message's reader asks for it. Asking for the next message skips what was not
 * read of the last one. Cancelling the stream of messages cancels the stream of bytes.
 *
 * @example
 * ```ts
 * import { encodeFrame, readMessages } from "@socktool/socktool/frame";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = ReadableStream.from([encodeFrame({ content: "skipped" }), encodeFrame({ content: "b" })]);
 * const messages = readMessages(bytes).getReader();
 * await messages.read();
 * const { value } = await messages.read();
 * assertEquals(await value?.text(), "b");
 * ```
 *
 * @throws {TypeError | RangeError} if an option is not what it has to be, or `bytes` no stream that
 * can be read.
 */
export function readMessages(
  bytes: ReadableStream<Uint8Array>,
  options: ReadMessagesOptions = {},
): ReadableStream<StreamedMessage> {
  checkOptions(options, { onSkip: "function", signal: "signal" });
  const { signal } = options;
  const { maxBufferedBytes, maxContentBytes } = numericOptions(LIMITS, options);
  const { maxHeaderBytes } = options;
  const source = new FrameSource(bytes, {
    maxContentBytes,
    maxHeaderBytes,
    streamAbove: STREAM_ABOVE,
  }, options.onSkip);
  let content: StreamedContent | undefined;
  let abort: () => void;
  const settle = () => signal?.removeEventListener("abort", abort);
  return new ReadableStream<StreamedMessage>({
    start(controller) {
      abort = () => {
        controller.error(signal?.reason);
        // Whoever aborted has no use for a failure to cancel.
        source.cancel(signal?.reason).catch(() => {});
      };
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort, { once: true });
    },
    async pull(controller) {
      try {
        const frame = await source.inTurn(async () => {
          await content?.skip();
          return source.next();
        });
        if (signal?.aborted) return;
        if (frame) {
          content = new StreamedContent(frame, source);
          controller.enqueue(new StreamedMessage(frame.header, content, source, maxBufferedBytes));
        } else {
          settle();
          controller.close();
        }
      } catch (error) {
        settle();
        if (!signal?.aborted) throw error;
      }
    },
    cancel(reason) {
      settle();
      return source.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
