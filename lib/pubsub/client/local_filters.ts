import type { ClientSubscription } from "./client_subscription.ts";
import { FilterTree } from "../protocol/filter_tree.ts";

/** A filter that a client has subscribed to, for one or several of its subscriptions. */
export interface LocalFilter {
  readonly filter: string;
  readonly group: string | undefined;
  readonly subscriptions: ClientSubscription[];
  /** Whose turn it is, in a group. */
  next: number;
}

/** What a client has subscribed to: to whom in the program does a message go? */
export class LocalFilters {
  readonly #tree = new FilterTree<LocalFilter[]>();
  readonly #all = new Set<LocalFilter>();

  /** All of them. */
  [Symbol.iterator](): IterableIterator<LocalFilter> {
    return this.#all.values();
  }

  /** The filter with exactly this text and group. */
  get(filter: string, group: string | undefined): LocalFilter | undefined {
    return this.#tree.get(filter)?.find((local) => local.group === group);
  }

  /** Adds a subscription; `true` if it is the first of its filter and group. */
  add(subscription: ClientSubscription): boolean {
    const { filter, options: { group } } = subscription;
    const known = this.get(filter, group);
    if (known) {
      known.subscriptions.push(subscription);
      return false;
    }
    const local = { filter, group, subscriptions: [subscription], next: 0 };
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
    local.subscriptions.splice(index, 1);
    if (local.subscriptions.length > 0) return false;
    this.#all.delete(local);
    const others = this.#tree.get(filter)!.filter((other) => other !== local);
    if (others.length > 0) this.#tree.set(filter, others);
    else this.#tree.delete(filter);
    return true;
  }

  /** The subscriptions, of no group, that a topic matches. */
  match(topic: string): ClientSubscription[] {
    const found: LocalFilter[][] = [];
    this.#tree.match(topic, found);
    return found.flatMap((locals) =>
      locals.flatMap(({ group, subscriptions }) => group === undefined ? subscriptions : [])
    );
  }

  /** The one subscription of a group whose turn it is. */
  pick(filter: string, group: string): ClientSubscription | undefined {
    const local = this.get(filter, group);
    return local?.subscriptions[local.next++ % local.subscriptions.length];
  }
}
