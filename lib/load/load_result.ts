import { formatAddress } from "../net/mod.ts";
import type { AnswerFormat } from "./answers/answer_format.ts";
import type { Latencies, LatencyFigures } from "../base/latencies.ts";
import { ERROR_KINDS, type LoadErrorCounts, type LoadErrorKind } from "./load_error.ts";
import { type LoadPlan, type ResolvedPlan, resolvePlan } from "./load_plan.ts";
import type { ShareEnd } from "./load_share.ts";
import type { Tally } from "./tally.ts";

/** The figures of a whole load. Field names carry their units; those with `_us` are in microseconds. */
export interface LoadSummary {
  /** Connections that the load ran on. */
  readonly connections: number;
  /** Messages that were due, the warm-up not counted: after an interruption, until then. */
  readonly due: number;
  /** Messages of which sending began. `due - sent` could not be sent. */
  readonly sent: number;
  /** Messages that were answered. */
  readonly answered: number;
  /** Messages that were sent and not answered: `sent - answered`. */
  readonly unanswered: number;
  /** The same as `answered`. */
  readonly messages: number;
  /** Bytes of the answers. */
  readonly bytes: number;
  /** Connections that failed, messages that were not sent or not answered, and wrong answers. */
  readonly errors: number;
  /** From the end of the warm-up to the last answer, and no less than messages were due for. */
  readonly duration_s: number;
  /** Answered messages per second, on average. */
  readonly messages_per_s: number;
  /** Bytes per second, on average. */
  readonly bytes_per_s: number;
  /** In an open loop a schedule sets the pace, in a closed loop the answers do. */
  readonly mode: "closed loop" | "open loop";
  /**
   * Open loop: from when a message was due; closed loop: from when it was sent. A message without an
   * answer counts with the time that it has waited, as a lower bound.
   */
  readonly latency_us: LatencyFigures;
  /** Open loop: from when sending a message began. */
  readonly service_us?: LatencyFigures;
  /** Open loop: from when a message was due until sending it began. */
  readonly send_lateness_us?: LatencyFigures;
  /**
   * Open loop: the share of all latencies that messages which were due waited for the program itself
   * to look at them, from 0 to 1; `null` without latencies.
   */
  readonly generator_share?: number | null;
  /** Open loop: the rate asked for. */
  readonly target_messages_per_s?: number;
  /** The errors by kind. */
  readonly errors_by_kind: LoadErrorCounts;
  /** The message of the first error of each kind that has one. */
  readonly first_errors: { readonly [K in LoadErrorKind]?: string };
  /** Wrong answers by what they were, shortened; of the first 16 that differ. */
  readonly wrong_answers?: Readonly<Record<string, number>>;
  /** Figures by kind of request, where an exchange tells the kind. */
  readonly kinds?: Readonly<Record<string, KindSummary>>;
  /** Where each message has several answers: how many came, and how many were due. */
  readonly answers?: { readonly due: number; readonly received: number };
  /** What an exchange counted besides. */
  readonly counts?: Readonly<Record<string, number>>;
  /** Why the load ended before its time; absent if it did not. */
  readonly ended_early?: EarlyEnd;
  /** Connections that could not be made at the beginning. */
  readonly connections_failed: number;
  /** Latencies above an hour; they count as an hour. */
  readonly clamped: number;
}

/** The figures of the requests of one kind. */
export interface KindSummary {
  /** How many were answered. */
  readonly messages: number;
  /** How many of the answers were wrong. */
  readonly errors: number;
  /** Their latencies. */
  readonly latency_us: LatencyFigures;
}

/** How a load ended before its time. */
export interface EarlyEnd {
  /** When, counted from the end of the warm-up. */
  readonly after_s: number;
  /** When it was to end, if a duration was given. */
  readonly of_s?: number;
  /** Why. */
  readonly reason: string;
}

/** The figures of about one second. */
export interface LoadInterval {
  /** When it ended, counted from the end of the warm-up. */
  readonly elapsed_s: number;
  /** Open connections at its end. */
  readonly connections: number;
  /** Messages that were due. */
  readonly due: number;
  /** Messages of which sending began. */
  readonly sent: number;
  /** Messages that were answered. */
  readonly messages: number;
  /** Answered messages per second. */
  readonly messages_per_s: number;
  /** Bytes per second. */
  readonly bytes_per_s: number;
  /** Errors. */
  readonly errors: number;
  /** The latencies of these messages, and in the last interval of those without an answer. */
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
  /** Bytes of each message; of one with placeholders, those of its text. None of an exchange. */
  readonly message_bytes: readonly number[];
  /** How answers end; `exchange` where a program decides. */
  readonly answer: string;
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
  /** Whether connections that break are made anew. */
  readonly reconnect: boolean;
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
  /** Whether the signal ended it early. */
  readonly interrupted: boolean;
  /** The figures of the whole load. */
  readonly summary: LoadSummary;
  /** The figures of each second. */
  readonly intervals: readonly LoadInterval[];
  /** All latencies. `summary.latency_us` has their figures. */
  readonly latency: Latencies;
  /** Open loop: all service times. */
  readonly service?: Latencies;
  /** Open loop: all waits before sending. */
  readonly wait?: Latencies;
  /** The message of the first error of each kind that has one. */
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
  const { count, durationMs, ratePerSecond, messages, messageBytes } = plan;
  const encoder = new TextEncoder();
  return {
    target: formatAddress(plan.address),
    tls: plan.tls !== undefined,
    connections: plan.connections,
    message_bytes: messageBytes !== undefined
      ? [messageBytes]
      : messages.map((each) => typeof each === "string" ? encoder.encode(each) : each)
        .map(({ length }) => length),
    answer: plan.exchange === undefined ? answerText(plan.answer) : "exchange",
    ...(count < Infinity ? { count } : {}),
    ...(durationMs < Infinity ? { duration_s: durationMs / 1_000 } : {}),
    warmup_s: plan.warmupMs / 1_000,
    pipeline: plan.pipeline,
    ...(ratePerSecond === undefined ? {} : { rate_per_s: ratePerSecond }),
    reconnect: plan.reconnect,
    verify: plan.verify,
    workers: plan.workers,
  };
}

function answerText(answer: AnswerFormat): string {
  if (typeof answer === "string") return answer;
  if ("bytes" in answer) return `bytes:${answer.bytes}`;
  if ("length" in answer) return `length:${answer.length}${answer.inclusive ? ":inclusive" : ""}`;
  const { until } = answer;
  const text = typeof until === "string" ? until : new TextDecoder().decode(until);
  return `until:${JSON.stringify(text)}`;
}

/** The figures of one interval. */
export function intervalOf(
  tally: Tally,
  { durationMs, elapsedMs }: { readonly durationMs: number; readonly elapsedMs: number },
  connections: number,
  percentiles: readonly number[],
): LoadInterval {
  const { due, sent, messages } = tally;
  return {
    elapsed_s: rounded(elapsedMs / 1_000, 6),
    connections,
    due,
    sent,
    messages,
    messages_per_s: perSecond(messages, durationMs),
    bytes_per_s: perSecond(tally.bytes, durationMs),
    errors: tally.errorCount,
    latency_us: tally.latency.figures(percentiles),
  };
}

/** What a summary is made of, besides the plan and the tally. */
export interface LoadOutcome {
  /** How each thread ended. */
  readonly ends: readonly ShareEnd[];
  readonly interrupted: boolean;
  /** How many connections were made. */
  readonly connected: number;
  /** The message of the last error of a connection. */
  readonly lastFailure: string | undefined;
  readonly failures: ReadonlyMap<LoadErrorKind, string>;
}

/** The figures of a whole load. */
export function summaryOf(plan: ResolvedPlan, tally: Tally, outcome: LoadOutcome): LoadSummary {
  const { ratePerSecond, percentiles } = plan;
  const { due, sent, messages, bytes, answers, wrongAnswers, kinds } = tally;
  const durationMs = durationOf(plan, outcome);
  const counts = countsOf(outcome.ends);
  const answersPerMessage = Math.max(...outcome.ends.map((each) => each.answersPerMessage));
  const figures = (each: Latencies) => each.figures(percentiles);
  return {
    connections: outcome.connected,
    due,
    sent,
    answered: messages,
    unanswered: tally.errors.unanswered ?? 0,
    messages,
    bytes,
    errors: tally.errorCount,
    duration_s: rounded(durationMs / 1_000, 6),
    messages_per_s: perSecond(messages, durationMs),
    bytes_per_s: perSecond(bytes, durationMs),
    mode: ratePerSecond === undefined ? "closed loop" : "open loop",
    latency_us: figures(tally.latency),
    ...(ratePerSecond === undefined ? {} : {
      service_us: figures(tally.service),
      send_lateness_us: figures(tally.wait),
      generator_share: tally.latency.count > 0
        ? rounded(Math.min(1, tally.generatorLateUs / tally.latency.sum), 6)
        : null,
      target_messages_per_s: ratePerSecond,
    }),
    errors_by_kind: Object.fromEntries(
      ERROR_KINDS.filter((kind) => kind in tally.errors).map((kind) => [kind, tally.errors[kind]]),
    ) as LoadErrorCounts,
    first_errors: Object.fromEntries(outcome.failures),
    ...(wrongAnswers.size > 0 ? { wrong_answers: Object.fromEntries(wrongAnswers) } : {}),
    ...(kinds.size > 0
      ? {
        kinds: Object.fromEntries(Array.from(kinds, ([kind, { errors, latency }]) => [
          kind,
          { messages: latency.count, errors, latency_us: figures(latency) },
        ])),
      }
      : {}),
    ...(answersPerMessage === 1
      ? {}
      : { answers: { due: due * answersPerMessage, received: answers } }),
    ...(Object.keys(counts).length > 0 ? { counts } : {}),
    ...earlyEndOf(plan, outcome),
    connections_failed: plan.connections - outcome.connected,
    clamped: tally.latency.clamped,
  };
}

/**
 * From the end of the warm-up to the last answer, and no less than messages were due for. Closing
 * the connections does not count.
 */
function durationOf({ count, durationMs, ratePerSecond, connections }: ResolvedPlan, {
  ends,
  interrupted,
}: LoadOutcome): number {
  const lastAnswerMs = Math.max(0, ...ends.map((each) => each.lastAnswerAtMs));
  const endedMs = Math.max(0, ...ends.map((each) => each.endedAtMs));
  const scheduledMs = ratePerSecond === undefined
    ? Infinity
    : count * connections * 1_000 / ratePerSecond;
  const dueMs = Math.min(durationMs, scheduledMs);
  const early = interrupted || ends.every(({ died }) => died);
  // A closed loop of a count ends with its last answer, or with giving up.
  if (dueMs === Infinity) return early ? endedMs : lastAnswerMs;
  return Math.max(lastAnswerMs, early ? Math.min(dueMs, endedMs) : dueMs);
}

function countsOf(ends: readonly ShareEnd[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { counts } of ends) {
    for (const [name, count] of Object.entries(counts)) all[name] = (all[name] ?? 0) + count;
  }
  return all;
}

function earlyEndOf(
  { durationMs }: ResolvedPlan,
  { ends, interrupted, connected, lastFailure }: LoadOutcome,
): { ended_early?: EarlyEnd } {
  if (interrupted || !ends.every(({ died }) => died)) return {};
  const endedMs = Math.max(0, ...ends.map((each) => each.endedAtMs));
  const what = connected === 0 ? "no connection could be made" : "every connection has failed";
  return {
    ended_early: {
      after_s: rounded(endedMs / 1_000, 6),
      ...(durationMs < Infinity ? { of_s: durationMs / 1_000 } : {}),
      reason: lastFailure === undefined ? what : `${what}, the last one so: ${lastFailure}`,
    },
  };
}

function perSecond(count: number, durationMs: number): number {
  return durationMs > 0 ? rounded(count / durationMs * 1_000, 3) : 0;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
