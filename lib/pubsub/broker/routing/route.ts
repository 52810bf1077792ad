import type { SlowPolicy } from "../../protocol/slow_policy.ts";
import {
  type FilterEntry,
  type Group,
  type Receiver,
  type Subscription,
  type SubscriptionLimits,
  wants,
} from "./subscription.ts";

/** To whom a publication goes: the same object for all topics that the same filters match. */
export interface Route {
  /** One for each connection. */
  readonly subscriptions: readonly Subscription[];
  /** Of each group, one member. */
  readonly groups: readonly Group[];
  /** About what it takes in memory. */
  readonly bytes: number;
  /**
   * The cost of subscriptions that stand for several filters, in deliveries, on top of the deliveries
   * themselves.
   */
  readonly overlaps: number;
}

/** The route of a topic that no filter matches. */
export const NOBODY: Route = { subscriptions: [], groups: [], bytes: 0, overlaps: 0 };

/** What a route takes beside its lists, each place in a list, and each object that joins several. */
const ROUTE_BYTES = 200;
const PLACE_BYTES = 16;
const JOIN_BYTES = 200;

/**
 * A connection is told what was left out, and its deliveries are counted, for at most this many
 * overlapping filters. All share one delivery, so the others lose nothing.
 */
const MAX_OVERLAPPING = 256;

/** Looking at this many filters of one connection costs as much as a delivery. */
const FILTERS_PER_DELIVERY = 8;

/**
 * Subscriptions of one connection that match the same topics: it gets a publication once, by the
 * policy of the first, and each is told of what was left out.
 */
class OverlappingSubscriptions implements Subscription {
  readonly receiver: Receiver;
  readonly entry: FilterEntry;
  readonly group: Group | undefined;
  readonly overlapping: Subscription[] = [];
  limits: SubscriptionLimits | undefined;
  index = 0;
  /** Keyed by which of them a part has. */
  #parts: Map<string, Subscription> | undefined;

  constructor(first: Subscription) {
    this.receiver = first.receiver;
    this.entry = first.entry;
    this.group = first.group;
    this.push(first);
  }

  get slow(): SlowPolicy {
    return this.overlapping[0]!.slow;
  }

  push(subscription: Subscription): void {
    this.overlapping.push(subscription);
    this.limits ??= subscription.limits;
  }

  /** Those of them that a publication is for. The same selection is the same object each time. */
  part(isFor: (subscription: Subscription) => boolean): Subscription | undefined {
    let key = "";
    const wanted = this.overlapping.filter((one) => {
      const isWanted = isFor(one);
      key += isWanted ? "1" : "0";
      return isWanted;
    });
    if (wanted.length < 2) return wanted[0];
    if (wanted.length === this.overlapping.length) return this;
    let part = this.#parts?.get(key);
    if (part === undefined) {
      const joined = new OverlappingSubscriptions(wanted[0]!);
      for (let i = 1; i < wanted.length; i++) joined.push(wanted[i]!);
      (this.#parts ??= new Map()).set(key, part = joined);
    }
    return part;
  }
}

/**
 * The part of a route's subscription, which may stand for several, that gets a connection's
 * publication: without those that exclude what their own connection publishes, and those that have
 * had all that they wanted.
 */
export function wantingPart(
  subscription: Subscription,
  publisher: Receiver | undefined,
): Subscription | undefined {
  if (subscription instanceof OverlappingSubscriptions) {
    return subscription.part((one) => wants(one, publisher));
  }
  return wants(subscription, publisher) ? subscription : undefined;
}

/** Makes a route of the filters that match, each of which is added; the order decides nothing. */
export class RouteJoin {
  readonly #byReceiver = new Map<Receiver, Subscription | OverlappingSubscriptions>();
  readonly #groups: Group[] = [];
  #bytes = ROUTE_BYTES;
  #overlapping = 0;

  /** Adds a subscription. Those of one connection stand in the route as one. */
  add(subscription: Subscription): void {
    const { receiver } = subscription;
    const known = this.#byReceiver.get(receiver);
    this.#bytes += PLACE_BYTES;
    if (known === undefined) this.#byReceiver.set(receiver, subscription);
    else if (!(known instanceof OverlappingSubscriptions)) {
      this.#bytes += JOIN_BYTES;
      const joined = new OverlappingSubscriptions(known);
      joined.push(subscription);
      this.#byReceiver.set(receiver, joined);
    } else if (known.overlapping.length < MAX_OVERLAPPING) {
      known.push(subscription);
      this.#overlapping++;
    }
  }

  /** Adds the groups of a filter. */
  addGroups({ groups }: FilterEntry): void {
    for (const group of groups?.values() ?? []) {
      this.#groups.push(group);
      this.#bytes += PLACE_BYTES;
    }
  }

  /** The route of all that was added. */
  route(): Route {
    const subscriptions = [...this.#byReceiver.values()];
    const overlaps = Math.floor(this.#overlapping / FILTERS_PER_DELIVERY);
    return { subscriptions, groups: this.#groups, bytes: this.#bytes, overlaps };
  }
}

/** How many deliveries it may cost to hand something to a subscription of a route. */
export function deliveriesOf({ overlapping }: Subscription): number {
  return overlapping ? 1 + overlapping.length / FILTERS_PER_DELIVERY : 1;
}

/** The route of filters; of a single one, its own list. */
export function joinRoute(entries: readonly FilterEntry[]): Route {
  const [only] = entries;
  if (only === undefined) return NOBODY;
  if (entries.length === 1) {
    const groups = [...only.groups?.values() ?? []];
    const bytes = ROUTE_BYTES + PLACE_BYTES * groups.length;
    return { subscriptions: only.subscriptions, groups, bytes, overlaps: 0 };
  }
  const join = new RouteJoin();
  for (const entry of entries) {
    join.addGroups(entry);
    for (const subscription of entry.subscriptions) join.add(subscription);
  }
  return join.route();
}
