import { Deque } from "../../base/deque.ts";
import type { SlowPolicy } from "../protocol/slow_policy.ts";
import type { PubSubMessage } from "./message.ts";

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
  /**
   * What the broker does with publications while this client does not keep up.
   *
   * @default {"drop-oldest"}
   */
  readonly slow?: SlowPolicy | undefined;
  /**
   * Is called with each message, in order; the next waits until the promise it returns resolves.
   * Without it the messages are read by iterating over the subscription. What it throws goes to the
   * client's `onError`.
   */
  readonly onMessage?: ((message: PubSubMessage) => void | Promise<void>) | undefined;
  /**
   * Is told of what was missed, between the messages where it would have stood. What it throws goes
   * to the client's `onError`.
   */
  readonly onMissed?: ((missed: MissedPublications) => void) | undefined;
}

/** What a subscription needs of its client. */
export interface SubscriptionOwner {
  /** The messages that wait in it take this many bytes more; negative for fewer. */
  queued(subscription: ClientSubscription, bytes: number): void;
  /** The program ends it. */
  unsubscribe(subscription: ClientSubscription): Promise<void>;
  /** A callback of the program threw. */
  callbackFailed(error: unknown, what: string): void;
}

type Item = PubSubMessage | MissedPublications;

/**
 * A client's subscription: the messages, in order, as an async iterable. It goes on when the client
 * connects again. Messages that the program does not take wait here; when those of all subscriptions
 * reach the client's bound it stops reading, and the broker does what `slow` says.
 *
 * Leaving a `for await` loop ends the subscription.
 */
export class ClientSubscription implements AsyncIterableIterator<PubSubMessage>, AsyncDisposable {
  /** What is subscribed to. */
  readonly filter: string;
  /** With which group, policy and callbacks. */
  readonly options: SubscribeOptions;
  /** How many publications were left out so far, because this client did not keep up. */
  missed = 0;
  /** With `onMessage`: resolves when the last call of it has ended. */
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

  /** The next message; waits for it. Rejects if the broker, or the client, ended the subscription. */
  async next(): Promise<IteratorResult<PubSubMessage, undefined>> {
    while (true) {
      const item = this.#take();
      if (item === undefined) {
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#ended) return { done: true, value: undefined };
        this.#waiting ??= Promise.withResolvers();
        await this.#waiting.promise;
      } else if ("count" in item) this.#tellMissed(item);
      else return { done: false, value: item };
    }
  }

  /** Ends the subscription. Messages that came before can still be taken. */
  async unsubscribe(): Promise<void> {
    await this.#owner.unsubscribe(this);
  }

  /** Ends the subscription and drops its messages; called when a `for await` loop is left. */
  async return(): Promise<IteratorResult<PubSubMessage, undefined>> {
    while (this.#take() !== undefined);
    await this.unsubscribe();
    return { done: true, value: undefined };
  }

  /** The subscription itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends the subscription and drops its messages. */
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

  #tellMissed(missed: MissedPublications): void {
    this.missed += missed.count;
    try {
      this.options.onMissed?.(missed);
    } catch (error) {
      this.#owner.callbackFailed(error, `The callback onMissed of ${this.filter} failed`);
    }
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
