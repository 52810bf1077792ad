import type { Budget } from "../../base/budget.ts";
import { inSteps } from "../../base/in_steps.ts";
import type { Refusal } from "../protocol/codes.ts";
import { quote } from "../protocol/quote.ts";
import type { Outbox } from "./delivery/outbox.ts";
import type { Router } from "./routing/router.ts";
import type { SlowPolicy } from "../protocol/slow_policy.ts";
import type { Subscription } from "./routing/subscription.ts";

/** What a subscription costs beside its texts, and what a membership of a group costs more. */
const SUBSCRIPTION_BYTES = 500;
const MEMBERSHIP_BYTES = 600;

/** How many subscriptions are ended between two looks at the clock. */
const PART = 100;

/** What {@linkcode ConnectionSubscriptions} shares with those of other connections. */
export interface SubscriptionHost {
  readonly router: Router;
  readonly counters: { subscriptions: number };
  readonly limits: { readonly maxSubscriptions: number; readonly maxMemberships: number };
}

/** The subscriptions of one connection. */
export class ConnectionSubscriptions {
  readonly #outbox: Outbox;
  readonly #host: SubscriptionHost;
  readonly #byKey = new Map<string, Subscription>();
  #budget: Budget | undefined;
  #memberships = 0;

  /** None at first. */
  constructor(outbox: Outbox, host: SubscriptionHost) {
    this.#outbox = outbox;
    this.#host = host;
  }

  /** What they cost is taken from this budget. Set before the first is added. */
  setBudget(budget: Budget): void {
    this.#budget = budget;
  }

  /** How many there are. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Whether it has this one. */
  has(filter: string, group: string | undefined): boolean {
    return this.#byKey.has(keyOf(filter, group));
  }

  /** Adds one, or changes its policy. Returns why it may not be had, if so. */
  add(filter: string, group: string | undefined, slow: SlowPolicy): Refusal | undefined {
    const key = keyOf(filter, group);
    const known = this.#byKey.get(key);
    if (known) {
      this.#setPolicy(known, slow);
      return undefined;
    }
    const refusal = this.#refusal(filter, group);
    if (refusal) return refusal;
    const subscription = this.#host.router.add(filter, group, slow, this.#outbox);
    this.#byKey.set(key, subscription);
    this.#host.counters.subscriptions++;
    if (group !== undefined) this.#memberships++;
    if (slow === "block") this.#outbox.blocking++;
    return undefined;
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
   * Ends all, in steps; groups at once, so that what goes to one of their members does not get lost
   * here. Nothing may be added any more.
   */
  async clear(): Promise<void> {
    const all = this.#byKey.values();
    if (this.#memberships > 0) {
      for (const subscription of all) if (subscription.group) this.#end(subscription);
    }
    const rest = this.#byKey.entries();
    await inSteps(() => {
      for (let i = 0; i < PART; i++) {
        const { done, value } = rest.next();
        if (done) return true;
        const [key, subscription] = value;
        this.#byKey.delete(key);
        if (!subscription.group) this.#end(subscription);
      }
      return false;
    });
  }

  /** Why one more may not be had. What it costs is taken, if it may. */
  #refusal(filter: string, group: string | undefined): Refusal | undefined {
    const { maxSubscriptions, maxMemberships } = this.#host.limits;
    if (this.size >= maxSubscriptions) {
      const message = `A connection may have ${maxSubscriptions} subscriptions`;
      return { code: "too-many-filters", message };
    }
    if (group !== undefined && this.#memberships >= maxMemberships) {
      const message = `A connection may be in ${maxMemberships} groups`;
      return { code: "too-many-groups", message };
    }
    const cost = costOf(filter, group);
    const full = this.#budget?.refusing(cost);
    if (full) {
      const message = `Cannot subscribe to ${quote(filter)}: ` +
        `the memory for the filters of ${full.name} is used up`;
      return { code: "over-budget", message };
    }
    this.#budget?.take(cost);
    return undefined;
  }

  #end(subscription: Subscription): void {
    const { entry, group, slow } = subscription;
    this.#host.router.remove(subscription);
    this.#host.counters.subscriptions--;
    this.#budget?.give(costOf(entry.filter, group?.name));
    if (group) this.#memberships--;
    if (slow === "block") this.#outbox.blocking--;
  }

  #setPolicy(subscription: Subscription, slow: SlowPolicy): void {
    if (subscription.slow === "block") this.#outbox.blocking--;
    if (slow === "block") this.#outbox.blocking++;
    subscription.slow = slow;
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
