/**
 * How the settings of a stream stand in a configuration of JetStream, and back.
 *
 * @module
 */
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from "@nats-io/jetstream";
import { quote } from "../../../protocol/quote.ts";
import { filterProblem, isSystem } from "../../../protocol/topic.ts";
import { DEAD_LETTER_SETTINGS, topicsProblem } from "../../streams/stream_settings.ts";
import { DEAD_LETTERS } from "../../streams/dead_letter.ts";
import { StreamError } from "../../streams/stream_error.ts";
import { nameProblem } from "../../streams/stream_rights.ts";
import type { StreamSettings } from "../../streams/stream_store.ts";

/** JetStream counts in nanoseconds. */
export const NANOS = 1_000_000;

/** JetStream's times are at least this long where they limit something, in milliseconds. */
const MIN_MS = 100;

/** A longer age does not fit into JetStream's numbers: 285 years. */
const MAX_AGE_MS = 9_000_000_000_000;

/** Ids of dead letters are remembered for an hour: a gateway that moves one may be gone for that long. */
const DEAD_LETTER_WINDOW_MS = 3_600_000;

/** The description of a stream whose acknowledged messages gateways remove. */
const UNTIL_ACKED = "socktool: until-acked";

/** Names that gateways need for themselves begin so. */
const OWN_PREFIX = "socktool_";

/**
 * The configuration of a stream.
 *
 * @throws {StreamError} `bad-stream` for what JetStream cannot do.
 */
export function streamConfigOf(
  name: string,
  settings: StreamSettings,
): Partial<StreamConfig> & { name: string } {
  refuseImpossible(name, settings);
  const { maxAgeMs, maxBytes, maxCount, maxPerTopic, dedupMs } = settings;
  return {
    name,
    subjects: [...settings.topics],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    max_age: maxAgeMs === Infinity ? 0 : maxAgeMs * NANOS,
    max_bytes: limit(maxBytes),
    max_msgs: limit(maxCount),
    max_msgs_per_subject: limit(maxPerTopic),
    duplicate_window: Math.min(dedupMs, maxAgeMs) * NANOS,
    discard: settings.full === "refuse" ? DiscardPolicy.New : DiscardPolicy.Old,
    description: settings.keep === "until-acked" ? UNTIL_ACKED : "",
  };
}

/** The configuration of the stream of the dead letters. */
export function deadLetterConfig(): Partial<StreamConfig> & { name: string } {
  const { topics, maxBytes, maxCount } = DEAD_LETTER_SETTINGS;
  return {
    name: DEAD_LETTERS,
    subjects: [...topics],
    max_bytes: maxBytes,
    max_msgs: maxCount,
    duplicate_window: DEAD_LETTER_WINDOW_MS * NANOS,
  };
}

/** The settings of a stream of JetStream; `undefined` if it is none that clients may see. */
export function settingsOf(config: StreamConfig): StreamSettings | undefined {
  const { name, subjects: topics } = config;
  if (!Array.isArray(topics)) return undefined;
  const isOurs = nameProblem(name) === undefined && !name.startsWith(OWN_PREFIX) &&
    (name === DEAD_LETTERS || topicsProblem(topics) === undefined);
  if (!isOurs || topics.some((topic) => topic.startsWith("$") || filterProblem(topic))) {
    return undefined;
  }
  return {
    topics,
    maxAgeMs: config.max_age > 0 ? config.max_age / NANOS : Infinity,
    maxBytes: unlimited(config.max_bytes),
    maxCount: unlimited(config.max_msgs),
    maxPerTopic: unlimited(config.max_msgs_per_subject),
    dedupMs: config.duplicate_window / NANOS,
    full: config.discard === DiscardPolicy.New ? "refuse" : "drop-oldest",
    sync: "always",
    keep: config.retention !== RetentionPolicy.Limits || isSweptByUs(config)
      ? "until-acked"
      : "limits",
  };
}

/** Whether gateways remove what a stream's consumers are done with. */
export function isSweptByUs({ description, retention }: StreamConfig): boolean {
  return description === UNTIL_ACKED && retention === RetentionPolicy.Limits;
}

function refuseImpossible(name: string, settings: StreamSettings): void {
  const refuse = (problem: string) => {
    throw new StreamError("bad-stream", `Cannot have the stream ${quote(name)}: ${problem}`);
  };
  if (name.startsWith(OWN_PREFIX) || name === DEAD_LETTERS) {
    refuse(`names that begin with ${OWN_PREFIX}, and ${DEAD_LETTERS}, are the gateways' own`);
  }
  const { topics, sync, maxAgeMs, dedupMs } = settings;
  if (sync !== "always") {
    refuse("with --nats the setting sync can only be always: a majority of servers has it");
  }
  if (maxAgeMs < MIN_MS || dedupMs < MIN_MS) {
    refuse(`JetStream's max-age-ms and dedup-ms are ${MIN_MS} at least`);
  }
  if (maxAgeMs !== Infinity && maxAgeMs > MAX_AGE_MS) {
    refuse(`JetStream's max-age-ms is ${MAX_AGE_MS} at most`);
  }
  for (const topic of topics) {
    if (topic.startsWith("$")) {
      refuse(`topics that begin with $ are those of NATS: ${quote(topic)}`);
    }
    if (/^[*>]/.test(topic)) {
      refuse(
        `JetStream's wildcards match topics of the system too, so the first token of ${
          quote(topic)
        } must not be one`,
      );
    }
    if (isSystem(topic)) refuse(`topics that begin with _ are the system's: ${quote(topic)}`);
  }
}

function limit(value: number): number {
  return value === Infinity ? -1 : value;
}

function unlimited(value: number): number {
  return value > 0 ? value : Infinity;
}
