/**
 * How the settings of a consumer stand in a configuration of JetStream, and back.
 *
 * @module
 */
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
} from "@nats-io/jetstream";
import { deadTopicOf } from "../../streams/dead_letter.ts";
import type { ConsumerFigures, ConsumerSettings, StreamStart } from "../../streams/stream_store.ts";
import { subjectWithin } from "./filters.ts";
import { startOf } from "./jetstream_reader.ts";
import { NANOS } from "./stream_config.ts";

/**
 * A gateway takes back what is not acknowledged in time. If the gateway is gone, JetStream does so, this
 * many milliseconds later.
 */
export const GATEWAY_MS = 2_000;

/** The most messages that may be unacknowledged, where a client of NATS has set no limit. */
const MAX_UNACKED = 10_000;

/** Begins the description of a consumer that a gateway has made; its settings follow as JSON. */
const MARK = "socktool ";

/** What of a consumer's settings JetStream has no place for. */
interface Described extends Omit<ConsumerSettings, "maxUnacked"> {
  /** What JetStream itself says of when it was made is another time after a server's restart. */
  readonly incarnation?: string;
}

/**
 * The configuration of a consumer.
 *
 * @param incarnation Tells it from others that had or will have its name.
 * @param topics Those of its stream.
 */
export function consumerConfigOf(
  name: string,
  settings: ConsumerSettings,
  start: StreamStart,
  topics: readonly string[],
  incarnation: string,
): Partial<ConsumerConfig> {
  const { maxUnacked, ...others } = settings;
  const described: Described = { ...others, incarnation };
  const { topic, ackWaitMs } = settings;
  const within = topic === undefined ? undefined : subjectWithin(topic, topics);
  return {
    durable_name: name,
    ack_policy: AckPolicy.Explicit,
    ack_wait: (ackWaitMs + GATEWAY_MS) * NANOS,
    // Gateways count attempts, and move what had its last one.
    max_deliver: -1,
    max_ack_pending: maxUnacked,
    description: MARK + JSON.stringify(described),
    ...startOf(start),
    ...within !== undefined && { filter_subject: within },
  };
}

/** The configuration of the consumer by which dead letters of another one are delivered again. */
export function redriveConfigOf(name: string, { stream_name, name: whose, config }: ConsumerInfo) {
  return {
    durable_name: name,
    ack_policy: AckPolicy.Explicit,
    ack_wait: config.ack_wait!,
    max_deliver: -1,
    max_ack_pending: config.max_ack_pending!,
    deliver_policy: DeliverPolicy.All,
    filter_subject: deadTopicOf(stream_name, whose),
  };
}

/** The settings of a consumer, also of one that was made by others. */
export function consumerSettingsOf({ config }: ConsumerInfo): ConsumerSettings {
  const { max_ack_pending: given = 0 } = config;
  const maxUnacked = given > 0 ? given : MAX_UNACKED;
  const described = readDescription(config.description);
  if (described) {
    const { incarnation: _, ...others } = described;
    return { ...others, topic: described.topic, maxUnacked };
  }
  return {
    topic: config.filter_subject || undefined,
    ackWaitMs: (config.ack_wait ?? 0) / NANOS,
    maxAttempts: Math.max(0, config.max_deliver ?? 0),
    maxUnacked,
    backoffMs: (config.backoff ?? []).map((ns) => ns / NANOS),
  };
}

/**
 * What tells a consumer from others that had or will have its name: of one that a client of NATS has
 * made, when that was, as far as JetStream knows.
 */
export function incarnationOf({ config, created }: ConsumerInfo): string {
  return readDescription(config.description)?.incarnation ?? created;
}

/**
 * Whether a consumer is one that clients may use: it lasts, is asked for messages, and has each of
 * them acknowledged.
 */
export function isDurable({ config, name }: ConsumerInfo): boolean {
  return config.durable_name !== undefined && config.deliver_subject === undefined &&
    config.ack_policy === AckPolicy.Explicit && !name.includes("=");
}

/** The number up to which all is delivered. @param lastSeq The stream's, asked for before. */
export function deliveredTo({ delivered, num_pending }: ConsumerInfo, lastSeq: number): number {
  return num_pending === 0 ? Math.max(delivered.stream_seq, lastSeq) : delivered.stream_seq;
}

/** What a gateway knows of a consumer by its own members. */
export interface LocalFigures {
  readonly redelivered: number;
  readonly attempts: number;
  readonly oldestUnackedMs: number;
  readonly members: number;
}

/** A consumer in figures. @param dead How many dead letters it has. */
export function consumerFiguresOf(
  info: ConsumerInfo,
  local: LocalFigures | undefined,
  dead: number,
): ConsumerFigures {
  const { stream_name: stream, name: consumer, num_pending, num_ack_pending } = info;
  // Of deliveries at other gateways it is known only that there are some.
  const elsewhere = info.num_redelivered > 0 ? 2 : num_ack_pending > 0 ? 1 : 0;
  return {
    stream,
    consumer,
    settings: consumerSettingsOf(info),
    position: info.delivered.stream_seq + 1,
    pending: num_pending,
    unacked: num_ack_pending,
    redelivered: local?.redelivered ?? 0,
    attempts: Math.max(local?.attempts ?? 0, elsewhere),
    dead,
    oldestUnackedMs: local?.oldestUnackedMs ?? 0,
    members: local?.members ?? 0,
  };
}

function readDescription(description: string | undefined): Described | undefined {
  if (!description?.startsWith(MARK)) return undefined;
  try {
    const described = JSON.parse(description.slice(MARK.length)) as Described;
    return Array.isArray(described.backoffMs) ? described : undefined;
  } catch {
    return undefined;
  }
}
