import { Deque } from "../../base/deque.ts";
import type { PubSubMessage } from "./message.ts";
import type { SlowPolicy } from "../protocol/slow_policy.ts";

/** Publications that a subscriber did not get, because it did not keep up. */
export interface MissedPublications {
  /** The filter of the subscription. */
  readonly filter: string;
  /** How many. */
  readonly count: number;
  /** The bytes of their frames. */
  readonly bytes: number;
}

/** How to subscribe. */
export interface SubscribeOptions {
  /** Shares the publications with all connections in the group of this name. */
  readonly group?: string | undefined;
  /** What becomes of publications while this client does not keep up. @default {"drop-oldest"} */
  readonly slow?: SlowPolicy | undefined;
  /**
   * Is called with each message, in order; the next waits until the promise it returns resolves.
   * Without it the messages are to be had by iterating. What it throws goes to `onError`.
   */
  readonly onMessage?: ((message: PubSubMessage) => void | Promise<void>) | undefined;
  /** Is told of what was missed, between the messages where it would have stood. */
  readonly onMissed?: ((missed: MissedPublications) => void) | undefined;
}

/** What a subscription needs of its client. */
export interface SubscriptionOwner {
  /** Its queue has grown, or shrunk, by so many bytes. */
  queued(subscription: ClientSubscription, bytes: number): void;
  /** It is to be ended. */
  unsubscribe(subscription: ClientSubscription): Promise<void>;
}

type Item = PubSubMessage | MissedPublications;

/**
 * A client's subscription: the messages, in order, as an async iterable. It goes on over
 * reconnections. Messages that nobody takes wait here up to the client's bound; then the client
 * reads no more, and the broker does by `slow` what is to be done with a slow subscriber.
 *
 * Leaving a `for await` loop ends the subscription.
 */
export class ClientSubscription implements AsyncIterableIterator<PubSubMessage>, AsyncDisposable {
  /** What is subscribed to. */
  readonly filter: string;
  /** With which group, policy and callbacks. */
  readonly options: SubscribeOptions;
  /** Publications that were left out so far, because this client did not keep up. */
  missed = 0;
  /** With `onMessage`: resolves when it was called for the last time. */
  taken: Promise<void> = Promise.resolve();
  /** How many retained messages came with the subscription. */
  retained = 0;
  readonly #owner: SubscriptionOwner;
  readonly #items = new Deque<Item>();
  #waiting: PromiseWithResolvers<void> | undefined;
  #ended = false;
  #failure: unknown;

  /** Made by `BrokerClient.subscribe`. */
  constructor(filter: string, options: SubscribeOptions, owner: SubscriptionOwner) {
    this.filter = filter;
    this.options = options;
    this.#owner = owner;
  }

  /** The next message; waits for it. Rejects if the client has failed for good. */
  async next(): Promise<IteratorResult<PubSubMessage, undefined>> {
    while (true) {
      const item = this.#take();
      if (item === undefined) {
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#ended) return { done: true, value: undefined };
        this.#waiting ??= Promise.withResolvers();
        await this.#waiting.promise;
      } else if ("count" in item) {
        this.missed += item.count;
        this.options.onMissed?.(item);
      } else return { done: false, value: item };
    }
  }

  /** Ends the subscription. Messages that came before can still be taken. */
  async unsubscribe(): Promise<void> {
    await this.#owner.unsubscribe(this);
  }

  /** Ends the subscription; called when a `for await` loop is left. */
  async return(): Promise<IteratorResult<PubSubMessage, undefined>> {
    this.#drop();
    await this.unsubscribe();
    return { done: true, value: undefined };
  }

  /** The subscription itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends the subscription. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Called by the client: something came. */
  push(item: PubSubMessage | MissedPublications): void {
    if (this.#ended) return;
    this.#items.push(item);
    this.#owner.queued(this, sizeOf(item));
    this.#wake();
  }

  /** Called by the client: nothing more comes. */
  end(failure?: unknown): void {
    this.#ended = true;
    this.#failure ??= failure;
    this.#wake();
  }

  #take(): Item | undefined {
    const item = this.#items.shift();
    if (item !== undefined) this.#owner.queued(this, -sizeOf(item));
    return item;
  }

  #drop(): void {
    while (this.#take() !== undefined);
  }

  #wake(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}

/** What keeping a message costs beside its bytes. */
const ITEM_BYTES = 256;

function sizeOf(item: Item): number {
  return ITEM_BYTES + ("count" in item ? 0 : item.content.length);
}
