import { bytesOption } from "../../base/numeric_options.ts";
import type { Credentials } from "../../access/authenticator.ts";
import type { ByteDuplex } from "../../net/bytes/byte_duplex.ts";
import type { BackoffOptions } from "./backoff.ts";

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
   * With `reconnecting` and `closed`: the error that led to it, a `PubSubError` where the broker said
   * `bye`; `undefined` if the broker just closed the connection, or the program the client.
   */
  readonly reason: unknown;
  /** With `reconnecting`: how long until the next try, in milliseconds. */
  readonly retryMs: number | undefined;
}

/**
 * What a client speaks to its broker over: bytes in both directions, or a function that makes such
 * a connection whenever the client needs one. The client closes what it is given. The function
 * should give up, and reject, when its signal is aborted.
 */
export type DuplexTarget = ByteDuplex | ((signal: AbortSignal) => Promise<ByteDuplex>);

/** How a client introduces itself, and its limits. */
export interface BrokerClientOptions {
  /** What the client calls itself, for the broker's operator. */
  readonly name?: string | undefined;
  /** Who it is, where the broker asks. */
  readonly credentials?: Credentials | undefined;
  /**
   * How to connect again after a connection was lost; `false` for not at all. Over a single
   * connection that was made before, there is no other way.
   */
  readonly reconnect?: BackoffOptions | false | undefined;
  /** The longest time until a connection is made and the broker has answered. @default {10_000} */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Bytes of publications that may wait to be sent, above all while there is no connection.
   *
   * @default {8_388_608}
   */
  readonly maxBufferedBytes?: number | undefined;
  /**
   * Bytes of messages that may wait until the program takes them. Above it the client stops
   * reading.
   *
   * @default {8_388_608}
   */
  readonly maxQueuedBytes?: number | undefined;
  /** Messages with more content break the connection. @default {16_777_216} */
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
   * Is told of errors that no promise carries: a publication without confirmation that the broker
   * refused, a callback that threw, a subscription that the broker does not permit any more. Without
   * it they go to the console.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Closes the client when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** The limits of a client that are no times. */
export const CLIENT_LIMITS = {
  maxBufferedBytes: bytesOption(8_388_608),
  maxQueuedBytes: bytesOption(8_388_608),
  maxContentBytes: bytesOption(16_777_216),
};

/** How to publish. */
export interface PublishOptions {
  /** Keeps it as the topic's last value; empty content clears that. @default {false} */
  readonly retain?: boolean | undefined;
  /** The topic that replies are to be published on. */
  readonly replyTo?: string | undefined;
  /** Without it, `text/plain` for a text, else `application/octet-stream`. */
  readonly contentType?: string | undefined;
  /** Further fields of the header: any values of JSON. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
}

/** How to publish and wait for the broker. */
export interface ConfirmOptions extends PublishOptions {
  /** The longest time until the broker has answered. @default {Infinity} */
  readonly timeoutMs?: number | undefined;
}

/** How to publish and wait for an answer. */
export interface RequestOptions extends PublishOptions {
  /** The longest time until the reply is there. @default {10_000} */
  readonly timeoutMs?: number | undefined;
}
