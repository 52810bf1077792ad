import type { HeaderInit } from "./frame_encoder.ts";

/**
 * A frame to be sent whose content is a stream: it is sent as it is read, so it may be larger than
 * memory. Its size must be known, because it stands in the header, before the content. A
 * `StreamedMessage` is one: what comes in can be passed on.
 *
 * Streams of type `bytes` are read without a copy for each chunk.
 */
export interface StreamedFrame {
  /** The header's fields; `content-length` is how many bytes the stream gives. */
  readonly header: HeaderInit & { readonly "content-length": number };
  /**
   * The bytes. Whoever sends the frame takes the stream over: reads it to its end, or cancels it.
   */
  readonly content: ReadableStream<Uint8Array>;
}

/** Whether a frame's content is a stream, whatever else the value may be. */
export function isStreamedFrame(frame: unknown): frame is StreamedFrame {
  if (typeof frame !== "object" || frame === null || !("content" in frame)) return false;
  const { content } = frame;
  return typeof content === "object" && content !== null && "getReader" in content;
}
