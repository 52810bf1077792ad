import type { ClientDeliveries } from "./client_deliveries.ts";
import type { ClientLink } from "../link/client_link.ts";
import type { ClientStatus } from "../client_status.ts";
import type { ClientSubscription } from "./client_subscription.ts";
import type { PendingAnswers } from "../publishing/pending_answers.ts";
import { PubSubError } from "../pubsub_error.ts";
import type { TellError } from "../tell_error.ts";

/** What the broker knows of a client's subscriptions: it is told of all of them on each connection. */
export class SubscriptionRegistry {
  readonly #deliveries: ClientDeliveries;
  readonly #answers: PendingAnswers;
  readonly #status: ClientStatus;
  readonly #tellError: TellError;
  /** The connection on which the broker was told of subscriptions. */
  #link: ClientLink | undefined;
  /** Whether it was told of all there are. */
  #complete = false;
  /** Subscriptions of which the broker is told on the next connection, or later on this one. */
  readonly #unconfirmed = new Map<ClientSubscription, PromiseWithResolvers<void>>();
  readonly #draining = new WeakSet<ClientSubscription>();

  /** The broker knows of none. */
  constructor(
    deliveries: ClientDeliveries,
    answers: PendingAnswers,
    status: ClientStatus,
    tellError: TellError,
  ) {
    this.#deliveries = deliveries;
    this.#answers = answers;
    this.#status = status;
    this.#tellError = tellError;
  }

  /** Tells the broker, on a new connection, of all subscriptions. Rejects if the connection is lost. */
  async tellAll(link: ClientLink): Promise<void> {
    this.#link = link;
    this.#deliveries.gap();
    const told = new Set<ClientSubscription>();
    // While the broker answers, the program may subscribe to more.
    for (;;) {
      const due = [...this.#deliveries.filters()]
        .map(({ subscriptions }) => subscriptions.filter((one) => !told.has(one)))
        .filter(({ length }) => length > 0);
      if (due.length === 0) break;
      await Promise.all(due.map(async (subscriptions) => {
        for (const subscription of subscriptions) told.add(subscription);
        await this.#tell(link, subscriptions);
      }));
    }
    this.#complete = true;
  }

  /** The connection is lost, and with it what the broker knew. */
  disconnected(): void {
    this.#link = undefined;
    this.#complete = false;
  }

  /**
   * Resolves once the broker has confirmed a new subscription, on this connection or a later one.
   *
   * @throws {PubSubError} what the broker refused it with, or `closed`.
   */
  async confirm(subscription: ClientSubscription): Promise<void> {
    if (this.#complete) {
      try {
        return await this.#subscribe(this.#link!, [subscription]);
      } catch (error) {
        if (codeOf(error) !== "disconnected") throw error;
        // The next connection begins with all subscriptions that there are.
        this.#status.checkOpen();
      }
    }
    const waiting = Promise.withResolvers<void>();
    this.#unconfirmed.set(subscription, waiting);
    await waiting.promise;
  }

  /** Ends a subscription. Resolves when nothing is delivered for it any more. Never rejects. */
  async unsubscribe(subscription: ClientSubscription): Promise<void> {
    // With its connection a subscription is gone too.
    if (this.#deliveries.remove(subscription)) await this.#end(subscription).catch(() => {});
    this.#unconfirmed.get(subscription)?.resolve();
    this.#unconfirmed.delete(subscription);
    subscription.end();
  }

  /**
   * Ends a subscription behind all that the broker has handed out for it. Resolves when the last call
   * of its callback has ended.
   *
   * @throws {PubSubError} `disconnected` or `closed`, if not all has come.
   */
  async drain(subscription: ClientSubscription): Promise<void> {
    this.#draining.add(subscription);
    const isLast = () => {
      const all = this.#deliveries.localOf(subscription)?.subscriptions ?? [];
      return all.every((one) => this.#draining.has(one));
    };
    let wasLast: boolean;
    do {
      wasLast = isLast();
      // Where another one has the same filter, the broker goes on: any answer comes behind the rest.
      await this.#end(subscription, wasLast ? "unsub" : "ping", true);
      // The other one may have ended meanwhile.
    } while (!wasLast && isLast());
    this.#deliveries.remove(subscription);
    subscription.end();
    await subscription.taken;
  }

  /** No further subscription is confirmed. */
  close(error: PubSubError): void {
    this.#link = undefined;
    for (const waiting of this.#unconfirmed.values()) waiting.reject(error);
    this.#unconfirmed.clear();
  }

  /** Tells the broker again of subscriptions to one filter, of one group or none. */
  async #tell(link: ClientLink, subscriptions: readonly ClientSubscription[]): Promise<void> {
    let refusal: unknown;
    try {
      await this.#subscribe(link, subscriptions);
    } catch (error) {
      if (codeOf(error) === "disconnected") throw error;
      refusal = error;
    }
    for (const subscription of subscriptions) {
      const waiting = this.#unconfirmed.get(subscription);
      this.#unconfirmed.delete(subscription);
      if (refusal === undefined) waiting?.resolve();
      else {
        // What was permitted before may not be any more: that ends these, and not the others.
        this.#deliveries.remove(subscription);
        subscription.end(refusal);
        waiting?.reject(refusal);
      }
    }
  }

  /**
   * Asks the broker to end one, if it knows of it.
   *
   * @param isPatient Whether what comes before the answer must not be left out.
   * @throws {PubSubError} `disconnected` or `closed`.
   */
  async #end(
    { filter, options: { group } }: ClientSubscription,
    op = "unsub",
    isPatient = false,
  ): Promise<void> {
    if (this.#link === undefined) return;
    const fields = op === "ping" ? {} : { topic: filter, group };
    try {
      await this.#answers.ask(this.#link, op, fields, undefined, undefined, isPatient);
    } catch (error) {
      const code = codeOf(error);
      if (code === "disconnected" || code === "closed") throw error;
      if (code === "not-subscribed") return;
      this.#tellError(error, `The subscription to ${filter} could not be ended`);
    }
  }

  async #subscribe(
    link: ClientLink,
    subscriptions: readonly ClientSubscription[],
  ): Promise<void> {
    const { filter, options: { group, slow } } = subscriptions[0]!;
    // The broker knows one subscription to a filter: it may do only what all of these want.
    const all = this.#deliveries.localOf(subscriptions[0]!)?.subscriptions ?? subscriptions;
    const noLocal = all.every(({ options }) => options.noLocal) || undefined;
    const max = all.length === 1 ? all[0]!.left : undefined;
    // A part of what the filter matches says nothing of how much was missed of it.
    const counted = group === undefined && !noLocal && max === undefined || undefined;
    const fields = { topic: filter, group, slow, "no-local": noLocal, max, counted };
    const id = this.#answers.nextId();
    this.#deliveries.expect(id, subscriptions);
    try {
      await this.#answers.ask(link, "sub", fields, id);
    } catch (error) {
      this.#deliveries.refused(id);
      throw error;
    }
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof PubSubError ? error.code : undefined;
}
