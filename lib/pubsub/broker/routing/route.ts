import type { FilterEntry, Group, Receiver, Subscription } from "./subscription.ts";

/** To whom a publication goes: the same object for all topics that the same filters match. */
export interface Route {
  /** One for each connection. */
  readonly subscriptions: readonly Subscription[];
  /** Of each group, one member. */
  readonly groups: readonly Group[];
}

/** The route of a topic that no filter matches. */
export const NOBODY: Route = { subscriptions: [], groups: [] };

/** Makes a route of the filters that match, each of which is added; the order decides nothing. */
export class RouteJoin {
  readonly #byReceiver = new Map<Receiver, Subscription>();
  readonly #groups: Group[] = [];

  /** Adds subscriptions: of those of one connection, the first stands in the route. */
  add(subscription: Subscription): void {
    const { receiver } = subscription;
    if (!this.#byReceiver.has(receiver)) this.#byReceiver.set(receiver, subscription);
  }

  /** Adds the groups of a filter. */
  addGroups({ groups }: FilterEntry): void {
    for (const group of groups?.values() ?? []) this.#groups.push(group);
  }

  /** The route of all that was added. */
  route(): Route {
    return { subscriptions: [...this.#byReceiver.values()], groups: this.#groups };
  }
}

/** The route of filters; of a single one, its own list. */
export function joinRoute(entries: readonly FilterEntry[]): Route {
  const [only] = entries;
  if (only === undefined) return NOBODY;
  if (entries.length === 1) {
    return { subscriptions: only.subscriptions, groups: [...only.groups?.values() ?? []] };
  }
  const join = new RouteJoin();
  for (const entry of entries) {
    join.addGroups(entry);
    for (const subscription of entry.subscriptions) join.add(subscription);
  }
  return join.route();
}
