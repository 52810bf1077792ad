import {
  countOption,
  FINITE,
  msOption,
  numericOptions,
  positiveOption,
} from "../base/numeric_options.ts";
import { type Address, type ClientTls, DEFAULT_DIAL_TIMEOUT_MS, toAddress } from "../net/mod.ts";

/** What is to be sent, by how many connections, how fast and for how long. */
export interface LoadPlan {
  /** The echo server; a text such as `localhost:5633` is read as an address. */
  readonly address: Address | string;
  /** Connect with TLS, with these settings. @default {no TLS} */
  readonly tls?: ClientTls | undefined;
  /** Connections that are opened before the load begins. @default {1} */
  readonly connections?: number | undefined;
  /** What each connection sends, in order, over and over. @default {one message of 64 bytes} */
  readonly messages?: readonly Uint8Array[] | undefined;
  /** How many messages each connection sends, instead of a duration. */
  readonly count?: number | undefined;
  /** How long messages are sent, the warm-up not counted. @default {10_000} */
  readonly durationMs?: number | undefined;
  /** How long load runs before anything is recorded. @default {0} */
  readonly warmupMs?: number | undefined;
  /**
   * Messages that a connection sends together. It sends the next ones when all have come back.
   *
   * @default {1}
   */
  readonly pipeline?: number | undefined;
  /** Messages per second, of all connections together: an open loop. @default {a closed loop} */
  readonly ratePerSecond?: number | undefined;
  /** Connections opened per second. @default {no limit} */
  readonly connectRatePerSecond?: number | undefined;
  /** The longest time for one connection to be made. @default {10_000} */
  readonly connectTimeoutMs?: number | undefined;
  /** How long a connection may receive nothing while it awaits answers. @default {10_000} */
  readonly answerTimeoutMs?: number | undefined;
  /** Compare every byte that comes back, not only each connection's first message. @default {false} */
  readonly verify?: boolean | undefined;
  /** Threads; the connections are divided among them. @default {1} */
  readonly workers?: number | undefined;
}

/** A plan with its defaults filled in. */
export interface ResolvedPlan {
  readonly address: Address;
  readonly tls: ClientTls | undefined;
  readonly connections: number;
  readonly messages: readonly Uint8Array[];
  /** `Infinity` if a duration limits the run. */
  readonly count: number;
  /** `Infinity` if a count limits the run. */
  readonly durationMs: number;
  readonly warmupMs: number;
  readonly pipeline: number;
  readonly ratePerSecond: number | undefined;
  readonly connectRatePerSecond: number;
  readonly connectTimeoutMs: number;
  readonly answerTimeoutMs: number;
  readonly verify: boolean;
  readonly workers: number;
}

/** The part of a plan that one thread carries out. */
export interface LoadPart {
  readonly plan: ResolvedPlan;
  /** Which of the plan's threads it is, from 0. */
  readonly index: number;
}

const DEFAULT_MESSAGE_BYTES = 64;
const DEFAULT_DURATION_MS = 10_000;

const NUMBERS = {
  connections: countOption(1, 1, FINITE),
  count: countOption(Infinity, 1),
  durationMs: positiveOption(undefined),
  warmupMs: msOption(0),
  pipeline: countOption(1, 1, FINITE),
  ratePerSecond: positiveOption(undefined, FINITE),
  connectRatePerSecond: positiveOption(Infinity),
  connectTimeoutMs: msOption(DEFAULT_DIAL_TIMEOUT_MS, 1),
  answerTimeoutMs: msOption(10_000, 1),
  workers: countOption(1, 1, 1_024),
};

/** The most memory for one round of messages: a plan that needs more is taken for a mistake. */
const MAX_ROUND_BYTES = 1_073_741_824;

/**
 * Bytes to send: the letters a to w, over and over. No usual buffer size is a multiple of these 23,
 * so bytes that a buffer mixed up are noticed.
 */
export function patternBytes(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => 97 + i % 23);
}

/**
 * Fills in a plan's defaults, and checks it.
 *
 * @throws {AddressError} if a text is no address.
 * @throws {TypeError | RangeError} if a value makes no sense, or two of them together.
 */
export function resolvePlan(plan: LoadPlan): ResolvedPlan {
  const numbers = numericOptions(NUMBERS, plan);
  const resolved: ResolvedPlan = {
    address: toAddress(plan.address),
    tls: plan.tls,
    ...numbers,
    durationMs: numbers.durationMs ?? (plan.count === undefined ? DEFAULT_DURATION_MS : Infinity),
    messages: plan.messages ?? [patternBytes(DEFAULT_MESSAGE_BYTES)],
    verify: plan.verify ?? false,
  };
  check(resolved, plan);
  // A thread without a connection has nothing to do.
  return { ...resolved, workers: Math.min(resolved.workers, resolved.connections) };
}

function check(resolved: ResolvedPlan, { count, durationMs, warmupMs }: LoadPlan): void {
  const { messages, pipeline, ratePerSecond } = resolved;
  if (messages.length === 0 || messages.some(({ length }) => length === 0)) {
    throw new RangeError("Cannot send messages without a byte: nothing would come back");
  }
  if (count !== undefined && (durationMs !== undefined || (warmupMs ?? 0) > 0)) {
    throw new RangeError("Cannot have a count beside a duration or a warm-up");
  }
  if (ratePerSecond !== undefined && pipeline > 1) {
    throw new RangeError("Cannot have a pipeline beside a rate: an open loop does not wait");
  }
  const largest = Math.max(...messages.map(({ length }) => length));
  if (largest * pipeline > MAX_ROUND_BYTES) {
    throw new RangeError(`Cannot send ${pipeline} messages of ${largest} bytes at once`);
  }
}
