import { checkKind, checkOptions, type OptionKinds } from "../../base/option_kinds.ts";
import { bytesOption, countOption, type NumericValues } from "../../base/numeric_options.ts";
import type { Credentials } from "../../access/authenticator.ts";
import type { ByteDuplex } from "../../net/bytes/byte_duplex.ts";
import type { BackoffOptions } from "../../base/backoff.ts";

/**
 * What a client is doing: `connecting` for the first time, `connected`, `reconnecting` after a
 * connection was lost, `draining` before it closes, `closed` for good.
 */
export type ClientState = "connecting" | "connected" | "reconnecting" | "draining" | "closed";

/** A change of a client's state. */
export interface ClientStateChange {
  /** The new state. */
  readonly state: ClientState;
  /**
   * With `reconnecting` and `closed`, and with `connecting` after a try that failed: the error that
   * led to it, a `PubSubError` where the broker said `bye`; `undefined` if the broker just closed the
   * connection, or the program the client.
   */
  readonly reason: unknown;
  /** With `connecting` and `reconnecting`: how long until the next try, in milliseconds. */
  readonly retryMs: number | undefined;
}

/**
 * Makes a connection to a broker. It should give up, and reject, when its signal is aborted. The
 * client closes what it is given.
 */
export type DuplexSource = (signal: AbortSignal) => Promise<ByteDuplex>;

/**
 * What a client speaks to its broker over: bytes in both directions; a function that makes such a
 * connection whenever the client needs one; or several such functions, one for each server, which
 * are tried in turn.
 */
export type DuplexTarget = ByteDuplex | DuplexSource | readonly DuplexSource[];

/**
 * A last will: what the broker publishes for a client whose connection ends in any other way than
 * by `close()` or `drain()`, which say `bye` to the broker, or by the broker's own shutdown.
 */
export interface Will {
  /** Where it is published. */
  readonly topic: string;
  /** Bytes, which are copied, or text. @default {no bytes} */
  readonly content?: Uint8Array | string | undefined;
  /** Without it, `text/plain` for a text, else `application/octet-stream`. */
  readonly contentType?: string | undefined;
}

/** How a client introduces itself, and its limits. */
export interface BrokerClientOptions {
  /** What the client calls itself, for the broker's operator. */
  readonly name?: string | undefined;
  /**
   * What the client logs in with, at a broker that asks for it; or a function that gives it before each
   * connection, for instance because a token expires. If that throws, the try to connect has failed.
   */
  readonly credentials?:
    | Credentials
    | ((signal: AbortSignal) => Credentials | Promise<Credentials>)
    | undefined;
  /** What the broker publishes when the connection ends otherwise than by `close()` or `drain()`. @default {nothing} */
  readonly will?: Will | undefined;
  /**
   * How to connect again after a connection was lost; `false` for not at all. Over a single
   * connection that was made before, there is no other way.
   */
  readonly reconnect?: BackoffOptions | false | undefined;
  /**
   * Whether the first connection is tried until there is a broker, with the waits of `reconnect`.
   * Without it, each server is tried once.
   *
   * @default {false}
   */
  readonly waitOnFirstConnect?: boolean | undefined;
  /** The longest time until a connection is made and the broker has answered. @default {10_000} */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Bytes of publications that may wait to be sent, above all while there is no connection.
   *
   * @default {8_388_608}
   */
  readonly maxBufferedBytes?: number | undefined;
  /**
   * Messages that may wait in a subscription until the program takes them, where the subscription
   * does not say otherwise.
   *
   * @default {65_536}
   */
  readonly maxQueuedMessages?: number | undefined;
  /**
   * Bytes of messages that may wait in a subscription until the program takes them, where the
   * subscription does not say otherwise.
   *
   * @default {8_388_608}
   */
  readonly maxQueuedBytes?: number | undefined;
  /**
   * The largest content of a message that the client takes. What is larger is told by `missed`.
   *
   * @default {16_777_216}
   */
  readonly maxContentBytes?: number | undefined;
  /**
   * The longest time that a stream which is the content of a publication may give nothing when asked
   * for bytes; `0` sets no limit.
   *
   * @default {60_000}
   */
  readonly streamTimeoutMs?: number | undefined;
  /** Is told of every change of state. */
  readonly onState?: ((change: ClientStateChange) => void) | undefined;
  /**
   * Is told of errors that nobody else hears of: what an order of the program was refused with, such as
   * `publish`, `subscribe` or `ack`, where nobody awaits its promise; a publication that the broker
   * refused after it was sent; a callback that threw; a subscription that the broker does not permit
   * any more. Without it they go to the console. An answer that the program asked for, by `request`
   * for instance, has to be awaited.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Closes the client when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

const KINDS: OptionKinds<BrokerClientOptions> = {
  name: "text",
  will: { contentType: "text" },
  waitOnFirstConnect: "flag",
  onState: "function",
  onError: "function",
  signal: "signal",
};

/** @throws {TypeError} if an option that is no number is not what it has to be. */
export function checkClientOptions(options: BrokerClientOptions): void {
  checkOptions(options, KINDS);
  const { credentials, reconnect } = options;
  if (typeof credentials !== "function") checkCredentials(credentials);
  if (reconnect !== false) checkKind("reconnect", reconnect, "object");
}

/** @throws {TypeError} if these are no credentials, as the program gives them or its function. */
export function checkCredentials(credentials: Credentials | undefined): void {
  checkOptions(credentials, { token: "text", user: "text", password: "text" }, "credentials");
}

/** The limits of a client that are no times. */
export const CLIENT_LIMITS = {
  maxBufferedBytes: bytesOption(8_388_608),
  maxQueuedMessages: countOption(65_536, 1),
  maxQueuedBytes: bytesOption(8_388_608),
  maxContentBytes: bytesOption(16_777_216),
};

/** The limits of a client, checked. */
export type ClientLimits = NumericValues<typeof CLIENT_LIMITS>;
