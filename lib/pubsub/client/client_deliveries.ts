import type { Frame, FrameHeader } from "../../frame/mod.ts";
import { INBOX_PREFIX } from "../protocol/topic.ts";
import { ClientSubscription, type SubscribeOptions } from "./client_subscription.ts";
import { type LocalFilter, LocalFilters } from "./local_filters.ts";
import { type PublishContent, PubSubMessage } from "./message.ts";
import type { PubSubError } from "./pubsub_error.ts";
import type { TellError } from "./tell_error.ts";

/** What {@linkcode ClientDeliveries} needs of the client. */
export interface DeliveryHost {
  /** Publishes a reply. */
  publish(topic: string, content: PublishContent): Promise<void>;
  /** Ends a subscription. */
  unsubscribe(subscription: ClientSubscription): Promise<void>;
  /** Tells of a callback that threw. */
  tellError: TellError;
}

/** Hands the messages that the broker delivers to the subscriptions that they are for. */
export class ClientDeliveries {
  readonly #maxQueuedBytes: number;
  readonly #host: DeliveryHost;
  readonly #filters = new LocalFilters();
  /** The subscriptions that an `ok` will confirm, by its id. */
  readonly #expected = new Map<number, readonly ClientSubscription[]>();
  readonly #open = new Set<ClientSubscription>();
  /** How many of the next deliveries are retained frames, and for which subscriptions. */
  #retainedLeft = 0;
  #retainedFor: readonly ClientSubscription[] = [];
  #queuedBytes = 0;
  #room: PromiseWithResolvers<void> | undefined;

  /** @param maxQueuedBytes Bytes of messages that may wait until the program takes them. */
  constructor(maxQueuedBytes: number, host: DeliveryHost) {
    this.#maxQueuedBytes = maxQueuedBytes;
    this.#host = host;
  }

  /** All filters that are subscribed to. */
  filters(): Iterable<LocalFilter> {
    return this.#filters;
  }

  /** Whether a subscription calls a function of the program, which cannot see its end. */
  get callsBack(): boolean {
    for (const { filter, options } of this.#open) {
      if (options.onMessage && !filter.startsWith(INBOX_PREFIX)) return true;
    }
    return false;
  }

  /** The broker has ended what was subscribed to. */
  ended(filter: string, group: string | undefined, error: PubSubError): void {
    for (const subscription of [...this.#filters.get(filter, group)?.subscriptions ?? []]) {
      this.remove(subscription);
      subscription.end(error);
    }
  }

  /** Adds a subscription. */
  add(filter: string, options: SubscribeOptions): ClientSubscription {
    const subscription = new ClientSubscription(filter, options, {
      queued: (_, bytes) => this.#queued(bytes),
      unsubscribe: (ended) => this.#host.unsubscribe(ended),
      callbackFailed: (error, what) => this.#host.tellError(error, what),
    });
    this.#filters.add(subscription);
    this.#open.add(subscription);
    return subscription;
  }

  /** Removes a subscription; `true` if no other has its filter and group. */
  remove(subscription: ClientSubscription): boolean {
    this.#open.delete(subscription);
    return this.#filters.remove(subscription);
  }

  /** Notes which subscriptions an `ok` with this id will confirm. */
  expect(id: number, subscriptions: readonly ClientSubscription[]): void {
    this.#expected.set(id, subscriptions);
  }

  /** Takes an `ok`. The retained frames that it announces are the next deliveries. */
  confirmed({ id, retained }: FrameHeader): void {
    const subscriptions = this.#expected.get(id as number);
    if (subscriptions === undefined) return;
    this.#expected.delete(id as number);
    this.#retainedFor = subscriptions;
    this.#retainedLeft = Number(retained ?? 0);
    for (const subscription of subscriptions) subscription.retained = this.#retainedLeft;
  }

  /** Takes a delivery. */
  deliver(frame: Frame): void {
    const { topic, group, filter } = frame.header as Record<string, unknown>;
    if (typeof topic !== "string") return;
    const retained = this.#retainedLeft > 0;
    let subscriptions: readonly (ClientSubscription | undefined)[];
    if (retained) {
      this.#retainedLeft--;
      subscriptions = this.#retainedFor;
    } else if (typeof group === "string") {
      subscriptions = [this.#filters.pick(String(filter), group)];
    } else subscriptions = this.#filters.match(topic);
    if (subscriptions.length === 0) return;
    const message = new PubSubMessage(
      frame.detach(),
      retained,
      (to, content) => this.#host.publish(to, content),
    );
    for (const subscription of subscriptions) subscription?.push(message);
  }

  /** Takes a `missed`. */
  missed(header: FrameHeader): void {
    const { topic, group, count, bytes } = header;
    const filter = String(topic);
    const local = this.#filters.get(filter, group as string | undefined);
    const missed = { filter, count: Number(count), bytes: Number(bytes) };
    for (const subscription of local?.subscriptions ?? []) subscription.push(missed);
  }

  /** The connection is lost: what it announced does not come any more. */
  disconnected(): void {
    this.#retainedLeft = 0;
    this.#expected.clear();
  }

  /** What to wait for before more is read; `undefined` while there is room. */
  room(): Promise<void> | undefined {
    return this.#room?.promise;
  }

  /** Ends all subscriptions. */
  close(failure: unknown): void {
    for (const subscription of this.#open) subscription.end(failure);
    this.#room?.resolve();
    this.#room = undefined;
  }

  #queued(bytes: number): void {
    this.#queuedBytes += bytes;
    if (this.#queuedBytes > this.#maxQueuedBytes) this.#room ??= Promise.withResolvers();
    else if (this.#room && this.#queuedBytes <= this.#maxQueuedBytes / 2) {
      this.#room.resolve();
      this.#room = undefined;
    }
  }
}
