import type { FrameHeader } from "./header.ts";

/**
 * What is wrong with a stream of frames:
 *
 * - `header-syntax`: the header is no JSON object in UTF-8, or its length is 0.
 * - `header-field`: one of the four fields is missing or has a wrong value.
 * - `frame-too-large`: the frame is valid, but above the receiver's limit.
 * - `truncated`: the stream ended inside a frame.
 */
export type FrameErrorCode = "header-syntax" | "header-field" | "frame-too-large" | "truncated";

/** The three parts of a frame on the wire. */
export type FramePart = "header-length" | "header" | "content";

/** The numbers and names that go with a {@linkcode FrameError}. */
export interface FrameErrorDetails {
  /** The header field concerned. */
  readonly field?: string | undefined;
  /** The part of the frame concerned. */
  readonly part?: FramePart | undefined;
  /** Bytes of the part that came before the stream ended. */
  readonly received?: number | undefined;
  /** Bytes of the part that were due. */
  readonly expected?: number | undefined;
  /** The receiver's limit in bytes. */
  readonly limit?: number | undefined;
  /** The header of the frame, with `frame-too-large`. */
  readonly header?: FrameHeader | undefined;
  /** What lies behind it, e.g. the `SyntaxError` of the JSON parser. */
  readonly cause?: unknown;
}

/**
 * A broken stream of frames. After `frame-too-large` the stream can go on: the decoder skips the
 * frame. After any other code nothing that follows can be trusted.
 *
 * @example
 * ```ts
 * import { FrameDecoder, FrameError } from "@socktool/socktool/frame";
 * import { assertEquals, assertInstanceOf } from "@std/assert";
 *
 * const { error } = new FrameDecoder().decode(new Uint8Array([0, 0]));
 * assertInstanceOf(error, FrameError);
 * assertEquals(error.code, "header-syntax");
 * ```
 */
export class FrameError extends Error {
  /** The name of the class. */
  override readonly name = "FrameError";
  /** Which fault it is. */
  readonly code: FrameErrorCode;
  /** The header field concerned, with `header-field`. */
  readonly field: string | undefined;
  /** The part concerned, with `frame-too-large` and `truncated`. */
  readonly part: FramePart | undefined;
  /** Bytes of the part that came, with `truncated`. */
  readonly received: number | undefined;
  /** Bytes of the part that were due, with `frame-too-large` and `truncated`. */
  readonly expected: number | undefined;
  /** The limit that was passed, in bytes, with `frame-too-large`. */
  readonly limit: number | undefined;

  /** The header of the frame, where its content is too large. */
  readonly header: FrameHeader | undefined;

  /** Makes the error; a program meets them as results of a decoder. */
  constructor(code: FrameErrorCode, message: string, details: FrameErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.field = details.field;
    this.part = details.part;
    this.received = details.received;
    this.expected = details.expected;
    this.limit = details.limit;
    this.header = details.header;
  }

  /** Whether the stream can go on behind this frame. */
  get recoverable(): boolean {
    return this.code === "frame-too-large";
  }
}
