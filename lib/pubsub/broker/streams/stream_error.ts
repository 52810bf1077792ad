import type { StreamErrorCode } from "../../protocol/codes.ts";

/** Why something that was asked of a store of streams is not done. */
export class StreamError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "StreamError";
  /** The condition; the `code` of the `error` that a client gets. */
  readonly code: StreamErrorCode;
  /** Deliveries that are not open, where the code is `stale-ack`. */
  readonly stale: readonly number[] | undefined;

  /** Makes an error; nothing is thrown. */
  constructor(
    code: StreamErrorCode,
    message: string,
    stale?: readonly number[],
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.stale = stale;
  }
}
