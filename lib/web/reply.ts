import { validateHeaderName, validateHeaderValue } from "node:http";
import { countOption, numericOption } from "../base/numeric_options.ts";
import { checkGiven } from "../base/option_kinds.ts";
import { checkBytes } from "../frame/frame_encoder.ts";

/** The answer to a request. The server adds the headers that all replies have. */
export interface WebReply {
  /** The status, such as 200. */
  readonly status: number;
  /** By names in lower case, over those that the server adds. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Text is sent as UTF-8. Bytes must not change after that. @default {nothing} */
  readonly body?: string | Uint8Array | undefined;
}

/** Those of a final answer. */
const STATUS = countOption(undefined, 200, 599);

/** These are the server's to set: a wrong one would break the connection. */
const FRAMING = ["content-length", "transfer-encoding"];

/**
 * Checks what a handler has made, before anything of it is written.
 *
 * @returns The reply without the headers that are `undefined`.
 * @throws {TypeError} if it is none, or a part of it cannot be sent.
 * @throws {RangeError} if the status is none of a final answer.
 */
export function checkedReply(reply: WebReply): WebReply {
  checkGiven("reply", reply, "object");
  const { status, headers = {}, body } = reply;
  numericOption("reply.status", status ?? NaN, STATUS);
  checkGiven("reply.headers", headers, "object");
  const given = Object.entries(headers).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    checkGiven(`reply.headers[${JSON.stringify(name)}]`, value, "text");
    validateHeaderName(name);
    validateHeaderValue(name, value);
    if (FRAMING.includes(name.toLowerCase())) {
      throw new TypeError(`Cannot use ${name} as a header of a reply: the server sets it`);
    }
  }
  if (body !== undefined && typeof body !== "string") checkBytes(body);
  return { status, headers: Object.fromEntries(given), body };
}

/** A reply of JSON, for scripts and for the pages' own scripts. */
export function jsonReply(value: unknown, status = 200): WebReply {
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: `${JSON.stringify(value)}\n`,
  };
}

/** A reply that says what is wrong: JSON `{"error": {"code", "message"}}`, as on the wire. */
export function errorReply(status: number, code: string, message: string): WebReply {
  return jsonReply({ error: { code, message } }, status);
}

/** Throw it in a handler to have the client told. */
export class WebError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "WebError";
  /** The status of the reply. */
  readonly status: number;
  /** What a program can tell it by, such as `forbidden`. */
  readonly code: string;
  /** Further headers of the reply. */
  readonly headers: Readonly<Record<string, string>>;

  /**
   * Makes an error that the client is told.
   *
   * @param message For the client to see.
   */
  constructor(
    status: number,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  /** The reply that tells of it. */
  get reply(): WebReply {
    const { status, headers, body } = errorReply(this.status, this.code, this.message);
    return { status, headers: { ...headers, ...this.headers }, body };
  }
}
