import { checkOptions, type OptionKinds } from "../base/option_kinds.ts";
import { bytesOption, countOption, numericOption } from "../base/numeric_options.ts";
import { guardObserver } from "../base/report.ts";
import { timerMs } from "../base/timer_ms.ts";
import { type ClientTls, DEFAULT_DIAL_TIMEOUT_MS } from "../net/mod.ts";
import type { Fault } from "./faults/fault.ts";
import { readFaults } from "./faults/parse_fault.ts";
import type { ProxyObserver } from "./observer.ts";

/** Options of {@linkcode serveProxy}. */
export interface ProxyOptions {
  /**
   * What to do to connections: texts that `parseFault` reads, or what it returns.
   *
   * @default {nothing}
   */
  readonly faults?: readonly (Fault | string)[] | undefined;
  /**
   * From what all chance follows, a whole number: with the same one, the same happens to the same bytes
   * of the same connections.
   *
   * @default {another one each time}
   */
  readonly seed?: number | undefined;
  /**
   * Connect to the upstream with TLS, with these settings. An upstream that is not trusted by `caCerts`
   * is dialled once more, and checked by the system's certificates.
   *
   * @default {no TLS}
   */
  readonly upstreamTls?: ClientTls | undefined;
  /** The time limit for connecting to the upstream, TLS included. @default {10_000} */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * The most connections at a time; more are reset. But where the clients of more than a quarter of them
   * have sent nothing yet, the oldest of these are reset, of the network with the most. 0 means no limit.
   *
   * @default {20_000}
   */
  readonly maxConnections?: number | undefined;
  /**
   * The most memory in bytes that peers may make the proxy keep. What waits because of faults may take
   * half of it, and at most 1 GiB: then each direction keeps 32 KiB and one more read of 64 KiB, and no
   * frame is kept any more to be sent again or later. A quarter is read into, where 4 KiB for each
   * direction do not count: when that is used up, reads of those who send much are smaller.
   *
   * @default {4_294_967_296}
   */
  readonly maxMemoryBytes?: number | undefined;
  /** How long connections may take to finish when the proxy drains. @default {5_000} */
  readonly drainTimeoutMs?: number | undefined;
  /** When it is aborted, the proxy drains. */
  readonly signal?: AbortSignal | undefined;
  /** Is called when something happens. */
  readonly observer?: ProxyObserver | undefined;
}

const OBSERVER_KINDS: Required<OptionKinds<ProxyObserver>> = {
  opened: "function",
  passed: "function",
  halfClosed: "function",
  reset: "function",
  fired: "function",
  noticed: "function",
  closed: "function",
  acceptFailed: "function",
};

const KINDS: OptionKinds<ProxyOptions> = {
  upstreamTls: "object",
  signal: "signal",
  observer: OBSERVER_KINDS,
};

const DEFAULT_DRAIN_TIMEOUT_MS = 5_000;

const MAX_CONNECTIONS = countOption(20_000);
const MAX_MEMORY_BYTES = bytesOption(4_294_967_296);

/** The part of the memory that may wait because of faults. Much of it lives on V8's heap. */
const WAITING_SHARE = 1 / 2;
const MAX_WAITING_BYTES = 1_073_741_824;

/** The part of the memory that connections may be read into, beyond 4 KiB for each direction. */
const READING_SHARE = 1 / 4;

const SEED = countOption(undefined, 0, Number.MAX_SAFE_INTEGER);

/** The limits of a proxy, and its seed. */
export type ProxyLimits = Readonly<
  Record<
    | "connectTimeoutMs"
    | "drainTimeoutMs"
    | "maxConnections"
    | "maxReadBytes"
    | "maxWaitingBytes"
    | "seed",
    number
  >
>;

/**
 * The limits of a proxy, every value given.
 *
 * @throws {TypeError | RangeError} if an option is not what it has to be.
 * @throws {FaultError} if a fault is none.
 */
export function limitsOf(options: ProxyOptions): ProxyLimits {
  checkOptions(options, KINDS);
  const { connectTimeoutMs, drainTimeoutMs, maxConnections, seed } = options;
  const memoryBytes = numericOption("maxMemoryBytes", options.maxMemoryBytes, MAX_MEMORY_BYTES);
  if (options.faults !== undefined) readFaults(options.faults);
  return {
    seed: numericOption("seed", seed, SEED) ?? Math.floor(Math.random() * 0x1_0000_0000),
    connectTimeoutMs: timerMs("connectTimeoutMs", connectTimeoutMs, DEFAULT_DIAL_TIMEOUT_MS),
    drainTimeoutMs: timerMs("drainTimeoutMs", drainTimeoutMs, DEFAULT_DRAIN_TIMEOUT_MS),
    maxConnections: numericOption("maxConnections", maxConnections, MAX_CONNECTIONS),
    maxReadBytes: memoryBytes * READING_SHARE,
    maxWaitingBytes: Math.min(MAX_WAITING_BYTES, memoryBytes * WAITING_SHARE),
  };
}

/** The observer of a proxy, whose errors are reported. */
export function proxyObserver({ observer = {} }: ProxyOptions): ProxyObserver {
  return guardObserver("The observer of a proxy failed", observer, OBSERVER_KINDS);
}
