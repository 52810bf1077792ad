import { Condition } from "../../../base/condition.ts";
import type { Frame, FrameHeader } from "../../../frame/mod.ts";
import { isWholeNumber } from "../../protocol/whole_number.ts";
import { ClientSubscription, type SubscriptionOwner } from "./client_subscription.ts";
import { type LocalFilter, LocalFilters, type MatchingFilters } from "./local_filters.ts";
import { PubSubMessage, type Responder } from "./message.ts";
import { OpenRequests } from "../requests/open_requests.ts";
import type { PubSubError } from "../pubsub_error.ts";
import type { ReplyInbox } from "../requests/reply_inbox.ts";
import type { SubscribeOptions, SubscriptionLimits } from "./subscribe_options.ts";
import type { TellError } from "../tell_error.ts";

/** The field with which a client marks its publications while it has a `noLocal` subscription. */
export const ORIGIN_FIELD = "origin-client";

/** What {@linkcode ClientDeliveries} needs of the client. */
export interface DeliveryHost extends Responder {
  /** Ends a subscription, as {@linkcode SubscriptionOwner.unsubscribe} does. */
  readonly unsubscribe: SubscriptionOwner["unsubscribe"];
  /** Whether somebody waits for an answer, which comes only if the client reads. */
  readonly awaitsAnswer: boolean;
  readonly tellError: TellError;
}

/** Hands the messages that the broker delivers to the subscriptions that they are for. */
export class ClientDeliveries implements SubscriptionOwner {
  /** Names this client to itself, whatever its connection. */
  readonly origin: string = crypto.randomUUID();
  /** Counts what the program took: whether it goes on. */
  progress = 0;
  readonly read = { id: 0, bytes: 0 };
  readonly requests = new OpenRequests();
  readonly #host: DeliveryHost;
  readonly #filters = new LocalFilters();
  /** The subscriptions that an `ok` will confirm, by its id. */
  readonly #expected = new Map<number, readonly ClientSubscription[]>();
  readonly #open = new Set<ClientSubscription>();
  /** Those that have ended, and whose callback has not. */
  readonly #ending = new Set<ClientSubscription>();
  readonly #full = new Set<ClientSubscription>();
  /** Those for whose `onMessages` the present read brought something. */
  readonly #collecting: ClientSubscription[] = [];
  #inbox: ReplyInbox | undefined;
  #noLocal = 0;
  /** How many of the next deliveries are retained frames, and for which subscriptions. */
  #retainedLeft = 0;
  #retainedFor: readonly ClientSubscription[] = [];
  /** The header of the last delivery, and by which filters it came. */
  #header: FrameHeader | undefined;
  #found: MatchingFilters = { subscriptions: [], counts: [] };
  #version = -1;
  readonly #room = new Condition();

  /** There is no subscription at first. */
  constructor(host: DeliveryHost) {
    this.#host = host;
  }

  /** All filters that are subscribed to. */
  filters(): Iterable<LocalFilter> {
    return this.#filters;
  }

  /** Whether a subscription calls a function of the program, which cannot see its end. */
  get callsBack(): boolean {
    for (const { options } of this.#open) if (options.onMessage ?? options.onMessages) return true;
    return false;
  }

  /** Whether publications have to be marked with {@linkcode ORIGIN_FIELD}. */
  get marksOrigin(): boolean {
    return this.#noLocal > 0;
  }

  /** Where replies to requests go. */
  set inbox(inbox: ReplyInbox) {
    this.#inbox = inbox;
  }

  /** Adds a subscription. */
  add(filter: string, options: SubscribeOptions, limits: SubscriptionLimits): ClientSubscription {
    const subscription = new ClientSubscription(filter, options, limits, this);
    this.#filters.add(subscription);
    this.#open.add(subscription);
    if (options.noLocal) this.#noLocal++;
    this.resume();
    return subscription;
  }

  /** The entry of the filter and group of a subscription. */
  localOf({ filter, options: { group } }: ClientSubscription): LocalFilter | undefined {
    return this.#filters.get(filter, group);
  }

  /** Removes a subscription; `true` if no other has its filter and group. */
  remove(subscription: ClientSubscription): boolean {
    if (this.#open.delete(subscription) && subscription.options.noLocal) this.#noLocal--;
    this.#full.delete(subscription);
    if (!subscription.isDone) this.#ending.add(subscription);
    this.resume();
    return this.#filters.remove(subscription);
  }

  /** The broker has ended what was subscribed to. */
  ended(filter: string, group: string | undefined, error: PubSubError): void {
    for (const subscription of [...this.#filters.get(filter, group)?.subscriptions ?? []]) {
      this.remove(subscription);
      subscription.end(error);
    }
  }

  /** Notes which subscriptions an `ok` with this id will confirm. */
  expect(id: number, subscriptions: readonly ClientSubscription[]): void {
    this.#expected.set(id, subscriptions);
  }

  /** The broker refused what was expected. */
  refused(id: number): void {
    this.#expected.delete(id);
  }

  /** Takes an `ok`. The retained frames that it announces are the next deliveries. */
  confirmed({ id, retained, counter, count }: FrameHeader): void {
    const subscriptions = this.#expected.get(id as number);
    if (subscriptions === undefined) return;
    this.#expected.delete(id as number);
    const local = this.localOf(subscriptions[0]!);
    const missed = local?.count.restart(counter, count);
    if (local?.hasGap) {
      local.hasGap = false;
      for (const subscription of missed === 0 ? [] : subscriptions) {
        if (subscription.confirmed) subscription.pushMissed("disconnected", missed!, null);
      }
    }
    this.#retainedFor = subscriptions;
    this.#retainedLeft = Number(retained ?? 0);
    for (const subscription of subscriptions) {
      subscription.retained = this.#retainedLeft;
      subscription.confirmed = true;
      // What came before by another filter.
      this.collected(subscription);
    }
  }

  /** Takes a delivery. */
  deliver(frame: Frame): void {
    const { header } = frame;
    const retained = this.#retainedLeft > 0;
    if (retained) {
      this.#retainedLeft--;
      if (typeof header["topic"] !== "string") return;
      const message = new PubSubMessage(frame, true, this.#host);
      for (const subscription of this.#retainedFor) subscription.push(message);
      return;
    }
    // A publisher that repeats itself sends equal headers, which are one object.
    if (header !== this.#header || this.#version !== this.#filters.version) {
      const { topic, group } = header as Record<string, unknown>;
      if (typeof topic !== "string") return;
      if (this.#inbox?.owns(topic)) {
        return this.#inbox.received(topic, new PubSubMessage(frame, false, this.#host));
      }
      if (typeof group === "string") {
        const subscription = this.#filters.pick(String(header["filter"]), group);
        if (subscription) this.#push([subscription], frame);
        return;
      }
      this.#found = this.#filters.match(topic);
      this.#header = header;
      this.#version = this.#filters.version;
    }
    const { subscriptions, counts } = this.#found;
    for (let i = 0; i < counts.length; i++) counts[i]!.came++;
    if (subscriptions.length > 0) this.#push(subscriptions, frame);
  }

  /** Takes a `missed`. */
  missed(header: FrameHeader): void {
    const { topic, group, count, bytes, reason } = header;
    const why = reason === "too-large" || reason === "lost" ? reason : "slow";
    const atLeast = header["at-least"] === true;
    const local = this.#filters.get(String(topic), group as string | undefined);
    if (local && header["retained"] !== true) {
      // What was lost between brokers none of them has counted.
      if (why === "lost") local.count.forget();
      else local.count.came += numberOf(count) ?? 0;
    }
    for (const subscription of local?.subscriptions ?? []) {
      subscription.pushMissed(why, numberOf(count), numberOf(bytes), atLeast);
    }
  }

  /** Takes the header of a delivery that is too large: its content is skipped. */
  tooLarge(header: FrameHeader): void {
    let subscriptions: readonly (ClientSubscription | undefined)[];
    const { topic, group, filter } = header;
    if (this.#retainedLeft > 0) {
      this.#retainedLeft--;
      subscriptions = this.#retainedFor;
    } else if (typeof group === "string") {
      subscriptions = [this.#filters.pick(String(filter), group)];
    } else {
      const matching = this.#filters.match(String(topic));
      for (const count of matching.counts) count.came++;
      ({ subscriptions } = matching);
    }
    for (const subscription of subscriptions) {
      subscription?.pushMissed("too-large", 1, header["content-length"]);
    }
  }

  /**
   * A connection was lost, and another was made: who was subscribed before is told how much did not
   * come, once the broker says so.
   */
  gap(): void {
    for (const local of this.#filters) local.hasGap = true;
  }

  /** Bytes were read; their frames come next. */
  readBegins(bytes: number): void {
    this.read.id++;
    this.read.bytes = bytes;
  }

  /** The frames of a read, or some of them, were taken. */
  readEnds(): void {
    for (let one = this.#collecting.pop(); one; one = this.#collecting.pop()) one.handOut();
  }

  /** The connection is lost: what it announced does not come any more. */
  disconnected(): void {
    this.#retainedLeft = 0;
    this.#expected.clear();
  }

  /** What to wait for before more is read; `undefined` while there is room. */
  room(): Promise<void> | undefined {
    if (this.#full.size === 0 || !this.#mustPause()) return undefined;
    return this.#room.wait();
  }

  /** Has the client read on, if it may. */
  resume(): void {
    if (this.#room.isAwaited && !this.#mustPause()) this.#room.notify();
  }

  /** Ends all subscriptions. */
  close(failure: unknown): void {
    for (const subscription of this.#open) subscription.end(failure);
    this.#open.clear();
    this.#full.clear();
    this.requests.close();
    this.resume();
  }

  fullChanged(subscription: ClientSubscription): void {
    if (subscription.isFull) this.#full.add(subscription);
    else if (this.#full.delete(subscription)) this.resume();
  }

  collected(subscription: ClientSubscription): void {
    this.#collecting.push(subscription);
  }

  done(subscription: ClientSubscription): void {
    this.#ending.delete(subscription);
  }

  progressed(): void {
    this.progress++;
  }

  handled(messages: Iterable<PubSubMessage>): void {
    for (const message of messages) this.requests.handled(message);
  }

  unsubscribe(...order: Parameters<SubscriptionOwner["unsubscribe"]>): Promise<void> {
    return this.#host.unsubscribe(...order);
  }

  tellError(error: unknown, what: string): void {
    this.#host.tellError(error, what);
  }

  /** Resolves when the program has replied to the requests that have come, or let them go. */
  settled(): Promise<void> {
    return this.requests.settled([...this.#open, ...this.#ending]);
  }

  #push(subscriptions: readonly ClientSubscription[], frame: Frame): void {
    const message = new PubSubMessage(frame, false, this.#host);
    const isOwn = this.#noLocal > 0 && frame.header[ORIGIN_FIELD] === this.origin;
    for (const subscription of subscriptions) {
      if (!isOwn || !subscription.options.noLocal) subscription.push(message);
    }
  }

  /**
   * Nothing is read while all that is subscribed to is full, so that publishers wait: reading on would
   * only lose something. It would serve somebody where there is another subscription, or an answer
   * is due. The policy `block` lets others wait too.
   */
  #mustPause(): boolean {
    if (this.#full.size === 0 || this.#host.awaitsAnswer) return false;
    if (this.#full.size === this.#open.size) return true;
    for (const { options } of this.#full) if (options.slow === "block") return true;
    return false;
  }
}

function numberOf(value: unknown): number | null {
  return isWholeNumber(value) ? value : null;
}
