/** Why a capture cannot be read, or a recording cannot be made. */
export type CaptureErrorCode = "bad-capture" | "not-a-recording" | "too-large";

/**
 * A capture file that is damaged, or a file that a recording must not replace.
 */
export class CaptureError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "CaptureError";
  /**
   * `bad-capture`: the file is damaged. `not-a-recording`: it is another file. `too-large`: there is
   * more in it than can be played back.
   */
  readonly code: CaptureErrorCode;

  /** Made by what reads captures and by the recorder. */
  constructor(code: CaptureErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
