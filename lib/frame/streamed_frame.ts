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

/** Whether a frame's content is a stream, whatever else the value may be. It never throws. */
export function isStreamedFrame(frame: unknown): frame is StreamedFrame {
  if (typeof frame !== "object" || frame === null) return false;
  try {
    // Those of another realm, such as another frame of a page, have their methods too.
    const { content } = frame as StreamedFrame;
    return typeof content === "object" && typeof content?.getReader === "function" &&
      typeof content.cancel === "function";
  } catch {
    // Whoever encodes it is told what its getter throws.
    return false;
  }
}
