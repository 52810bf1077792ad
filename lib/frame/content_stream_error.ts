/**
 * Why a stream of content could not be sent whole:
 *
 * - `too-short`, `too-long`: it gave less or more bytes than the header's `content-length` says.
 * - `wrong-chunk`: it gave something that is no `Uint8Array`.
 * - `timed-out`: it gave nothing for too long.
 * - `failed`: it failed; `cause` is its error.
 */
export type ContentStreamErrorCode =
  | "too-short"
  | "too-long"
  | "wrong-chunk"
  | "timed-out"
  | "failed";

/** A content that was to be sent from a stream, and could not be sent whole. */
export class ContentStreamError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "ContentStreamError";
  /** What went wrong. */
  readonly code: ContentStreamErrorCode;
  /** How many bytes the stream gave. With `too-long` there may have been more. */
  readonly given: number;
  /** The bytes that it had to give: the header's `content-length`. */
  readonly expected: number;

  /** Made by what sends streams. */
  constructor(
    code: ContentStreamErrorCode,
    what: string,
    given: number,
    expected: number,
    options?: ErrorOptions,
  ) {
    super(`The stream of content ${what}`, options);
    this.code = code;
    this.given = given;
    this.expected = expected;
  }
}
