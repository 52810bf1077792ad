import { checkGiven } from "../../base/option_kinds.ts";
import { ContentError } from "../../frame/content.ts";
import { jsonFrame, type OutgoingFrame } from "../../frame/frame_encoder.ts";
import { FrameError } from "../../frame/frame_error.ts";
import { OverBudgetError } from "../../base/budget.ts";
import { RequestError } from "../request_error.ts";

/**
 * The answer that says what is wrong with a request: `text/json` of
 * `{"result": "Error: …", "error": {"code", "message"}}`.
 *
 * @throws {TypeError} if the code is no text: clients would not see that it tells of a failure.
 */
export function errorReply(code: string, message: string): OutgoingFrame {
  checkGiven("code", code, "text");
  return jsonFrame({ result: `Error: ${message}`, error: { code, message } });
}

/**
 * Whether an error is about the client's own request, so that the client is told what it says. Of
 * others the client learns only that there was one. An error that some other server answered this
 * one's request with is such another: what it says is not meant for the client.
 */
export function isClientError(
  error: unknown,
): error is FrameError | ContentError | RequestError | OverBudgetError {
  return error instanceof RequestError
    ? error.reply === undefined
    : error instanceof ContentError || error instanceof FrameError ||
      error instanceof OverBudgetError;
}

/** The answer to a request whose handler failed. */
export function failureReply(error: unknown): OutgoingFrame {
  if (isClientError(error)) return errorReply(error.code, error.message);
  return errorReply("internal", "The server failed to answer the request");
}
