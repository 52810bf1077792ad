import { type Address, type ClientTls, DEFAULT_DIAL_TIMEOUT_MS } from "../net/mod.ts";

/** What is to be sent, by how many connections, how fast and for how long. */
export interface LoadPlan {
  /** The echo server. */
  readonly address: Address;
  /** With it, connections are TLS. */
  readonly tls?: ClientTls | undefined;
  /** Connections that are opened before the load begins. @default {1} */
  readonly connections?: number | undefined;
  /** What each connection sends, one after the other, again and again. @default {64 bytes} */
  readonly messages?: readonly Uint8Array[] | undefined;
  /** Messages of each connection, in place of a duration. */
  readonly count?: number | undefined;
  /** How long messages are sent, the warm-up not counted. @default {10_000} */
  readonly durationMs?: number | undefined;
  /** How long load runs before anything is recorded. @default {0} */
  readonly warmupMs?: number | undefined;
  /**
   * Messages of one connection that are sent at once; the next are sent when all have come back.
   *
   * @default {1}
   */
  readonly pipeline?: number | undefined;
  /** Messages per second of all connections together: an open loop. Without it, a closed loop. */
  readonly ratePerSecond?: number | undefined;
  /** Connections opened per second. @default {as fast as it goes} */
  readonly connectRatePerSecond?: number | undefined;
  /** The longest time for one connection to be made. @default {10_000} */
  readonly connectTimeoutMs?: number | undefined;
  /** The longest time in which no byte comes while some are due. @default {10_000} */
  readonly answerTimeoutMs?: number | undefined;
  /** Whether all that comes back is compared, and not only each connection's first. */
  readonly verify?: boolean | undefined;
  /** Threads that the connections are shared out to. @default {1} */
  readonly workers?: number | undefined;
}

/** A plan with every value given. */
export interface ResolvedPlan {
  readonly address: Address;
  readonly tls: ClientTls | undefined;
  readonly connections: number;
  readonly messages: readonly Uint8Array[];
  /** `Infinity` where a duration limits the run. */
  readonly count: number;
  /** `Infinity` where a count limits the run. */
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
const DEFAULT_ANSWER_TIMEOUT_MS = 10_000;

/** More memory than this for the messages of one round is hardly meant. */
const MAX_ROUND_BYTES = 1_073_741_824;

/** Bytes of which no two neighbours are equal, in a period that no buffer's size has. */
export function patternBytes(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => 97 + i % 23);
}

/**
 * Fills in what a plan leaves out.
 *
 * @throws {RangeError} if a value makes no sense, or two of them together.
 */
export function resolvePlan(plan: LoadPlan): ResolvedPlan {
  const resolved: ResolvedPlan = {
    address: plan.address,
    tls: plan.tls,
    connections: atLeast(1, "connections", plan.connections ?? 1),
    messages: plan.messages ?? [patternBytes(DEFAULT_MESSAGE_BYTES)],
    count: atLeast(1, "count", plan.count ?? Infinity),
    durationMs: plan.durationMs ?? (plan.count === undefined ? DEFAULT_DURATION_MS : Infinity),
    warmupMs: atLeast(0, "warmupMs", plan.warmupMs ?? 0),
    pipeline: atLeast(1, "pipeline", plan.pipeline ?? 1),
    ratePerSecond: plan.ratePerSecond,
    connectRatePerSecond: plan.connectRatePerSecond ?? Infinity,
    connectTimeoutMs: atLeast(
      1,
      "connectTimeoutMs",
      plan.connectTimeoutMs ?? DEFAULT_DIAL_TIMEOUT_MS,
    ),
    answerTimeoutMs: atLeast(
      1,
      "answerTimeoutMs",
      plan.answerTimeoutMs ?? DEFAULT_ANSWER_TIMEOUT_MS,
    ),
    verify: plan.verify ?? false,
    workers: atLeast(1, "workers", plan.workers ?? 1),
  };
  check(resolved, plan);
  // A thread without a connection has nothing to do.
  return { ...resolved, workers: Math.min(resolved.workers, resolved.connections) };
}

function check(resolved: ResolvedPlan, { count, durationMs, warmupMs }: LoadPlan): void {
  const { messages, pipeline, ratePerSecond, connectRatePerSecond } = resolved;
  for (const name of ["connections", "count", "pipeline", "workers"] as const) {
    const value = resolved[name];
    if (value !== Infinity && !Number.isInteger(value)) {
      throw new RangeError(`Cannot use ${value} as ${name}: it must be a whole number`);
    }
  }
  if (messages.length === 0 || messages.some(({ length }) => length === 0)) {
    throw new RangeError("Cannot send messages without a byte: nothing would come back");
  }
  if (!(resolved.durationMs > 0)) {
    throw new RangeError(`Cannot use ${durationMs} as durationMs: it must be more than 0`);
  }
  if (count !== undefined && (durationMs !== undefined || (warmupMs ?? 0) > 0)) {
    throw new RangeError("Cannot have a count beside a duration or a warm-up");
  }
  if (ratePerSecond !== undefined && !(ratePerSecond > 0 && ratePerSecond < Infinity)) {
    throw new RangeError(`Cannot use ${ratePerSecond} as ratePerSecond: it must be more than 0`);
  }
  if (ratePerSecond !== undefined && pipeline > 1) {
    throw new RangeError("Cannot have a pipeline beside a rate: an open loop does not wait");
  }
  if (!(connectRatePerSecond > 0)) {
    throw new RangeError(`Cannot use ${connectRatePerSecond} as connectRatePerSecond`);
  }
  const largest = Math.max(...messages.map(({ length }) => length));
  if (largest * pipeline > MAX_ROUND_BYTES) {
    throw new RangeError(`Cannot send ${pipeline} messages of ${largest} bytes at once`);
  }
}

function atLeast(least: number, name: string, value: number): number {
  if (value >= least) return value;
  throw new RangeError(`Cannot use ${value} as ${name}: it must be at least ${least}`);
}
