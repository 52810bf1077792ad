import { quote } from "../../protocol/quote.ts";
import { filterProblem, filtersOverlap, isSystem } from "../../protocol/topic.ts";
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
