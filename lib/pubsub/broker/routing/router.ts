import { FilterTree } from "../../protocol/filter_tree.ts";
import type { SlowPolicy } from "../../protocol/slow_policy.ts";
import {
  addTo,
  createGroup,
  FilterEntry,
  type Group,
  type Receiver,
  removeFrom,
  type Subscription,
} from "./subscription.ts";
import { isWildcard } from "../../protocol/topic.ts";

/** To whom a publication goes: the same object for all topics that the same filters match. */
export interface Route {
  /** One for each connection. */
  readonly subscriptions: readonly Subscription[];
  /** Of each group, one member. */
  readonly groups: readonly Group[];
}

/** Topics whose routes are remembered. */
const MAX_ROUTES = 16_384;

/** After so many misses in a row only every `SAMPLE`th route is remembered. */
const MISSES_BEFORE_SAMPLING = 1_024;
const SAMPLE = 16;

const NOBODY: Route = { subscriptions: [], groups: [] };

/** Knows who subscribes to what, and finds the route of a topic. */
export class Router {
  readonly #entries = new FilterTree<FilterEntry>();
  /** By topic. */
  readonly #routes = new Map<string, Route>();
  /** By the ids of the entries that match, so that topics with equal receivers share a route. */
  readonly #shared = new Map<string, Route>();
  #nextId = 0;
  #misses = 0;
  #generation = 0;

  /** Changes whenever a route that was found before may be out of date. */
  get generation(): number {
    return this.#generation;
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
  ): Subscription {
    let entry = this.#entries.get(filter);
    if (entry === undefined) {
      entry = new FilterEntry(filter, this.#nextId++);
      this.#entries.set(filter, entry);
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
    const subscription = { receiver, entry, group, slow, index: 0 };
    addTo(group?.members ?? entry.subscriptions, subscription);
    if (group) entry.members++;
    this.#changed(filter);
    return subscription;
  }

  /** Ends a subscription. */
  remove(subscription: Subscription): void {
    const { entry, group } = subscription;
    removeFrom(group?.members ?? entry.subscriptions, subscription);
    if (group) entry.members--;
    if (group?.members.length === 0) entry.groups?.delete(group.name);
    if (entry.empty) this.#entries.delete(entry.filter);
    this.#changed(entry.filter);
  }

  /** The route of a valid topic, good until {@linkcode Router.generation} changes. */
  find(topic: string): Route {
    const known = this.#routes.get(topic);
    if (known !== undefined) {
      this.#misses = 0;
      return known;
    }
    const route = this.#make(topic);
    // Where no topic comes twice, as with inboxes, remembering costs more than it saves.
    if (this.#misses++ < MISSES_BEFORE_SAMPLING || this.#misses % SAMPLE === 0) {
      if (this.#routes.size >= MAX_ROUTES) this.#routes.clear();
      this.#routes.set(topic, route);
    }
    return route;
  }

  #make(topic: string): Route {
    const entries: FilterEntry[] = [];
    this.#entries.match(topic, entries);
    if (entries.length === 0) return NOBODY;
    const key = entries.length === 1
      ? String(entries[0]!.id)
      : entries.map(({ id }) => id).sort((a, b) => a - b).join();
    let route = this.#shared.get(key);
    if (route === undefined) {
      route = join(entries);
      if (this.#shared.size >= MAX_ROUTES) this.#shared.clear();
      this.#shared.set(key, route);
    }
    return route;
  }

  #changed(filter: string): void {
    this.#generation++;
    this.#shared.clear();
    if (isWildcard(filter)) this.#routes.clear();
    else this.#routes.delete(filter);
  }
}

/** A connection that several filters name stands in the route once. */
function join(entries: readonly FilterEntry[]): Route {
  const groups = entries.flatMap((entry) => [...entry.groups?.values() ?? []]);
  if (entries.length === 1) return { subscriptions: entries[0]!.subscriptions, groups };
  const byReceiver = new Map<Receiver, Subscription>();
  for (const { subscriptions } of entries) {
    for (const subscription of subscriptions) {
      if (!byReceiver.has(subscription.receiver)) {
        byReceiver.set(subscription.receiver, subscription);
      }
    }
  }
  return { subscriptions: [...byReceiver.values()], groups };
}
