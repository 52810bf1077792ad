import { filtersOverlap } from "../../protocol/topic.ts";

/**
 * Tells whether topics match a filter. Answers are not remembered: there may be ten thousand filters,
 * and to look one up takes as long as to find it.
 */
export class TopicMatcher {
  /** Without it, every topic matches. */
  readonly filter: string | undefined;

  /** @param filter Without it, every topic matches. */
  constructor(filter: string | undefined) {
    this.filter = filter;
  }

  /** Whether every topic matches: then none has to be known. */
  get matchesAll(): boolean {
    return this.filter === undefined;
  }

  /** Whether a topic, which has no wildcard, matches. */
  matches(topic: string): boolean {
    return this.filter === undefined || filtersOverlap(this.filter, topic);
  }
}
