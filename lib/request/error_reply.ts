import { ContentError, FrameError, jsonFrame, type OutgoingFrame } from "../frame/mod.ts";

/** An error that a handler means for its client: answered with its code and message. */
export class RequestError extends Error {
  /** The name of the class. */
  override readonly name = "RequestError";
  /** Which fault it is, as the client sees it. */
  readonly code: string;

  /** Throw it, or reject with it, in a handler. */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * The answer that says what is wrong with a request: `text/json` of
 * `{"result": "Error: …", "error": {"code", "message"}}`.
 */
export function errorReply(code: string, message: string): OutgoingFrame {
  return jsonFrame({ result: `Error: ${message}`, error: { code, message } });
}

/**
 * Whether the client may know what an error says: those about its own request. Others are told as
 * `internal`, without their message.
 */
export function isClientError(error: unknown): error is FrameError | ContentError | RequestError {
  return error instanceof RequestError || error instanceof ContentError ||
    error instanceof FrameError;
}

/** The answer to a request whose handler failed. */
export function failureReply(error: unknown): OutgoingFrame {
  if (isClientError(error)) return errorReply(error.code, error.message);
  return errorReply("internal", "The server failed to answer the request");
}
