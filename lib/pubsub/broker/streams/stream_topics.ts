import { FilterTable } from "./filter_table.ts";
import type { StreamSettings, StreamTotals } from "./stream_store.ts";

/** Topics whose streams are remembered. */
const MAX_TOPICS = 10_000;

/** What is looked at of a stream. */
interface KeepingStream {
  readonly name: string;
  readonly settings: Pick<StreamSettings, "topics">;
}

/** Tells which stream keeps a topic, and remembers the answers. */
export class StreamTopics {
  readonly #streams: ReadonlyMap<string, KeepingStream>;
  readonly #known = new Map<string, string | undefined>();
  /** The names of streams by their filters. */
  readonly #table = new FilterTable();
  /** The filters that the table has of each stream. */
  readonly #indexed = new Map<string, readonly string[]>();
  #isIndexed = false;

  constructor(streams: ReadonlyMap<string, KeepingStream>) {
    this.#streams = streams;
  }

  /**
   * The name of the stream that keeps a topic; `undefined` if none does.
   *
   * @param visited As for {@linkcode StreamStore.streamOf}.
   */
  of(topic: string, visited?: (nodes: number) => void): string | undefined {
    const known = this.#known.get(topic);
    if (known !== undefined || this.#known.has(topic)) return known;
    if (this.#known.size >= MAX_TOPICS) this.#known.clear();
    if (!this.#isIndexed) this.#index();
    const found = this.#table.find(topic, undefined, visited);
    this.#known.set(topic, found);
    return found;
  }

  /** The name of a stream, other than `except`, that keeps topics which one of these filters matches. */
  overlapping(filters: readonly string[], except?: string): string | undefined {
    if (!this.#isIndexed) this.#index();
    for (const filter of filters) {
      const name = this.#table.find(filter, except);
      if (name !== undefined) return name;
    }
    return undefined;
  }

  /** Forgets the answers: the streams have changed. */
  changed(): void {
    this.#known.clear();
    this.#isIndexed = false;
  }

  /** Brings the table up to date. There may be 16,000 filters, of which a change concerns few. */
  #index(): void {
    for (const [name, filters] of this.#indexed) {
      const present = this.#streams.get(name)?.settings.topics;
      if (present?.length === filters.length && present.every((f, i) => f === filters[i])) continue;
      for (const filter of filters) this.#table.delete(filter);
      this.#indexed.delete(name);
    }
    for (const { name, settings: { topics } } of this.#streams.values()) {
      if (this.#indexed.has(name)) continue;
      for (const filter of topics) this.#table.set(filter, name);
      this.#indexed.set(name, topics);
    }
    this.#isIndexed = true;
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
