/**
 * What is wrong with an echo:
 *
 * - `wrong-byte`: a byte came back that is not the one that was sent.
 * - `closed`: the server closed the connection before all bytes had come back.
 * - `surplus`: the server sent more bytes than it was sent.
 * - `timed-out`: no byte moved for too long.
 */
export type EchoErrorCode = "wrong-byte" | "closed" | "surplus" | "timed-out";

/** A server did not send back what it was sent. */
export class EchoError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "EchoError";
  /** What is wrong. */
  readonly code: EchoErrorCode;
  /** How many bytes came back as they were sent; so the offset of the first that did not. */
  readonly offset: number;
  /** How many bytes were sent, or handed over to be sent. */
  readonly sentBytes: number;

  /** Made by `exchangeEcho`. */
  constructor(code: EchoErrorCode, message: string, offset: number, sentBytes: number) {
    super(message);
    this.code = code;
    this.offset = offset;
    this.sentBytes = sentBytes;
  }
}
