import { formatAddress } from "../net/mod.ts";
import type { Latencies, LatencyFigures } from "./latencies.ts";
import type { LoadErrorCounts, LoadErrorKind } from "./load_error.ts";
import { type LoadPlan, type ResolvedPlan, resolvePlan } from "./load_plan.ts";
import type { Tally } from "./tally.ts";

/** The figures of a whole load. Field names carry their units; those with `_us` are in microseconds. */
export interface LoadSummary {
  /** Connections that the load ran on. */
  readonly connections: number;
  /** Messages that came back whole, the warm-up not counted. */
  readonly messages: number;
  /** Their bytes, each counted once. */
  readonly bytes: number;
  /** Connections that failed, and messages of an open loop that were not answered. */
  readonly errors: number;
  /** From the end of the warm-up to the last answer. */
  readonly duration_s: number;
  /** Messages per second, on average. */
  readonly messages_per_s: number;
  /** Bytes per second, each counted once, on average. */
  readonly bytes_per_s: number;
  /** In an open loop a schedule sets the pace, in a closed loop the answers do. */
  readonly mode: "closed loop" | "open loop";
  /** Open loop: from when a message was due; closed loop: from when it was sent. */
  readonly latency_us: LatencyFigures;
  /** Open loop: from when a message was sent. */
  readonly service_us?: LatencyFigures;
  /** Open loop: how long after it was due a message was sent. */
  readonly send_lateness_us?: LatencyFigures;
  /** Open loop: the rate asked for. */
  readonly target_messages_per_s?: number;
  /** The errors by kind. */
  readonly errors_by_kind: LoadErrorCounts;
  /** Connections that could not be made. */
  readonly connections_failed: number;
  /** Latencies above an hour; they count as an hour. */
  readonly clamped: number;
}

/** The figures of about one second. */
export interface LoadInterval {
  /** When it ended, counted from the end of the warm-up. */
  readonly elapsed_s: number;
  /** Open connections at its end. */
  readonly connections: number;
  /** Messages that came back. */
  readonly messages: number;
  /** Messages per second. */
  readonly messages_per_s: number;
  /** Bytes per second. */
  readonly bytes_per_s: number;
  /** Errors. */
  readonly errors: number;
  /** The latencies of these messages. */
  readonly latency_us: LatencyFigures;
}

/** The plan of a load, as it is shown and saved. */
export interface LoadSettings {
  /** The server. */
  readonly target: string;
  /** Whether over TLS. */
  readonly tls: boolean;
  /** Connections. */
  readonly connections: number;
  /** Bytes of each message. */
  readonly message_bytes: readonly number[];
  /** How many messages each connection sends, if that is limited. */
  readonly count?: number;
  /** How long messages are sent, if that is limited. */
  readonly duration_s?: number;
  /** How long load runs before anything is recorded. */
  readonly warmup_s: number;
  /** Messages that a connection sends together. */
  readonly pipeline: number;
  /** Messages per second asked for. */
  readonly rate_per_s?: number;
  /** Whether every byte is compared, or only each connection's first message. */
  readonly verify: boolean;
  /** Threads. */
  readonly workers: number;
}

/** What a load measured. */
export interface LoadResult {
  /** The plan. */
  readonly settings: LoadSettings;
  /** When it began. */
  readonly startedAt: Date;
  /** Whether it was ended early. */
  readonly interrupted: boolean;
  /** The figures of the whole load. */
  readonly summary: LoadSummary;
  /** The figures of each second. */
  readonly intervals: readonly LoadInterval[];
  /** All latencies. `summary.latency_us` has their figures. */
  readonly latency: Latencies;
  /** The message of the first error of each kind. */
  readonly failures: ReadonlyMap<LoadErrorKind, string>;
}

/**
 * A plan with its defaults filled in, in units for people.
 *
 * @throws {RangeError} if a value of the plan makes no sense.
 */
export function describePlan(plan: LoadPlan): LoadSettings {
  return settingsOf(resolvePlan(plan));
}

/** A plan in units for people. */
export function settingsOf(plan: ResolvedPlan): LoadSettings {
  const { count, durationMs, ratePerSecond } = plan;
  return {
    target: formatAddress(plan.address),
    tls: plan.tls !== undefined,
    connections: plan.connections,
    message_bytes: plan.messages.map(({ length }) => length),
    ...(count < Infinity ? { count } : {}),
    ...(durationMs < Infinity ? { duration_s: durationMs / 1_000 } : {}),
    warmup_s: plan.warmupMs / 1_000,
    pipeline: plan.pipeline,
    ...(ratePerSecond === undefined ? {} : { rate_per_s: ratePerSecond }),
    verify: plan.verify,
    workers: plan.workers,
  };
}

/** The figures of one interval. */
export function intervalOf(
  tally: Tally,
  durationMs: number,
  elapsedMs: number,
  connections: number,
): LoadInterval {
  return {
    elapsed_s: rounded(elapsedMs / 1_000, 6),
    connections,
    messages: tally.messages,
    messages_per_s: perSecond(tally.messages, durationMs),
    bytes_per_s: perSecond(tally.bytes, durationMs),
    errors: tally.errorCount,
    latency_us: tally.latency.figures(),
  };
}

/** The figures of a whole load. */
export function summaryOf(
  plan: ResolvedPlan,
  tally: Tally,
  durationMs: number,
  connections: number,
): LoadSummary {
  const { ratePerSecond } = plan;
  return {
    connections,
    messages: tally.messages,
    bytes: tally.bytes,
    errors: tally.errorCount,
    duration_s: rounded(durationMs / 1_000, 6),
    messages_per_s: perSecond(tally.messages, durationMs),
    bytes_per_s: perSecond(tally.bytes, durationMs),
    mode: ratePerSecond === undefined ? "closed loop" : "open loop",
    latency_us: tally.latency.figures(),
    ...(ratePerSecond === undefined ? {} : {
      service_us: tally.service.figures(),
      send_lateness_us: tally.lateness.figures(),
      target_messages_per_s: ratePerSecond,
    }),
    errors_by_kind: { ...tally.errors },
    connections_failed: tally.errors.connect ?? 0,
    clamped: tally.latency.clamped,
  };
}

function perSecond(count: number, durationMs: number): number {
  return durationMs > 0 ? rounded(count / durationMs * 1_000, 3) : 0;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
