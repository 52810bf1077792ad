import { checkGiven } from "../base/option_kinds.ts";
import type { Frame } from "../frame/mod.ts";

/**
 * A request that failed, told by an answer.
 *
 * - A handler throws it, or rejects with it, where its client shall know what is wrong: the answer
 *   tells the code and the message.
 * - A client's `request()` rejects with it where that is what the answer says; then it has the
 *   answer as {@linkcode RequestError.reply}.
 */
export class RequestError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "RequestError";
  /** Which fault it is, such as `not-found`. */
  readonly code: string;
  /** The answer that said so; `undefined` where a handler made the error. */
  readonly reply: Frame | undefined;

  /** Makes an error that a handler answers with. @throws {TypeError} if the code is no text. */
  constructor(
    code: string,
    message: string,
    options: ErrorOptions & { readonly reply?: Frame | undefined } = {},
  ) {
    checkGiven("code", code, "text");
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.reply = options.reply;
  }
}
