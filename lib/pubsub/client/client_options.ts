import { bytesOption } from "../../base/numeric_options.ts";
import type { Address, DialOptions } from "../../net/mod.ts";
import type { Credentials } from "../../access/authenticator.ts";
import type { BackoffOptions } from "./backoff.ts";
import type { ByteDuplex } from "../../net/bytes/byte_duplex.ts";

/**
 * What a client is doing: `connecting` for the first time, `connected`, `reconnecting` after a
 * connection was lost, `draining` before it closes, `closed` for good.
 */
export type ClientState = "connecting" | "connected" | "reconnecting" | "draining" | "closed";

/** A change of a client's state. */
export interface ClientStateChange {
  /** What it is doing from here on. */
  readonly state: ClientState;
  /** What made it: the error, or the broker's `bye` as a text. */
  readonly reason: unknown;
  /** With `reconnecting`: how long until it tries, in milliseconds. */
  readonly retryMs: number | undefined;
}

/** Where a broker is: an address, or a function that makes a connection to it. */
export type BrokerTarget = Address | ((signal: AbortSignal) => Promise<ByteDuplex>);

/** How a client connects, and its limits. */
export interface BrokerClientOptions extends Pick<DialOptions, "tls"> {
  /** What the client calls itself, for the broker's operator. */
  readonly name?: string | undefined;
  /** Who it is, where the broker asks. */
  readonly credentials?: Credentials | undefined;
  /** How to connect again after a connection was lost; `false` for not at all. */
  readonly reconnect?: BackoffOptions | false | undefined;
  /** The longest time until a connection is made and the broker has answered. @default {10_000} */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Bytes of publications that may wait to be sent, above all while there is no connection.
   *
   * @default {8_388_608}
   */
  readonly maxBufferedBytes?: number | undefined;
  /** Bytes of messages that may wait to be taken by the program. @default {8_388_608} */
  readonly maxQueuedBytes?: number | undefined;
  /** Larger messages break the connection. @default {16_777_216} */
  readonly maxContentBytes?: number | undefined;
  /** Is told of every change of state. It must not throw. */
  readonly onState?: ((change: ClientStateChange) => void) | undefined;
  /**
   * Is told of what nobody waits for: an error from the broker to a publication that was not to be
   * confirmed, a callback that threw.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Closes the client when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** Sizes among a client's options. */
export const CLIENT_LIMITS = {
  maxBufferedBytes: bytesOption(8_388_608),
  maxQueuedBytes: bytesOption(8_388_608),
  maxContentBytes: bytesOption(16_777_216),
};

/** How to publish. */
export interface PublishOptions {
  /** Keeps it as the topic's last value; empty content clears that. @default {false} */
  readonly retain?: boolean | undefined;
  /** Where replies are to go. */
  readonly replyTo?: string | undefined;
  /** Without it, `text/plain` for a text, else `application/octet-stream`. */
  readonly contentType?: string | undefined;
  /** Further fields of the header. */
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
