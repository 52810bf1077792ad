/** What is wrong with an echo. */
export type EchoErrorCode = "wrong-byte" | "closed" | "surplus" | "timed-out";

/** A server that did not send back what it was sent. */
export class EchoError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "EchoError";
  /**
   * What is wrong: a byte differs, the server closed the connection before the end, it sent more
   * than it was sent, or nothing moved for too long.
   */
  readonly code: EchoErrorCode;
  /** How many bytes came back right: the offset of the first one that did not. */
  readonly offset: number;
  /** How many bytes were sent, or were about to be. */
  readonly sentBytes: number;

  /** Made by `exchangeEcho`. */
  constructor(code: EchoErrorCode, message: string, offset: number, sentBytes: number) {
    super(message);
    this.code = code;
    this.offset = offset;
    this.sentBytes = sentBytes;
  }
}
