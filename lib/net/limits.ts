import { bytesOption, countOption, msOption, numericOptions } from "../base/numeric_options.ts";

/**
 * Limits on what one peer, or all peers together, may use. `0` means no limit, except for bytes.
 */
export interface ConnectionLimits {
  /**
   * The most connections at a time; more are refused. But where the peers of more than a quarter of them
   * have sent nothing yet, or half a frame, the oldest of these are closed, of the network with the most.
   *
   * @default {20_000}
   */
  readonly maxConnections?: number | undefined;
  /** Close a connection on which no byte has moved for this long. @default {600_000} */
  readonly idleTimeoutMs?: number | undefined;
  /** Close a connection that has sent nothing for this long after it began. @default {120_000} */
  readonly firstByteTimeoutMs?: number | undefined;
  /**
   * Close a connection whose frame is incomplete for this long after its first byte. A frame that
   * arrives at 16 KiB/s or more may take longer.
   *
   * @default {60_000}
   */
  readonly frameTimeoutMs?: number | undefined;
  /**
   * While more bytes than this wait to be sent to a peer, nothing is read from it.
   *
   * @default {1_048_576}
   */
  readonly maxPendingBytes?: number | undefined;
  /**
   * The most memory in bytes that peers may make the server keep. It is divided into shares, each
   * of which has an option of its own.
   *
   * @default {4_294_967_296}
   */
  readonly maxMemoryBytes?: number | undefined;
  /**
   * The most bytes of incomplete frames of all peers together, not counting 1 KiB of each; of
   * WebSockets also those of messages that are incomplete or were not read, not counting 4 KiB. When
   * more are needed, the connection ends whose frame has held the most bytes for the longest time.
   *
   * @default {a quarter of maxMemoryBytes}
   */
  readonly maxUnfinishedBytes?: number | undefined;
  /**
   * The most bytes that may wait to be sent to all peers together. When there are more, connections
   * of peers that do not read end; the one with the most waiting bytes ends first.
   *
   * @default {a quarter of maxMemoryBytes}
   */
  readonly maxUnreadBytes?: number | undefined;
}

/** {@linkcode ConnectionLimits} with all defaults filled in. */
export type ResolvedLimits = { readonly [K in keyof ConnectionLimits]-?: number };

const LIMITS = {
  maxConnections: countOption(20_000),
  idleTimeoutMs: msOption(600_000),
  firstByteTimeoutMs: msOption(120_000),
  frameTimeoutMs: msOption(60_000),
  maxPendingBytes: bytesOption(1_048_576),
  maxMemoryBytes: bytesOption(4_294_967_296),
  maxUnfinishedBytes: bytesOption(undefined),
  maxUnreadBytes: bytesOption(undefined),
};

/** The part of `maxMemoryBytes` that is the default of each of the two shares. */
const SHARE = 1 / 4;

/** The default limits. */
export const DEFAULT_LIMITS: ResolvedLimits = resolveLimits({});

/** Checks limits and fills in defaults. @throws {TypeError | RangeError} if one cannot be used. */
export function resolveLimits(limits: ConnectionLimits): ResolvedLimits {
  const given = numericOptions(LIMITS, limits);
  const share = given.maxMemoryBytes * SHARE;
  return {
    ...given,
    maxUnfinishedBytes: given.maxUnfinishedBytes ?? share,
    maxUnreadBytes: given.maxUnreadBytes ?? share,
  };
}
