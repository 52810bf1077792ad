import type { FrameHeader } from "./header.ts";

/**
 * Why a stream of frames could not be decoded:
 *
 * - `header-syntax`: the header is not a JSON object in UTF-8, or its length is 0.
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
  /** The size of the part in bytes. */
  readonly expected?: number | undefined;
  /** The receiver's limit in bytes. */
  readonly limit?: number | undefined;
  /** The header of the frame, with `frame-too-large`. */
  readonly header?: FrameHeader | undefined;
  /** The error that caused it, such as the JSON parser's `SyntaxError`. */
  readonly cause?: unknown;
}

/**
 * A stream of frames that is broken, or has a frame above a limit. After `frame-too-large` decoding
 * can continue: the decoder skips the frame. After any other code it cannot, because nobody knows
 * where the next frame begins.
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
  /** The error's name, as it is printed. */
  override readonly name = "FrameError";
  /** What is wrong. */
  readonly code: FrameErrorCode;
  /** The header field concerned, with `header-field`. */
  readonly field: string | undefined;
  /** The part concerned, with `frame-too-large` and `truncated`. */
  readonly part: FramePart | undefined;
  /** Bytes of the part that came, with `truncated`. */
  readonly received: number | undefined;
  /** The size of the part in bytes, with `frame-too-large` and `truncated`. */
  readonly expected: number | undefined;
  /** The limit that was exceeded, in bytes, with `frame-too-large`. */
  readonly limit: number | undefined;
  /** The frame's header, if its content is too large. */
  readonly header: FrameHeader | undefined;

  /** Made by decoders. */
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

  /** Whether decoding can continue behind this frame. */
  get recoverable(): boolean {
    return this.code === "frame-too-large";
  }
}

/** The error of a stream that ended inside a part of a frame. */
export function truncated(part: FramePart, received: number, expected: number): FrameError {
  const message = `The stream ended inside the ${part.replace("-", " ")} of a frame: ` +
    `${received} of ${expected} bytes came`;
  return new FrameError("truncated", message, { part, received, expected });
}
