import { bytesOption, countOption, msOption, numericOptions } from "../base/numeric_options.ts";

/** What one peer, or all of them, may take of a server. `0` means no limit, except for bytes. */
export interface ConnectionLimits {
  /** Connections at one time; further ones are refused. @default {20_000} */
  readonly maxConnections?: number | undefined;
  /** The longest time in which no byte moves, in either direction. @default {600_000} */
  readonly idleTimeoutMs?: number | undefined;
  /** The longest time until the first byte comes. @default {120_000} */
  readonly firstByteTimeoutMs?: number | undefined;
  /**
   * The longest time for a frame that has begun to be complete. One that keeps coming at 16 KiB/s
   * or more may take longer.
   *
   * @default {60_000}
   */
  readonly frameTimeoutMs?: number | undefined;
  /**
   * Bytes on their way to a peer that does not read; while there are more, nothing is read from
   * it.
   *
   * @default {1_048_576}
   */
  readonly maxPendingBytes?: number | undefined;
  /**
   * What peers may make the server keep, in bytes. It is split into shares; each has an option of its
   * own too.
   *
   * @default {4_294_967_296}
   */
  readonly maxMemoryBytes?: number | undefined;
  /**
   * Bytes of frames that are not complete, of all peers together, beyond 1 KiB each. Where there is
   * no room for more, the connection ends whose frame has taken most for longest.
   *
   * @default {a quarter of maxMemoryBytes}
   */
  readonly maxUnfinishedBytes?: number | undefined;
  /**
   * Bytes that wait for all peers together. Where there are more, the connections end of peers that
   * do not read, those first for whom most waits.
   *
   * @default {a quarter of maxMemoryBytes}
   */
  readonly maxUnreadBytes?: number | undefined;
}

/** Limits with every value given. */
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

/** Of `maxMemoryBytes`, what each of the two may take. */
const SHARE = 1 / 4;

/** The limits where none are given. */
export const DEFAULT_LIMITS: ResolvedLimits = resolveLimits({});

/** @throws {TypeError | RangeError} if a limit is no number of what it counts. */
export function resolveLimits(limits: ConnectionLimits): ResolvedLimits {
  const given = numericOptions(LIMITS, limits);
  const share = given.maxMemoryBytes * SHARE;
  return {
    ...given,
    maxUnfinishedBytes: given.maxUnfinishedBytes ?? share,
    maxUnreadBytes: given.maxUnreadBytes ?? share,
  };
}
