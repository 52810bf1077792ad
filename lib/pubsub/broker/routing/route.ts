import type { SlowPolicy } from "../../protocol/slow_policy.ts";
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

/** Of how many overlapping filters a connection is told what was left out. */
const MAX_OVERLAPPING = 256;

/**
 * Subscriptions of one connection that match the same topics: it gets a publication once, by the
 * policy of the first, and each is told of what was left out.
 */
class OverlappingSubscriptions implements Subscription {
  readonly receiver: Receiver;
  readonly entry: FilterEntry;
  readonly group: Group | undefined;
  readonly overlapping: Subscription[];
  index = 0;

  constructor(first: Subscription, second: Subscription) {
    this.receiver = first.receiver;
    this.entry = first.entry;
    this.group = first.group;
    this.overlapping = [first, second];
  }

  get slow(): SlowPolicy {
    return this.overlapping[0]!.slow;
  }
}

/** Makes a route of the filters that match, each of which is added; the order decides nothing. */
export class RouteJoin {
  readonly #byReceiver = new Map<Receiver, Subscription | OverlappingSubscriptions>();
  readonly #groups: Group[] = [];

  /** Adds a subscription. Those of one connection stand in the route as one. */
  add(subscription: Subscription): void {
    const { receiver } = subscription;
    const known = this.#byReceiver.get(receiver);
    if (known === undefined) this.#byReceiver.set(receiver, subscription);
    else if (!(known instanceof OverlappingSubscriptions)) {
      this.#byReceiver.set(receiver, new OverlappingSubscriptions(known, subscription));
    } else if (known.overlapping.length < MAX_OVERLAPPING) known.overlapping.push(subscription);
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
