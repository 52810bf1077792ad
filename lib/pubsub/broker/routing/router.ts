import { FairQueue } from "../../../base/fair_queue.ts";
import type { Pause } from "../../../base/in_steps.ts";
import { FilterTree } from "../../protocol/filter_tree.ts";
import type { SlowPolicy } from "../../protocol/slow_policy.ts";
import { createGroup } from "./group.ts";
import {
  addTo,
  FilterEntry,
  type Group,
  type Receiver,
  removeFrom,
  type Subscription,
  type SubscriptionLimits,
} from "./subscription.ts";
import { INBOX_PREFIX, isWildcard } from "../../protocol/topic.ts";
import { joinRoute, NOBODY, type Route } from "./route.ts";
import { RouteCache } from "./route_cache.ts";
import { RouteSearch } from "./route_search.ts";
import { SpeedMemory } from "./speed_memory.ts";

/** After this many misses in a row only every `SAMPLE`th route is remembered. */
const MISSES_BEFORE_SAMPLING = 1_024;
const SAMPLE = 16;

/** How much is done in one go to find a route: nodes visited, and subscriptions joined. */
const MAX_NODES = 2_000;
const MAX_JOINED = 10_000;

/**
 * About what it costs to look for a route, to visit a node, and to join a subscription, per byte that
 * the route takes in memory.
 */
const FIND_NS = 2_000;
const NODE_NS = 1_000;
const JOINED_BYTE_NS = 10;

/** How many searches may be under way at the same time. */
const MAX_SEARCHES = 4;

/** Filters of a route that is shared by topics; a longer list of them makes too long a key. */
const MAX_SHARED = 64;

/** Knows who subscribes to what, and finds the route of a topic. */
export class Router {
  readonly #entries = new FilterTree<FilterEntry>();
  readonly #routes: RouteCache;
  readonly #searches = new Set<RouteSearch>();
  /** Searches that are under way or wait, by topic. */
  readonly #sought = new Map<string, Promise<void>>();
  /** A search holds what it has found so far: so a few are under way at the same time. */
  readonly #queue = new FairQueue({
    atOnce: MAX_SEARCHES,
    maxWaiting: Infinity,
    maxWaitingPerKey: Infinity,
  });
  /** Is told of each subscription that has ended. */
  onRemoved: ((filter: string, group: string | undefined) => void) | undefined;
  #nextId = 0;
  /** How many filters are of one reply alone: while there is one, replies may differ in their route. */
  #literalReplies = 0;
  #misses = 0;
  #generation = 0;
  #workedNs = 0;
  readonly #pause: Pause | undefined;

  /**
   * Keeps routes in `memory`.
   *
   * @param pause Lets others be served while a route is searched for.
   */
  constructor(memory: SpeedMemory = new SpeedMemory(Infinity), pause?: Pause) {
    this.#routes = new RouteCache(memory);
    this.#pause = pause;
  }

  /** Changes whenever a route that was found before may be out of date. */
  get generation(): number {
    return this.#generation;
  }

  /** What else is known of topics has changed: it is to be asked for again. */
  changed(): void {
    this.#generation++;
  }

  /** How many filters somebody subscribes to. */
  get filters(): number {
    return this.#entries.size;
  }

  /** The filters that somebody subscribes to, in no order. */
  entries(): Iterable<FilterEntry> {
    return this.#entries.values();
  }

  /** Adds a subscription; the filter and the group's name are valid. */
  add(
    filter: string,
    groupName: string | undefined,
    slow: SlowPolicy,
    receiver: Receiver,
    limits?: SubscriptionLimits,
  ): Subscription {
    let entry = this.#entries.get(filter);
    if (entry === undefined) {
      entry = new FilterEntry(filter, this.#nextId++);
      this.#entries.set(filter, entry);
      if (isLiteralReply(filter)) this.#literalReplies++;
    }
    let group: Group | undefined;
    if (groupName !== undefined) {
      entry.groups ??= new Map();
      group = entry.groups.get(groupName);
      if (group === undefined) {
        group = createGroup(groupName, filter);
        entry.groups.set(groupName, group);
      }
    }
    const subscription = { receiver, entry, group, slow, limits, index: 0 };
    addTo(group?.members ?? entry.subscriptions, subscription);
    if (group) entry.members++;
    this.#changed(entry);
    return subscription;
  }

  /** Changes what restricts a subscription. */
  limit(subscription: Subscription, limits: SubscriptionLimits | undefined): void {
    if (subscription.limits === undefined && limits === undefined) return;
    subscription.limits = limits;
    this.#changed(subscription.entry);
  }

  /** Ends a subscription. */
  remove(subscription: Subscription): void {
    const { entry, group } = subscription;
    removeFrom(group?.members ?? entry.subscriptions, subscription);
    if (group) entry.members--;
    if (group?.members.length === 0) entry.groups?.delete(group.name);
    if (entry.empty) {
      this.#entries.delete(entry.filter);
      if (isLiteralReply(entry.filter)) this.#literalReplies--;
    }
    this.#changed(entry);
    this.onRemoved?.(entry.filter, group?.name);
  }

  /** A group that has members. */
  group(filter: string, name: string): Group | undefined {
    return this.#entries.get(filter)?.groups?.get(name);
  }

  /**
   * The route of a valid topic, good until {@linkcode Router.generation} changes; `undefined` if so
   * many filters match that it has to be searched for.
   */
  find(topic: string): Route | undefined {
    const inbox = this.#literalReplies === 0 ? inboxOf(topic) : undefined;
    // Each reply has a topic of its own; those to one inbox have the same route.
    const shared = inbox === undefined ? undefined : this.#routes.ofTopic(inbox);
    if (shared !== undefined) return shared;
    const known = this.#routes.ofTopic(topic);
    if (known !== undefined) {
      this.#misses = 0;
      return known;
    }
    const route = this.#make(topic);
    if (route && inbox !== undefined) {
      this.#routes.setTopic(inbox, route);
      return route;
    }
    // Where no topic comes twice, as with inboxes, remembering costs more than it saves.
    if (route && (this.#misses++ < MISSES_BEFORE_SAMPLING || this.#misses % SAMPLE === 0)) {
      this.#routes.setTopic(topic, route);
    }
    return route;
  }

  /** Counts nodes of another tree that were visited for a topic. */
  visited(nodes: number): void {
    this.#workedNs += nodes * NODE_NS;
  }

  /** About how long it took to find routes since the last call, in nanoseconds. */
  takeWork(): number {
    const workedNs = this.#workedNs;
    this.#workedNs = 0;
    return workedNs;
  }

  /**
   * Searches for a route in steps, once for all who need it at the same time. Once this resolves
   * {@linkcode Router.find} knows it, if nothing has changed since it was found.
   */
  search(topic: string): Promise<void> {
    let sought = this.#sought.get(topic);
    if (sought === undefined) {
      sought = this.#queue.run("", () => this.#search(topic));
      this.#sought.set(topic, sought);
    }
    return sought;
  }

  async #search(topic: string): Promise<void> {
    const search = new RouteSearch(topic);
    this.#searches.add(search);
    const route = await search.run(this.#entries.matching(topic), this.#pause);
    this.#searches.delete(search);
    this.#sought.delete(topic);
    this.#routes.setTopic(topic, route, true);
  }

  #make(topic: string): Route | undefined {
    const entries: FilterEntry[] = [];
    const nodes = this.#entries.match(topic, entries, MAX_NODES);
    this.#workedNs += FIND_NS + nodes * NODE_NS;
    if (nodes > MAX_NODES) return undefined;
    if (entries.length === 0) return NOBODY;
    if (entries.length > MAX_SHARED) return isMuch(entries) ? undefined : this.#join(entries);
    const key = entries.length === 1
      ? String(entries[0]!.id)
      : entries.map(({ id }) => id).sort((a, b) => a - b).join();
    let route = this.#routes.ofFilters(key);
    if (route === undefined) {
      if (isMuch(entries)) return undefined;
      route = this.#join(entries);
      this.#routes.setFilters(key, route);
    }
    return route;
  }

  #join(entries: readonly FilterEntry[]): Route {
    const route = joinRoute(entries);
    if (entries.length > 1) this.#workedNs += route.bytes * JOINED_BYTE_NS;
    return route;
  }

  #changed(entry: FilterEntry): void {
    this.#generation++;
    if (isWildcard(entry.filter)) this.#routes.forget();
    else {
      this.#routes.forgetFilters();
      this.#routes.deleteTopic(entry.filter);
    }
    for (const search of this.#searches) search.changed(entry);
  }
}

/** The inbox of a reply's topic, to the last dot: `_inbox.TOKEN.`; `undefined` for other topics. */
function inboxOf(topic: string): string | undefined {
  if (!topic.startsWith(INBOX_PREFIX)) return undefined;
  const dot = topic.indexOf(".", INBOX_PREFIX.length);
  return dot < 0 || topic.includes(".", dot + 1) ? undefined : topic.slice(0, dot + 1);
}

/** Whether a filter is of replies with one name, whatever the inbox: what it says behind that. */
function isLiteralReply(filter: string): boolean {
  return inboxOf(filter) !== undefined && !filter.endsWith(".*") && !filter.endsWith(".>");
}

/** Whether it would take too long to join these in one go. A single list is not joined. */
function isMuch(entries: readonly FilterEntry[]): boolean {
  if (entries.length === 1) return false;
  let count = 0;
  for (const { subscriptions, groups } of entries) {
    count += subscriptions.length + (groups?.size ?? 0);
  }
  return count > MAX_JOINED;
}
