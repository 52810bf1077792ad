import type { SlowPolicy } from "../../protocol/slow_policy.ts";
import type { Run } from "./run.ts";

/** Takes what is published for the subscriptions of one connection: its outbox. */
export interface Receiver {
  /** Whether so much waits for the connection that publishers should wait too. */
  readonly congested: boolean;
  /** Whether its connection has ended: nothing more is handed to it. */
  readonly ended?: boolean;
  /** Whether it only counts: it is nobody's connection, and never behind. */
  readonly counts?: boolean;
  /** How many bytes its socket has taken. */
  readonly writtenBytes: number;
  /** How many of them the client says that it has taken; 0 if it does not say. */
  readonly toldBytes: number;
  /**
   * Takes a run of publications.
   *
   * @returns How many of them are on their way; the others were left out.
   */
  add(run: Run, subscription: Subscription): number;
  /**
   * Takes the publication `run.frames[index]` for a member of a group: its header is extended by
   * the group's `headerTail`.
   *
   * @returns 1 if it is on its way, 0 if it was left out.
   */
  addGrouped(run: Run, index: number, subscription: Subscription, group: Group): number;
  /**
   * Tells the client that publications for a subscription were lost on the way from another broker.
   *
   * @param atLeast Whether there may be more than `count`.
   */
  lost(subscription: Subscription, count: number, atLeast: boolean): void;
  /** A subscription has had as many publications as it wanted, and is to be ended. */
  completed(subscription: Subscription): void;
  /** Publishers have stopped waiting for the connection. */
  tooSlow(): void;
}

/** What restricts a subscription; most have none. */
export interface SubscriptionLimits {
  /** Whether it leaves out what its own connection publishes. */
  readonly noLocal: boolean;
  /** How many more publications it gets; at 0 it is about to end. */
  left: number;
}

/** One filter of one connection, alone or as a member of a group. */
export interface Subscription {
  /** Where its publications go. */
  readonly receiver: Receiver;
  /** The filter, with all who subscribe to it. */
  readonly entry: FilterEntry;
  /** The group that it is a member of. */
  readonly group: Group | undefined;
  /** May be changed by subscribing again. */
  slow: SlowPolicy;
  /** May be changed by subscribing again. In a route it says whether any of them is limited. */
  limits: SubscriptionLimits | undefined;
  /** Its place in the list of its entry, or of its group; -1 once it has ended. */
  index: number;
  /** All that it stands for in a route: filters of one connection that match the same topics. */
  readonly overlapping?: readonly Subscription[];
}

/** Connections of which each publication goes to one. */
export interface Group {
  /** The name that its members gave. */
  readonly name: string;
  /** The end of a delivery's header: the fields that tell it from a plain delivery, and a brace. */
  readonly headerTail: Uint8Array;
  /** The members, in no order. */
  readonly members: Subscription[];
  /** The index of the member whose turn it is. */
  next: number;
}

/** All subscriptions of one filter. */
export class FilterEntry {
  /** The filter. */
  readonly filter: string;
  /** Tells it from the other entries of the broker. */
  readonly id: number;
  /** Those that belong to no group, in no order. */
  readonly subscriptions: Subscription[] = [];
  /** The groups by name. Most filters have none, and there may be a million filters. */
  groups: Map<string, Group> | undefined;
  /** Whether one of the subscriptions only counts. */
  isCounted = false;
  /** How many members all groups together have. */
  members = 0;

  /** Has no subscriptions at first. */
  constructor(filter: string, id: number) {
    this.filter = filter;
    this.id = id;
  }

  /** How many connections subscribe, apart from groups. */
  get subscribers(): number {
    return this.subscriptions.length - (this.isCounted ? 1 : 0);
  }

  /** Whether nobody subscribes. */
  get empty(): boolean {
    return this.subscriptions.length === 0 && !this.groups?.size;
  }
}

/** Whether a subscription that may be limited gets what a connection publishes. */
export function wants({ limits, receiver }: Subscription, publisher?: Receiver): boolean {
  return limits === undefined ||
    (limits.left > 0 && !(limits.noLocal && receiver === publisher));
}

/** Adds a subscription at the end of the list. */
export function addTo(list: Subscription[], subscription: Subscription): void {
  subscription.index = list.length;
  list.push(subscription);
}

/** Removes a subscription from its list in constant time: the last one takes its place. */
export function removeFrom(list: Subscription[], subscription: Subscription): void {
  const last = list.pop()!;
  if (last !== subscription) {
    list[subscription.index] = last;
    last.index = subscription.index;
  }
  subscription.index = -1;
}

/** Whether a subscription of a route that was found before has ended meanwhile. */
export function isEnded({ index, overlapping }: Subscription): boolean {
  return overlapping === undefined ? index < 0 : overlapping.every((one) => one.index < 0);
}
