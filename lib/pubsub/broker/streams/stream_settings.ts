import { quote } from "../../protocol/quote.ts";
import { filterProblem, filtersOverlap, isSystem } from "../../protocol/topic.ts";
import { DEAD_LETTERS } from "./dead_letter.ts";
import { StreamError } from "./stream_error.ts";
import type { StreamSettings } from "./stream_store.ts";

/** The most filters of a stream. */
const MAX_TOPICS = 16;

/** Settings of a stream without limits, each commit of which reaches the disk. */
export function newStreamSettings(topics: readonly string[]): StreamSettings {
  return {
    topics,
    maxAgeMs: Infinity,
    maxBytes: Infinity,
    maxCount: Infinity,
    maxPerTopic: Infinity,
    dedupMs: 120_000,
    full: "drop-oldest",
    sync: "always",
    keep: "limits",
  };
}

/** Why a stream cannot keep these topics, as the end of a sentence; `undefined` if it can. */
export function topicsProblem(topics: unknown): string | undefined {
  if (!Array.isArray(topics) || topics.length === 0 || topics.length > MAX_TOPICS) {
    return `there must be 1 to ${MAX_TOPICS} filters`;
  }
  for (const [i, topic] of topics.entries()) {
    const problem = filterProblem(topic) ??
      (isSystem(topic) ? "topics that begin with _ are the system's" : undefined);
    if (problem !== undefined) return `${quote(topic)} cannot be kept: ${problem}`;
    const other = topics.slice(0, i).find((each) => filtersOverlap(each, topic));
    if (other !== undefined) return `${quote(topic)} overlaps ${quote(other)}`;
  }
  return undefined;
}

/** Settings that a stream keeps for as long as it exists: what is stored is laid out by them. */
const FIXED = ["maxPerTopic", "dedupMs", "keep"] as const;

/** The field of a request that has a setting: `max-per-topic`. */
export function fieldOf(setting: string): string {
  return setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * The settings of a stream after a change.
 *
 * @throws {StreamError} `bad-stream` if something is to change that cannot.
 */
export function changedStreamSettings(
  name: string,
  settings: StreamSettings,
  change: Partial<StreamSettings>,
): StreamSettings {
  refuseSystemStream(name);
  for (const key of FIXED) {
    if (change[key] === undefined || change[key] === settings[key]) continue;
    const message = `The setting ${fieldOf(key)} of a stream is chosen when it is made; ` +
      "make another one";
    throw new StreamError("bad-stream", message);
  }
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  return { ...settings, ...Object.fromEntries(given) };
}

/** @throws {StreamError} `bad-stream` if a stream is not the users' to make or change. */
export function refuseSystemStream(name: string): void {
  if (name !== DEAD_LETTERS) return;
  const message = `The stream ${DEAD_LETTERS} is the broker's own; it can be read and purged`;
  throw new StreamError("bad-stream", message);
}

/** Why a stream cannot keep these topics beside another one. */
export function overlapError(name: string, other: string, topics: readonly string[]): StreamError {
  const message = `The topics of ${quote(name)} overlap those of the stream ${quote(other)}: ` +
    topics.join(", ");
  return new StreamError("stream-overlap", message);
}

/** The settings of the stream of the dead letters. */
export const DEAD_LETTER_SETTINGS: StreamSettings = {
  ...newStreamSettings([`${DEAD_LETTERS}.>`]),
  maxCount: 1_000_000,
  maxBytes: 1_073_741_824,
  dedupMs: 1_000,
};
