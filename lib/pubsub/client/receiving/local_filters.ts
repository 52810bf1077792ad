import type { ClientSubscription } from "./client_subscription.ts";
import { GapCount } from "./gap_count.ts";
import { FilterTree } from "../../protocol/filter_tree.ts";

/** How many topics are remembered with the subscriptions that they are for. */
const MAX_KNOWN_TOPICS = 1_024;

/** A filter and group that a client subscribes to, and its subscriptions of them. */
export interface LocalFilter {
  readonly filter: string;
  readonly group: string | undefined;
  readonly subscriptions: ClientSubscription[];
  /** How much came by it. */
  readonly count: GapCount;
  /** Whether a connection was lost, and the size of the gap is to be told. */
  hasGap: boolean;
  /** In a group: the index of the subscription whose turn it is. */
  next: number;
}

/** The filters without a group that match a topic. */
export interface MatchingFilters {
  /** All subscriptions to them. */
  readonly subscriptions: readonly ClientSubscription[];
  /** What came by each. */
  readonly counts: readonly GapCount[];
}

/** What a client subscribes to. It finds the subscriptions that a message is for. */
export class LocalFilters {
  readonly #tree = new FilterTree<LocalFilter[]>();
  readonly #all = new Set<LocalFilter>();
  /** What was found for topics, until the filters change. */
  readonly #known = new Map<string, MatchingFilters>();
  /** Counts the changes of the filters: what was found before a change does not count after it. */
  version = 0;

  /** All of them. */
  [Symbol.iterator](): IterableIterator<LocalFilter> {
    return this.#all.values();
  }

  /** The entry of exactly this filter and group. */
  get(filter: string, group: string | undefined): LocalFilter | undefined {
    return this.#tree.get(filter)?.find((local) => local.group === group);
  }

  /** Adds a subscription; `true` if it is the first of its filter and group. */
  add(subscription: ClientSubscription): boolean {
    this.#changed();
    const { filter, options: { group } } = subscription;
    const known = this.get(filter, group);
    if (known) {
      known.subscriptions.push(subscription);
      return false;
    }
    const local: LocalFilter = {
      filter,
      group,
      subscriptions: [subscription],
      count: new GapCount(),
      hasGap: false,
      next: 0,
    };
    this.#all.add(local);
    this.#tree.set(filter, [...this.#tree.get(filter) ?? [], local]);
    return true;
  }

  /** Removes a subscription; `true` if its filter and group have none left. */
  remove(subscription: ClientSubscription): boolean {
    const { filter, options: { group } } = subscription;
    const local = this.get(filter, group);
    const index = local?.subscriptions.indexOf(subscription) ?? -1;
    if (local === undefined || index < 0) return false;
    this.#changed();
    local.subscriptions.splice(index, 1);
    if (local.subscriptions.length > 0) return false;
    this.#all.delete(local);
    const others = this.#tree.get(filter)!.filter((other) => other !== local);
    if (others.length > 0) this.#tree.set(filter, others);
    else this.#tree.delete(filter);
    return true;
  }

  /** The filters that match a topic. */
  match(topic: string): MatchingFilters {
    const known = this.#known.get(topic);
    if (known !== undefined) return known;
    const found: LocalFilter[][] = [];
    this.#tree.match(topic, found);
    const plain = found.flat().filter(({ group }) => group === undefined);
    const matching = {
      subscriptions: plain.flatMap(({ subscriptions }) => subscriptions),
      counts: plain.map(({ count }) => count),
    };
    if (this.#known.size >= MAX_KNOWN_TOPICS) this.#known.clear();
    this.#known.set(topic, matching);
    return matching;
  }

  /** The subscription whose turn it is, of those to this filter in this group. */
  pick(filter: string, group: string): ClientSubscription | undefined {
    const local = this.get(filter, group);
    return local?.subscriptions[local.next++ % local.subscriptions.length];
  }

  #changed(): void {
    this.version++;
    this.#known.clear();
  }
}
