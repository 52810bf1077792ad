import { checkGiven, checkOptions, refusal } from "../../../base/option_kinds.ts";
import { bytesOption, countOption, numericOptions } from "../../../base/numeric_options.ts";
import type { FrameHeader, HeaderInit } from "../../../frame/mod.ts";
import { badAnswer } from "../pubsub_error.ts";
import type {
  ConsumeOptions,
  ConsumerInfo,
  ReadFrom,
  StreamInfo,
  StreamInit,
} from "./stream_types.ts";

/** Where reading begins, as fields of a request. */
export function startFields(from: ReadFrom | "last"): HeaderInit {
  if (typeof from === "number") return { "from-seq": from };
  if (from instanceof Date) return { "from-time": from.getTime() };
  return { from };
}

/** @throws {TypeError} if reading cannot begin there. Which words and numbers there are, the broker says. */
export function checkFrom(from: unknown): void {
  if (typeof from === "number" || from instanceof Date) return;
  if (typeof from !== "string") {
    throw new TypeError(refusal("from", from, "a word, a number or a Date"));
  }
}

/** A day in milliseconds. */
const MAX_DEDUP_MS = 86_400_000;

const LIMITS = {
  maxAgeMs: countOption(undefined, 1),
  maxBytes: bytesOption(undefined, 1),
  maxCount: countOption(undefined, 1),
  maxPerTopic: countOption(undefined, 1),
  dedupMs: countOption(undefined, 1, MAX_DEDUP_MS),
};

/**
 * Settings of a stream, as fields of a request.
 *
 * @throws {TypeError | RangeError} if one is not what it has to be.
 */
export function settingsFields(
  settings: { readonly [K in keyof StreamInit]?: StreamInit[K] | undefined },
): HeaderInit {
  checkGiven("settings", settings, "object");
  checkOptions(settings, { topics: "texts" });
  const { maxAgeMs, maxBytes, maxCount, maxPerTopic, dedupMs } = numericOptions(LIMITS, settings);
  // JSON has no infinity.
  const limit = (value: number | undefined) => value === Infinity ? null : value;
  return {
    topics: settings.topics,
    "max-age-ms": limit(maxAgeMs),
    "max-bytes": limit(maxBytes),
    "max-count": limit(maxCount),
    "max-per-topic": limit(maxPerTopic),
    "dedup-ms": dedupMs,
    full: settings.full,
    sync: settings.sync,
    keep: settings.keep,
  };
}

/** Settings of a consumer, as fields of a request. */
export function consumerFields(options: ConsumeOptions): HeaderInit {
  return {
    topic: options.filter,
    "ack-wait-ms": options.ackWaitMs,
    "max-attempts": options.maxAttempts,
    "max-unacked": options.maxUnacked,
    "backoff-ms": options.backoffMs,
    ...options.from !== undefined && startFields(options.from),
  };
}

/** A stream in figures, as an answer tells it. */
export function streamInfoOf(fields: FrameHeader | Record<string, unknown>): StreamInfo {
  const told = fields as Record<string, unknown>;
  if (!Array.isArray(told["topics"])) throw badAnswer("the topics of a stream");
  const limit = (name: string) => (told[name] ?? Infinity) as number;
  return {
    name: told["name"] as string,
    topics: told["topics"] as string[],
    maxAgeMs: limit("max-age-ms"),
    maxBytes: limit("max-bytes"),
    maxCount: limit("max-count"),
    maxPerTopic: limit("max-per-topic"),
    dedupMs: told["dedup-ms"] as number,
    full: told["full"] as StreamInfo["full"],
    sync: told["sync"] as StreamInfo["sync"],
    keep: told["keep"] as StreamInfo["keep"],
    firstSeq: told["first-seq"] as number,
    lastSeq: told["last-seq"] as number,
    count: told["count"] as number,
    bytes: told["bytes"] as number,
    consumers: told["consumers"] as number,
  };
}

/** A consumer in figures, as an answer tells it. */
export function consumerInfoOf(fields: FrameHeader | Record<string, unknown>): ConsumerInfo {
  const told = fields as Record<string, unknown>;
  if (typeof told["ack-wait-ms"] !== "number") throw badAnswer("the settings of a consumer");
  return {
    stream: told["stream"] as string,
    consumer: told["consumer"] as string,
    ackWaitMs: told["ack-wait-ms"] as number,
    pending: told["pending"] as number,
    unacked: told["unacked"] as number,
    redelivered: told["redelivered"] as number,
    attempts: told["attempts"] as number,
    dead: told["dead"] as number,
    oldestUnackedMs: told["oldest-unacked-ms"] as number,
    members: told["members"] as number,
  };
}
