import { TokenTree } from "../../../protocol/token_tree.ts";
import type { ConsumerRecord } from "./consumer_record.ts";
import { unwantedCounter } from "./retention.ts";
import type { StreamRecord } from "./stream_record.ts";
import type { Tables } from "./tables.ts";

/** Runs that are looked through in one commit. */
const MAX_RUNS = 6;

/**
 * For streams that keep messages until all consumers are done with them: drops those that no consumer's
 * filter matches, since nobody would ever acknowledge them. A stream without consumers keeps all.
 */
export class UnwantedMessages {
  readonly #tables: Tables;
  /** The numbers of the first messages that were not looked at. */
  readonly #next = new WeakMap<StreamRecord, number>();
  #left = MAX_RUNS;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** A consumer is gone: messages that only it wanted are unwanted now. Called within a commit. */
  beginAgain(stream: StreamRecord): void {
    if (stream.settings.keep !== "until-acked") return;
    const before = this.#next.get(stream) ?? this.#noted(stream);
    this.#note(stream, 0);
    this.#tables.onRollBack(() => this.#next.set(stream, before));
  }

  /** Begins a commit, which looks at some messages. */
  begin(): void {
    this.#left = MAX_RUNS;
  }

  /** Looks at some messages of a stream. Called within a commit. @returns whether there may be more. */
  step(stream: StreamRecord): boolean {
    if (stream.settings.keep !== "until-acked") return false;
    const begun = this.#next.get(stream) ?? this.#noted(stream);
    // Messages that only the journal has are looked at when their rows are written.
    const end = stream.rowsEnd;
    if (begun >= end) return false;
    const filters = filtersOf(this.#tables.consumersOf(stream).values());
    if (filters === undefined) return false;
    const isUnwanted = (topic: string) => {
      const found: string[] = [];
      filters.match(topic, found);
      return found.length === 0;
    };
    let next: number | undefined = begun;
    for (; this.#left > 0 && next !== undefined; this.#left--) {
      next = this.#tables.retention.dropPicked(stream, isUnwanted, next, end);
    }
    this.#note(stream, next ?? end);
    this.#tables.onRollBack(() => this.#next.set(stream, begun));
    return next !== undefined;
  }

  /** Where an earlier process would have gone on. */
  #noted({ id }: StreamRecord): number {
    const sql = "SELECT value FROM counter WHERE name = ?";
    return this.#tables.statements.row<[number]>(sql, unwantedCounter(id))?.[0] ?? 0;
  }

  #note(stream: StreamRecord, next: number): void {
    this.#next.set(stream, next);
    const sql = "INSERT OR REPLACE INTO counter VALUES (?, ?)";
    this.#tables.statements.run(sql, unwantedCounter(stream.id), next);
  }
}

/** The filters of consumers; `undefined` if there is no consumer, or one gets everything. */
function filtersOf(consumers: Iterable<ConsumerRecord>): TokenTree<string> | undefined {
  let tree: TokenTree<string> | undefined;
  for (const { matcher: { filter } } of consumers) {
    if (filter === undefined) return undefined;
    tree ??= new TokenTree();
    tree.set(filter, filter);
  }
  return tree;
}
