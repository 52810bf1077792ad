import { filterCovers } from "../../protocol/topic.ts";

/** Topics whose answers are remembered. */
const MAX_TOPICS = 10_000;

/** Tells whether topics match a filter, and remembers the answers. */
export class TopicMatcher {
  readonly #filter: string | undefined;
  readonly #known = new Map<string, boolean>();

  /** @param filter Without it, every topic matches. */
  constructor(filter: string | undefined) {
    this.#filter = filter;
  }

  /** Whether every topic matches: then none has to be known. */
  get matchesAll(): boolean {
    return this.#filter === undefined;
  }

  /** Whether a topic matches. */
  matches(topic: string): boolean {
    if (this.#filter === undefined) return true;
    let matches = this.#known.get(topic);
    if (matches === undefined) {
      if (this.#known.size >= MAX_TOPICS) this.#known.clear();
      matches = filterCovers(this.#filter, topic);
      this.#known.set(topic, matches);
    }
    return matches;
  }
}
