import { Budget } from "../../base/budget.ts";
import { inSteps, visitInParts } from "../../base/in_steps.ts";
import type { PubSubErrorCode, Refusal } from "../protocol/codes.ts";
import { quote } from "../protocol/quote.ts";
import type { Outbox } from "./delivery/outbox.ts";
import type { Router } from "./routing/router.ts";
import type { SlowPolicy } from "../protocol/slow_policy.ts";
import { isCompletedBy } from "./routing/limited_delivery.ts";
import type { Subscription, SubscriptionLimits } from "./routing/subscription.ts";

/** What a subscription costs beside its texts, and what a membership of a group costs more. */
const SUBSCRIPTION_BYTES = 500;
const MEMBERSHIP_BYTES = 600;

/** Subscriptions to end before looking at the clock again. */
const PART = 100;

/** The same, if each is first compared with its client's rights. */
const FORBIDDEN_PART = 20;

/** Shared by all connections that have no subscription. */
const NONE = new Map<string, Subscription>();

/** What {@linkcode ConnectionSubscriptions} shares with those of other connections. */
export interface SubscriptionHost {
  readonly router: Router;
  readonly counters: { subscriptions: number };
  readonly limits: {
    readonly maxSubscriptions: number;
    readonly maxMemberships: number;
    readonly maxUserSubscriptions: number;
    readonly maxUserMemberships: number;
  };
}

/** What the subscriptions of all connections of one principal amount to. */
export interface SubscriptionAccount {
  /** What they may take in memory. */
  readonly filters: Budget;
  subscriptions: number;
  memberships: number;
}

/** The subscriptions of one connection. */
export class ConnectionSubscriptions {
  readonly #outbox: Outbox;
  readonly #host: SubscriptionHost;
  #byKey: Map<string, Subscription> = NONE;
  #account: SubscriptionAccount | undefined;
  #budget: Budget | undefined;
  #maxBytes = 0;
  #memberships = 0;

  /** None at first. */
  constructor(outbox: Outbox, host: SubscriptionHost) {
    this.#outbox = outbox;
    this.#host = host;
  }

  /**
   * Sets the account that they count on. It is set before the first one is added. Subscriptions
   * that exist already move to the new account, even if they exceed its limits.
   *
   * @param maxBytes What they may take of the account's memory.
   */
  setAccount(account: SubscriptionAccount, maxBytes: number): void {
    const before = this.#budget;
    this.#maxBytes = maxBytes;
    this.#budget = undefined;
    if (this.#account) {
      this.#account.subscriptions -= this.size;
      this.#account.memberships -= this.#memberships;
    }
    this.#account = account;
    if (before) {
      const { usedBytes } = before;
      before.give(usedBytes);
      this.#ownBudget()?.take(usedBytes);
    }
    account.subscriptions += this.size;
    account.memberships += this.#memberships;
  }

  /** How many there are. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Whether it has this one. */
  has(filter: string, group: string | undefined): boolean {
    return this.#byKey.has(keyOf(filter, group));
  }

  /** Adds one, or changes its policy and limits. Returns the refusal, if it is not allowed. */
  add(
    filter: string,
    group: string | undefined,
    slow: SlowPolicy,
    limits?: SubscriptionLimits,
  ): Refusal | undefined {
    const key = keyOf(filter, group);
    const known = this.#byKey.get(key);
    if (known) {
      known.slow = slow;
      this.#host.router.limit(known, limits);
      return undefined;
    }
    const refusal = this.#refusal(filter, group);
    if (refusal) return refusal;
    const subscription = this.#host.router.add(filter, group, slow, this.#outbox, limits);
    if (this.#byKey === NONE) this.#byKey = new Map();
    this.#byKey.set(key, subscription);
    this.#count(1, group !== undefined);
    return undefined;
  }

  /** Ends one after this many more publications; `false` if there is none. */
  endAfter(filter: string, group: string | undefined, left: number): boolean {
    const subscription = this.#byKey.get(keyOf(filter, group));
    if (subscription === undefined) return false;
    const noLocal = subscription.limits?.noLocal ?? false;
    this.#host.router.limit(subscription, { noLocal, left });
    return true;
  }

  /**
   * Counts publications that a limited subscription was given, and ends it after the last that it
   * wants.
   */
  countHandedOut(filter: string, count: number): void {
    const subscription = this.#byKey.get(filter);
    if (subscription && isCompletedBy(subscription, count)) this.remove(filter, undefined);
  }

  /** Ends one; `false` if there is none. */
  remove(filter: string, group: string | undefined): boolean {
    const key = keyOf(filter, group);
    const subscription = this.#byKey.get(key);
    if (subscription === undefined) return false;
    this.#byKey.delete(key);
    this.#end(subscription);
    return true;
  }

  /**
   * Ends all, in steps. Memberships of groups end at once, so that no publication for a group is
   * lost here. Nothing may be added afterwards.
   */
  async clear(): Promise<void> {
    if (this.#memberships > 0) {
      for (const subscription of this.#byKey.values()) {
        if (subscription.group) this.#end(subscription);
      }
    }
    const end = ([key, subscription]: [string, Subscription]) => {
      this.#byKey.delete(key);
      if (!subscription.group) this.#end(subscription);
    };
    await inSteps(visitInParts(this.#byKey, end, PART));
  }

  /**
   * Ends those whose filters are no longer allowed, in steps.
   *
   * @param mayHave Is asked for each.
   * @returns Those that were ended.
   */
  async endForbidden(mayHave: (filter: string) => boolean): Promise<Subscription[]> {
    const ended: Subscription[] = [];
    const look = ([key, subscription]: [string, Subscription]) => {
      if (mayHave(subscription.entry.filter)) return;
      this.#byKey.delete(key);
      this.#end(subscription);
      ended.push(subscription);
    };
    await inSteps(visitInParts(this.#byKey, look, FORBIDDEN_PART));
    return ended;
  }

  /** Why one more is not allowed. If it is, `undefined`, and what it costs is taken. */
  #refusal(filter: string, group: string | undefined): Refusal | undefined {
    const { limits } = this.#host;
    const { subscriptions = 0, memberships = 0 } = this.#account ?? {};
    const tooMany = (code: PubSubErrorCode, message: string) => ({ code, message });
    if (this.size >= limits.maxSubscriptions) {
      const message = `A connection may have ${limits.maxSubscriptions} subscriptions`;
      return tooMany("too-many-filters", message);
    }
    if (subscriptions >= limits.maxUserSubscriptions) {
      const message = `A user may have ${limits.maxUserSubscriptions} subscriptions`;
      return tooMany("too-many-filters", message);
    }
    if (group !== undefined && this.#memberships >= limits.maxMemberships) {
      const message = `A connection may be in ${limits.maxMemberships} groups`;
      return tooMany("too-many-groups", message);
    }
    if (group !== undefined && memberships >= limits.maxUserMemberships) {
      const message = `A user may be in ${limits.maxUserMemberships} groups`;
      return tooMany("too-many-groups", message);
    }
    return this.keep(costOf(filter, group), `the subscription to ${quote(filter)}`);
  }

  /**
   * Takes of the memory for filters.
   *
   * @param what What it is for, in the words of the message if there is not enough.
   * @returns The refusal, if there is not enough.
   */
  keep(bytes: number, what: string): Refusal | undefined {
    const budget = this.#ownBudget();
    const full = budget?.refusing(bytes);
    if (full) {
      const message = `Cannot keep ${what}: the memory for the filters of ${full.name} is used up`;
      return { code: "over-budget", message };
    }
    budget?.take(bytes);
    return undefined;
  }

  /** Made when something is taken: most connections have nothing. */
  #ownBudget(): Budget | undefined {
    if (this.#budget || !this.#account) return this.#budget;
    this.#budget = new Budget("this connection", this.#maxBytes, this.#account.filters);
    return this.#budget;
  }

  /** Gives back of the memory for filters. */
  forget(bytes: number): void {
    this.#budget?.give(bytes);
  }

  #end(subscription: Subscription): void {
    const { entry, group } = subscription;
    this.#host.router.remove(subscription);
    this.#count(-1, group !== undefined);
    this.forget(costOf(entry.filter, group?.name));
  }

  /** Counts one more, or one fewer. */
  #count(change: 1 | -1, grouped: boolean): void {
    this.#host.counters.subscriptions += change;
    if (this.#account) this.#account.subscriptions += change;
    if (!grouped) return;
    this.#memberships += change;
    if (this.#account) this.#account.memberships += change;
  }
}

/** Filters have no white space, so a line feed tells the two apart. */
function keyOf(filter: string, group: string | undefined): string {
  return group === undefined ? filter : `${filter}\n${group}`;
}

/** About what a subscription takes on the heap, as if no other had the same filter. */
function costOf(filter: string, group: string | undefined): number {
  const plain = SUBSCRIPTION_BYTES + 2 * filter.length;
  return group === undefined
    ? plain
    : plain + MEMBERSHIP_BYTES + 2 * (filter.length + group.length);
}
