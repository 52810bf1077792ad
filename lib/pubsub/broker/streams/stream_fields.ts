/**
 * Reads the fields of requests that concern streams. What is wrong is thrown as a
 * {@linkcode RefusedError}.
 *
 * @module
 */
import type { FrameHeader, HeaderInit } from "../../../frame/mod.ts";
import { badField } from "../request_fields.ts";
import type { Refusal } from "../../protocol/codes.ts";
import { quote } from "../../protocol/quote.ts";
import { filterProblem } from "../../protocol/topic.ts";
import type {
  ConsumerFigures,
  ConsumerSettings,
  StreamFigures,
  StreamSettings,
  StreamStart,
} from "./stream_store.ts";
import { newStreamSettings, topicsProblem } from "./stream_settings.ts";
import { nameProblem } from "./stream_rights.ts";

/** A UTF-16 unit takes at most this many bytes of UTF-8. */
const UTF8_BYTES_PER_UNIT = 3;

const encoder = new TextEncoder();

/** A request that is not carried out. */
export class RefusedError extends Error {
  /** What the client is told. */
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** Messages that are kept of a topic at most, where they are counted. */
const MAX_PER_TOPIC = 1_000;
/** The longest window of message ids: a day. */
const MAX_DEDUP_MS = 86_400_000;
/** The longest time that a delivery may stay open, and that one may be put off: a week. */
const MAX_WAIT_MS = 604_800_000;
const MAX_UNACKED = 10_000;
const MAX_BACKOFFS = 16;
/** The longest message id, and reason of a nack, in bytes of UTF-8. */
const MAX_ID_BYTES = 128;
const MAX_REASON_BYTES = 256;
/** Deliveries that are settled by one request. */
const MAX_DELIVERIES = 900;

/** The name of a stream or a consumer. */
export function nameOf(header: FrameHeader, field: string): string {
  const name = header[field];
  const problem = nameProblem(name);
  if (problem === undefined) return name as string;
  throw new RefusedError(badField(field, `a name: ${problem}`));
}

/** All settings of a stream that is made. */
export function newSettingsOf(header: FrameHeader): StreamSettings {
  const { topics, ...settings } = changedSettingsOf(header);
  if (topics) return { ...newStreamSettings(topics), ...settings };
  throw new RefusedError({ code: "bad-stream", message: "The field topics is missing" });
}

/** The settings of a stream that are given. `null` as a limit takes it away. */
export function changedSettingsOf(header: FrameHeader): Partial<StreamSettings> {
  return given({
    topics: topicsOf(header["topics"]),
    maxAgeMs: limitOf(header, "max-age-ms", Number.MAX_SAFE_INTEGER),
    maxBytes: limitOf(header, "max-bytes", Number.MAX_SAFE_INTEGER),
    maxCount: limitOf(header, "max-count", Number.MAX_SAFE_INTEGER),
    maxPerTopic: limitOf(header, "max-per-topic", MAX_PER_TOPIC),
    dedupMs: wholeOf(header, "dedup-ms", 1, MAX_DEDUP_MS),
    full: choiceOf(header, "full", ["drop-oldest", "refuse"]),
    sync: choiceOf(header, "sync", ["always", "interval"]),
    keep: choiceOf(header, "keep", ["limits", "until-acked"]),
  });
}

/** The settings of a consumer that are given. */
export function consumerSettingsOf(header: FrameHeader): Partial<ConsumerSettings> {
  return given({
    topic: filterOf(header),
    ackWaitMs: wholeOf(header, "ack-wait-ms", 1, MAX_WAIT_MS),
    maxAttempts: wholeOf(header, "max-attempts", 0, 1_000_000),
    maxUnacked: wholeOf(header, "max-unacked", 1, MAX_UNACKED),
    backoffMs: backoffOf(header["backoff-ms"]),
  });
}

/** How many deliveries of a member may be open. */
export function prefetchOf(header: FrameHeader): number | undefined {
  return wholeOf(header, "prefetch", 1, MAX_UNACKED);
}

/** Whether many messages may come in one frame. */
export function takesRuns({ runs = false }: FrameHeader): boolean {
  if (typeof runs === "boolean") return runs;
  throw new RefusedError(badField("runs", "true or false"));
}

/** A filter within a stream. */
export function filterOf({ topic }: FrameHeader): string | undefined {
  if (topic === undefined) return undefined;
  const problem = filterProblem(topic);
  if (problem === undefined) return topic as string;
  const message = `Cannot use ${quote(topic)} as a filter: ${problem}`;
  throw new RefusedError({ code: "bad-filter", message });
}

/** Where a reader or a new consumer begins; `undefined` if it is not said. */
export function startOf(header: FrameHeader, choices: readonly string[]): StreamStart | undefined {
  const from = choiceOf(header, "from", choices);
  const fromSeq = wholeOf(header, "from-seq", 1, Number.MAX_SAFE_INTEGER);
  const fromTimeMs = wholeOf(header, "from-time", 0, Number.MAX_SAFE_INTEGER);
  if ([from, fromSeq, fromTimeMs].filter((each) => each !== undefined).length > 1) {
    const message = "Of the fields from, from-seq and from-time only one can be given";
    throw new RefusedError({ code: "bad-field", message });
  }
  if (from !== undefined) return { from: from as "all" | "last" | "new" };
  if (fromSeq !== undefined) return { fromSeq };
  return fromTimeMs === undefined ? undefined : { fromTimeMs };
}

/** The number that the frames of a subscription repeat. */
export function sidOf(header: FrameHeader): number {
  const sid = wholeOf(header, "sid", 0, Number.MAX_SAFE_INTEGER);
  if (sid !== undefined) return sid;
  throw new RefusedError({ code: "bad-field", message: "The field sid is missing" });
}

/** The numbers of deliveries. */
export function deliveriesOf({ deliveries }: FrameHeader): readonly number[] {
  const isList = Array.isArray(deliveries) && deliveries.length > 0 &&
    deliveries.length <= MAX_DELIVERIES && deliveries.every((n) => Number.isSafeInteger(n));
  if (isList) return deliveries as number[];
  const expected = `a list of 1 to ${MAX_DELIVERIES} whole numbers`;
  throw new RefusedError(badField("deliveries", expected));
}

/** How long a message is put off, and why. */
export function nackOf(
  header: FrameHeader,
): { delayMs: number | undefined; reason: string | undefined } {
  return {
    delayMs: wholeOf(header, "delay-ms", 0, MAX_WAIT_MS),
    reason: textOf(header, "reason", MAX_REASON_BYTES),
  };
}

/** Where a purge ends. */
export function beforeSeqOf(header: FrameHeader): number | undefined {
  return wholeOf(header, "before-seq", 1, Number.MAX_SAFE_INTEGER);
}

/** Why a publication that asks to be stored cannot be, by its own fields; `undefined` if it can. */
export function storedFieldsRefusal(header: FrameHeader): Refusal | undefined {
  try {
    if (typeof header["stored"] !== "boolean") return badField("stored", "true or false");
    textOf(header, "msg-id", MAX_ID_BYTES);
    wholeOf(header, "expect-seq", 0, Number.MAX_SAFE_INTEGER);
    return undefined;
  } catch (error) {
    if (error instanceof RefusedError) return error.refusal;
    throw error;
  }
}

/** The figures of a stream as fields of an answer. */
export function streamFields({ settings, ...figures }: StreamFigures): HeaderInit {
  return {
    name: figures.name,
    topics: settings.topics,
    "max-age-ms": finite(settings.maxAgeMs),
    "max-bytes": finite(settings.maxBytes),
    "max-count": finite(settings.maxCount),
    "max-per-topic": finite(settings.maxPerTopic),
    "dedup-ms": settings.dedupMs,
    full: settings.full,
    sync: settings.sync,
    keep: settings.keep,
    "first-seq": figures.firstSeq,
    "last-seq": figures.lastSeq,
    count: figures.count,
    bytes: figures.bytes,
    consumers: figures.consumers,
  };
}

/** The figures of a consumer as fields of an answer. */
export function consumerFields({ settings, ...figures }: ConsumerFigures): HeaderInit {
  return {
    stream: figures.stream,
    consumer: figures.consumer,
    topic: settings.topic,
    "ack-wait-ms": settings.ackWaitMs,
    "max-attempts": settings.maxAttempts,
    "max-unacked": settings.maxUnacked,
    "backoff-ms": settings.backoffMs,
    position: figures.position,
    pending: figures.pending,
    unacked: figures.unacked,
    redelivered: figures.redelivered,
    attempts: figures.attempts,
    dead: figures.dead,
    "oldest-unacked-ms": figures.oldestUnackedMs,
    members: figures.members,
  };
}

function finite(limit: number): number | undefined {
  return limit === Infinity ? undefined : limit;
}

function topicsOf(topics: unknown): readonly string[] | undefined {
  const problem = topics === undefined ? undefined : topicsProblem(topics);
  if (problem === undefined) return topics as readonly string[] | undefined;
  throw new RefusedError({ code: "bad-stream", message: `Cannot use the topics: ${problem}` });
}

function backoffOf(backoff: unknown): readonly number[] | undefined {
  if (backoff === undefined) return undefined;
  const isList = Array.isArray(backoff) && backoff.length <= MAX_BACKOFFS &&
    backoff.every((ms) => Number.isSafeInteger(ms) && ms >= 0 && ms <= MAX_WAIT_MS);
  if (isList) return backoff;
  const expected = `a list of at most ${MAX_BACKOFFS} whole numbers from 0 to ${MAX_WAIT_MS}`;
  throw new RefusedError(badField("backoff-ms", expected));
}

/** A limit, which `null` takes away. */
function limitOf(header: FrameHeader, field: string, most: number): number | undefined {
  return header[field] === null ? Infinity : wholeOf(header, field, 1, most);
}

function wholeOf(
  header: FrameHeader,
  field: string,
  least: number,
  most: number,
): number | undefined {
  const value = header[field];
  if (value === undefined) return undefined;
  const isWhole = Number.isSafeInteger(value);
  if (isWhole && (value as number) >= least && (value as number) <= most) return value as number;
  const bound = most === Number.MAX_SAFE_INTEGER ? "2^53 - 1" : `${most}`;
  throw new RefusedError(badField(field, `a whole number from ${least} to ${bound}`));
}

function choiceOf<T extends string>(
  header: FrameHeader,
  field: string,
  choices: readonly T[],
): T | undefined {
  const value = header[field];
  if (value === undefined || choices.includes(value as T)) return value as T | undefined;
  throw new RefusedError(badField(field, `one of ${choices.join(", ")}`));
}

function textOf(header: FrameHeader, field: string, maxBytes: number): string | undefined {
  const value = header[field];
  if (value === undefined) return undefined;
  const isText = typeof value === "string" && value !== "" && value.isWellFormed() &&
    (value.length * UTF8_BYTES_PER_UNIT <= maxBytes || encoder.encode(value).length <= maxBytes);
  if (isText) return value;
  throw new RefusedError(badField(field, `a text of 1 to ${maxBytes} bytes`));
}

/** What of an object is not `undefined`. */
type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function given<T extends object>(values: T): Given<T> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Given<T>;
}
