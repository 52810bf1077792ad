import { messageOf } from "../../base/message_of.ts";
import { valueKind } from "../../base/value_kind.ts";
import type { FrameHeader } from "../../frame/mod.ts";
import type { PubSubErrorCode } from "../protocol/codes.ts";

/**
 * Why something that was asked of a {@linkcode BrokerClient} was not done. Besides the codes of the
 * broker:
 *
 * - `disconnected`: the connection was lost meanwhile; whether it was done is not known.
 * - `buffer-full`: more waits to be sent than the client may keep; nothing was sent.
 * - `no-receivers`: nobody subscribes to the topic of a request.
 * - `receivers-unknown`: the broker is one of several, and does not know how many receivers a
 *   publication has at the others; it was published.
 * - `timed-out`: no answer came in time.
 * - `slow-consumer`: a subscription with the policy `disconnect` had more messages waiting in the
 *   client than it may.
 * - `not-sent`: a publication could not be sent; `cause` says why.
 * - `bad-answer`: the broker's answer is none; whether it was done is not known.
 * - `closed`: the client is closed; nothing was sent.
 */
export type PubSubFailure =
  | PubSubErrorCode
  | "disconnected"
  | "buffer-full"
  | "no-receivers"
  | "receivers-unknown"
  | "timed-out"
  | "slow-consumer"
  | "not-sent"
  | "bad-answer"
  | "closed";

/** Something that was asked of a client was not done; `code` says why. */
export class PubSubError extends Error {
  /** Always `"PubSubError"`. */
  override readonly name = "PubSubError";
  /** Why it was not done. */
  readonly code: PubSubFailure;
  /** The topic of the publication that it is about; `undefined` if it is about none. */
  readonly topic: string | undefined;
  /** Deliveries that are not open, where the code is `stale-ack`. */
  readonly stale: readonly number[] | undefined;

  /** Made by the client. */
  constructor(
    code: PubSubFailure,
    message: string,
    options: ErrorOptions & {
      readonly topic?: string | undefined;
      readonly stale?: readonly number[] | undefined;
    } = {},
  ) {
    super(message, options);
    this.code = code;
    this.topic = options.topic;
    this.stale = options.stale;
  }
}

/** The connection was lost. */
export function disconnected(reason: unknown): PubSubError {
  const message = "The connection was lost before the broker answered";
  return new PubSubError("disconnected", message, { cause: reason });
}

/** More waits to be sent than may. */
export function bufferFull(topic: string, limit: number): PubSubError {
  const message = `Cannot publish to ${topic}: no more than ${limit} bytes may wait to be sent`;
  return new PubSubError("buffer-full", message, { topic });
}

/** The client is closed. */
export function closedError(reason: unknown, topic?: string): PubSubError {
  const message = topic === undefined
    ? "The client is closed"
    : `Cannot publish to ${topicName(topic)}: the client is closed`;
  return new PubSubError("closed", message, { cause: reason, topic });
}

/** The error that a `bye` of the broker stands for. */
export function byeError({ reason }: FrameHeader): PubSubError {
  const code = reason === "unauthorized" ? "unauthorized" : "disconnected";
  return new PubSubError(code, `The broker ended the connection: ${textOf(reason)}`);
}

/**
 * An error as one that names the publication which it is about.
 *
 * @param what What was not done with it: `sent`.
 * @param others How many further ones are concerned.
 */
export function aboutPublication(
  error: unknown,
  topic: string,
  what: string,
  others = 0,
): PubSubError {
  if (error instanceof PubSubError && error.topic !== undefined) return error;
  const code = error instanceof PubSubError ? error.code : "not-sent";
  const name = topicName(topic) + (others > 0 ? ` and ${others} more` : "");
  const message = `The publication to ${name} was not ${what}: ${messageOf(error)}`;
  return new PubSubError(code, message, { cause: error, topic });
}

/** A topic as errors show it; a program may give something else for one, which may be no text. */
export function topicName(topic: unknown): string {
  return typeof topic === "string" ? topic : valueKind(topic);
}

/** The broker answers something else than what it was asked. */
export function badAnswer(expected: string, topic?: string): PubSubError {
  return new PubSubError("bad-answer", `The broker's answer has not ${expected}`, { topic });
}

/** A text of the broker's as it is; of anything else its JSON. */
export function textOf(value: unknown): string {
  // An object of JSON may refuse to become a text.
  return typeof value === "string" ? value : String(JSON.stringify(value));
}
