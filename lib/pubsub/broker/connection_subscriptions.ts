import type { Outbox } from "./delivery/outbox.ts";
import type { Router } from "./routing/router.ts";
import type { SlowPolicy } from "../protocol/slow_policy.ts";
import type { Subscription } from "./routing/subscription.ts";

/** What {@linkcode ConnectionSubscriptions} shares with those of other connections. */
export interface SubscriptionHost {
  readonly router: Router;
  readonly counters: { subscriptions: number };
}

/** The subscriptions of one connection. */
export class ConnectionSubscriptions {
  readonly #outbox: Outbox;
  readonly #host: SubscriptionHost;
  readonly #byKey = new Map<string, Subscription>();

  /** None at first. */
  constructor(outbox: Outbox, host: SubscriptionHost) {
    this.#outbox = outbox;
    this.#host = host;
  }

  /** How many there are. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Whether it has this one. */
  has(filter: string, group: string | undefined): boolean {
    return this.#byKey.has(keyOf(filter, group));
  }

  /** Adds one, or changes its policy. */
  add(filter: string, group: string | undefined, slow: SlowPolicy): void {
    const key = keyOf(filter, group);
    const known = this.#byKey.get(key);
    if (known) {
      this.#setPolicy(known, slow);
      return;
    }
    const subscription = this.#host.router.add(filter, group, slow, this.#outbox);
    this.#byKey.set(key, subscription);
    this.#host.counters.subscriptions++;
    if (slow === "block") this.#outbox.blocking++;
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

  /** Ends all. */
  clear(): void {
    for (const subscription of this.#byKey.values()) this.#end(subscription);
    this.#byKey.clear();
  }

  #end(subscription: Subscription): void {
    this.#host.router.remove(subscription);
    this.#host.counters.subscriptions--;
    if (subscription.slow === "block") this.#outbox.blocking--;
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
