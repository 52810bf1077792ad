import { filterCovers } from "../../protocol/topic.ts";
import type { StreamFigures, StreamTotals } from "./stream_store.ts";

/** Topics whose streams are remembered. */
const MAX_TOPICS = 10_000;

/** Tells which stream keeps a topic, and remembers the answers. */
export class StreamTopics {
  readonly #streams: ReadonlyMap<string, StreamFigures>;
  readonly #known = new Map<string, string | undefined>();

  constructor(streams: ReadonlyMap<string, StreamFigures>) {
    this.#streams = streams;
  }

  /** The name of the stream that keeps a topic; `undefined` if none does. */
  of(topic: string): string | undefined {
    const known = this.#known.get(topic);
    if (known !== undefined || this.#known.has(topic)) return known;
    if (this.#known.size >= MAX_TOPICS) this.#known.clear();
    let found: string | undefined;
    for (const { name, settings } of this.#streams.values()) {
      if (settings.topics.some((filter) => filterCovers(filter, topic))) found = name;
    }
    this.#known.set(topic, found);
    return found;
  }

  /** Forgets the answers: the streams have changed. */
  changed(): void {
    this.#known.clear();
  }
}

/** Totals of a store that holds nothing. */
export const NO_TOTALS: StreamTotals = {
  streams: 0,
  messages: 0,
  bytes: 0,
  consumers: 0,
  pending: 0,
  unacked: 0,
  redelivered: 0,
  dead: 0,
  oldestUnackedMs: 0,
};
