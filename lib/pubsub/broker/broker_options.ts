import { checkGiven, checkOptions, type OptionKinds } from "../../base/option_kinds.ts";
import { bytesOption, countOption, msOption, numericOptions } from "../../base/numeric_options.ts";
import { guardObserver } from "../../base/report.ts";
import type { ConnectionError, ServeOptions, ServerObserver } from "../../net/mod.ts";
import type { ByeReason, Refusal } from "../protocol/codes.ts";
import type { BrokerConnection } from "./broker_stats.ts";
import type { StreamError } from "./streams/stream_error.ts";
import type { Backplane } from "./backplane.ts";
import type { StreamStore } from "./streams/stream_store.ts";
// Not the whole room: a broker without logins starts without what checks passwords.
import { type Authenticator, checkAuthenticator } from "../../access/authenticator.ts";

/**
 * What happens at a broker; every method is optional. What one throws is reported, and the broker goes
 * on.
 */
export interface BrokerObserver extends Pick<ServerObserver, "acceptFailed"> {
  /** A client connected. */
  connected?(connection: BrokerConnection): void;
  /** A connection ended. `bye` is given if the broker ended it, `error` if it failed. */
  disconnected?(connection: BrokerConnection, bye?: ByeReason, error?: ConnectionError): void;
  /** A request was refused; the client was told. */
  refused?(connection: BrokerConnection, refusal: Refusal): void;
  /** A connection does not keep up: publishers no longer wait for it. */
  slow?(connection: BrokerConnection): void;
  /**
   * How long a delivery took, in milliseconds: from when its publication was handed out until the
   * subscriber's socket had taken it. Of some deliveries only, a thousand a second at most.
   */
  deliveryTimed?(ms: number): void;
  /**
   * Retained values wait as the store has no room for them: if the broker ends before there is, they are
   * lost. Called once until they are written, and again if they are lost so.
   */
  retainedWaits?(error: StreamError): void;
  /** From here on streams can only be read: the store cannot be written. */
  storageFailed?(error: StreamError): void;
}

/** Limits and surroundings of a broker. */
export interface BrokerOptions extends
  Pick<
    ServeOptions,
    | "maxConnections"
    | "maxMemoryBytes"
    | "maxUnfinishedBytes"
    | "maxUnreadBytes"
    | "signal"
    | "drainTimeoutMs"
    | "frameTimeoutMs"
  > {
  /** Publications with more content are refused. @default {1_048_576} */
  readonly maxContentBytes?: number | undefined;
  /**
   * Bytes that may wait for one connection, in addition to about 512 KiB on their way to its
   * socket.
   *
   * @default {4_194_304}
   */
  readonly maxPendingBytes?: number | undefined;
  /**
   * Bytes that all retained frames together may take.
   *
   * @default {67_108_864, or three thirty-seconds of maxMemoryBytes if that is less}
   */
  readonly maxRetainedBytes?: number | undefined;
  /**
   * Bytes that may wait for all connections together, as `maxPendingBytes` for one.
   *
   * @default {a quarter of maxMemoryBytes}
   */
  readonly maxBacklogBytes?: number | undefined;
  /**
   * Bytes that all filters and groups together may take. Those of one connection may take a quarter
   * of it, and where authentication is set up, those of one principal a half.
   *
   * @default {an eighth of maxMemoryBytes, at most 1_258_291_200}
   */
  readonly maxFilterBytes?: number | undefined;
  /** Subscriptions that one connection may have. @default {1_000_000} */
  readonly maxSubscriptions?: number | undefined;
  /** Groups that one connection may be in, each on one filter. @default {1_000} */
  readonly maxMemberships?: number | undefined;
  /** Subscriptions that all connections of one principal may have. @default {Infinity} */
  readonly maxUserSubscriptions?: number | undefined;
  /** Groups that all connections of one principal may be in. @default {Infinity} */
  readonly maxUserMemberships?: number | undefined;
  /**
   * How long publishers wait for one connection that does not keep up, before publications for it
   * are left out.
   *
   * @default {100}
   */
  readonly patienceMs?: number | undefined;
  /**
   * After this long without a byte from a client, the broker pings it; after three times as long
   * without one its connection ends. `0` for never.
   *
   * @default {30_000}
   */
  readonly pingIntervalMs?: number | undefined;
  /** The longest time until a client has said who it is, where it must. @default {10_000} */
  readonly helloTimeoutMs?: number | undefined;
  /** Permits subscribers to make publishers wait without a bound. @default {false} */
  readonly allowBlock?: boolean | undefined;
  /** Finds out who a client is. Without it, no client needs to log in. */
  readonly authenticator?: Authenticator | undefined;
  /**
   * Keeps publications in streams. The broker does not close it: that is to be done once the broker
   * has finished.
   */
  readonly streams?: StreamStore | undefined;
  /**
   * Connects the broker with others that serve the same topics, as `connectNats` makes it. It keeps
   * streams by itself. The broker does not close it either.
   */
  readonly backplane?: Backplane | undefined;
  /** Is told what happens. */
  readonly observer?: BrokerObserver | undefined;
}

/** The limits of a broker, every value given. */
export interface BrokerLimits {
  readonly maxMemoryBytes: number;
  readonly maxContentBytes: number;
  readonly maxPendingBytes: number;
  readonly maxRetainedBytes: number;
  readonly maxBacklogBytes: number;
  readonly maxFilterBytes: number;
  /** What caches may take. */
  readonly maxSpeedBytes: number;
  readonly maxSubscriptions: number;
  readonly maxMemberships: number;
  readonly maxUserSubscriptions: number;
  readonly maxUserMemberships: number;
  readonly patienceMs: number;
  readonly pingIntervalMs: number;
  readonly helloTimeoutMs: number;
}

const OBSERVER_KINDS: Required<OptionKinds<BrokerObserver>> = {
  connected: "function",
  disconnected: "function",
  refused: "function",
  slow: "function",
  deliveryTimed: "function",
  retainedWaits: "function",
  storageFailed: "function",
  acceptFailed: "function",
};

const KINDS: OptionKinds<BrokerOptions> = {
  allowBlock: "flag",
  streams: "object",
  backplane: "object",
  observer: OBSERVER_KINDS,
  signal: "signal",
};

/** @throws {TypeError} if an option that is no number is not what it has to be. */
export function checkBrokerOptions(options: BrokerOptions): void {
  checkOptions(options, KINDS);
  const { authenticator, streams, backplane } = options;
  checkAuthenticator(authenticator);
  if (streams) checkGiven("streams.takeRetained", streams.takeRetained, "function");
  if (backplane) checkGiven("backplane.attach", backplane.attach, "function");
}

/** The observer of a broker, whose errors are reported. */
export function brokerObserver({ observer = {} }: BrokerOptions): BrokerObserver {
  return guardObserver("The observer of a broker failed", observer, OBSERVER_KINDS);
}

const LIMITS = {
  maxContentBytes: bytesOption(1_048_576),
  maxPendingBytes: bytesOption(4_194_304),
  maxMemoryBytes: bytesOption(4_294_967_296),
  maxRetainedBytes: bytesOption(undefined),
  maxBacklogBytes: bytesOption(undefined),
  maxFilterBytes: bytesOption(undefined),
  maxSubscriptions: countOption(1_000_000),
  maxMemberships: countOption(1_000),
  maxUserSubscriptions: countOption(Infinity),
  maxUserMemberships: countOption(Infinity),
  patienceMs: msOption(100),
  pingIntervalMs: msOption(30_000),
  helloTimeoutMs: msOption(10_000),
};

/** The share of `maxMemoryBytes` that each kind may take. Half of it is for the connections. */
const BACKLOG_SHARE = 1 / 4;
const FILTER_SHARE = 1 / 8;
const RETAINED_SHARE = 3 / 32;
const SPEED_SHARE = 1 / 32;

/** More would hardly make anything faster. */
const MAX_SPEED_BYTES = 67_108_864;

/** The default for retained frames is at most this; only the option raises it. */
const MAX_RETAINED_BYTES = 67_108_864;

/**
 * Filters live on V8's heap. Its limit is 4.2 GB on any machine, and it needs about as much memory
 * again for garbage.
 */
const MAX_FILTER_BYTES = 1_258_291_200;

/** What a frame takes beside its content: a header of up to 65,535 bytes, and bookkeeping. */
const FRAME_OVERHEAD_BYTES = 66_560;

/** The least `maxPendingBytes` that has room for one publication with this much content. */
export function minPendingBytes(maxContentBytes: number): number {
  return maxContentBytes + FRAME_OVERHEAD_BYTES;
}

/**
 * @throws {TypeError | RangeError} if a limit is no number, or a frame would not fit into what may
 * wait.
 */
export function resolveBrokerLimits(options: BrokerOptions): BrokerLimits {
  const given = numericOptions(LIMITS, options);
  const { maxMemoryBytes } = given;
  const limits: BrokerLimits = {
    ...given,
    maxRetainedBytes: given.maxRetainedBytes ??
      Math.min(MAX_RETAINED_BYTES, maxMemoryBytes * RETAINED_SHARE),
    maxBacklogBytes: given.maxBacklogBytes ?? maxMemoryBytes * BACKLOG_SHARE,
    maxFilterBytes: given.maxFilterBytes ??
      Math.min(MAX_FILTER_BYTES, maxMemoryBytes * FILTER_SHARE),
    maxSpeedBytes: Math.min(MAX_SPEED_BYTES, maxMemoryBytes * SPEED_SHARE),
  };
  const least = minPendingBytes(limits.maxContentBytes);
  if (limits.maxPendingBytes < least) {
    throw new RangeError(
      `Cannot use ${limits.maxPendingBytes} as maxPendingBytes: a frame with ` +
        `${limits.maxContentBytes} bytes of content needs ${least}`,
    );
  }
  return limits;
}
