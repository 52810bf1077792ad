import { Condition } from "../../../base/condition.ts";
import { Deque } from "../../../base/deque.ts";
import { guard } from "../../../base/report.ts";
import { CallbackLoop, type CallbackSource } from "./callback_loop.ts";
import { LatestMessages } from "./latest_messages.ts";
import type { PubSubMessage } from "./message.ts";
import { type MissedPublications, MissedTally } from "./missed_publications.ts";
import { PubSubError } from "../pubsub_error.ts";
import type { SubscribeOptions, SubscriptionLimits } from "./subscribe_options.ts";
import {
  OrderedMessages,
  WaitingBounds,
  type WaitingItem,
  type WaitingMessages,
} from "./waiting_messages.ts";

/** After this many microtasks a program that awaits `subscribe()` has got its result. */
const MICROTASKS_TO_BEGIN = 16;

/** Why what has a callback for messages cannot be iterated over. */
export const HAS_CALLBACK = "Cannot iterate: a callback gets the messages";

/** What a subscription needs of its client. */
export interface SubscriptionOwner {
  /** The read whose messages are handed out: its number, and how many bytes came with it. */
  readonly read: { readonly id: number; readonly bytes: number };
  /** More waits than may, or not any more. */
  fullChanged(subscription: ClientSubscription): void;
  /** Messages were collected for `onMessages`: `handOut` has to be called after the read. */
  collected(subscription: ClientSubscription): void;
  /** It has ended, and the last call of its callback too. */
  done(subscription: ClientSubscription): void;
  /** The program took something. */
  progressed(): void;
  /** The program is done with messages, which may be requests. */
  handled(messages: Iterable<PubSubMessage>): void;
  /**
   * Ends it in the broker.
   *
   * @param drain As {@linkcode ClientSubscription.drain} does; without it, it never rejects.
   */
  unsubscribe(
    subscription: ClientSubscription,
    drain?: { readonly timeoutMs: number | undefined },
  ): Promise<void>;
  /** A callback of the program threw, or the subscription of one ended. */
  tellError(error: unknown, what: string): void;
}

/**
 * A client's subscription: the messages, in order, as an async iterable. It goes on when the client
 * connects again. Messages that the program does not take wait here, within the bounds of the
 * subscription. While those of all subscriptions are reached, and nobody waits for an answer of the
 * broker, the client stops reading, so that publishers are slowed down. Otherwise it reads on, and
 * does with what is above the bounds what `slow` says.
 *
 * Leaving a `for await` loop ends the subscription.
 */
export class ClientSubscription implements AsyncIterableIterator<PubSubMessage>, AsyncDisposable {
  /** What is subscribed to. */
  readonly filter: string;
  /** With which group, policy, bounds and callbacks. */
  readonly options: SubscribeOptions;
  /** How many publications were left out so far, without those whose number is not known. */
  missed = 0;
  /** How many retained messages came with the subscription. */
  retained = 0;
  /** Whether the broker has confirmed it. Set by the client. */
  confirmed = false;
  /** Whether callbacks may be called. */
  #begun = false;
  readonly #owner: SubscriptionOwner;
  readonly #waiting: WaitingMessages;
  readonly #loop: CallbackLoop | undefined;
  readonly #takers = new Deque<PromiseWithResolvers<IteratorResult<PubSubMessage, undefined>>>();
  readonly #taken = new Condition();
  /** The message that the loop over the subscription has at hand. */
  #atHand: PubSubMessage | undefined;
  #iterated = false;
  /** Whether something may wait. */
  #waits = false;
  #wasFull = false;
  /** How many messages may still come. */
  #left: number;
  #ended = false;
  #failure: unknown;
  /**
   * The last read that brought a message which had to wait: its number, how many bytes it brought, how
   * many of them wait here, and whether they may stay in its memory.
   */
  #readId = -2;
  #readBytes = 0;
  #waitingOfRead = 0;
  #shares = false;

  /** Made by `BrokerClient.subscribe`. */
  constructor(
    filter: string,
    options: SubscribeOptions,
    limits: SubscriptionLimits,
    owner: SubscriptionOwner,
  ) {
    this.filter = filter;
    this.options = options;
    this.#owner = owner;
    this.#left = limits.max;
    const bounds = new WaitingBounds(limits.maxQueuedMessages, limits.maxQueuedBytes);
    const { slow = "drop-oldest", onMessage, onMessages } = options;
    this.#waiting = slow === "latest"
      ? new LatestMessages(bounds)
      : new OrderedMessages(slow, bounds);
    const calls = onMessage !== undefined || onMessages !== undefined;
    this.#loop = calls ? new CallbackLoop(this.#source(), options) : undefined;
  }

  /**
   * The next message; waits for it. Rejects if the broker, or the client, ended the subscription.
   *
   * @throws {TypeError} if it has a callback for messages.
   */
  next(): Promise<IteratorResult<PubSubMessage, undefined>> {
    if (this.#loop !== undefined) return Promise.reject(new TypeError(HAS_CALLBACK));
    this.#iterated = true;
    this.#letGo();
    for (let item = this.#take(); item !== undefined; item = this.#take()) {
      if (!(item instanceof MissedTally)) {
        this.#atHand = item;
        return Promise.resolve({ done: false, value: item });
      }
      this.#tellMissed(item);
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    const taker = Promise.withResolvers<IteratorResult<PubSubMessage, undefined>>();
    this.#takers.push(taker);
    return taker.promise;
  }

  /**
   * Ends the subscription. Messages that came before can still be taken; those that the broker has
   * handed out, and the client has not read, are lost.
   */
  async unsubscribe(): Promise<void> {
    await this.#owner.unsubscribe(this);
  }

  /**
   * Ends the subscription in order: the broker hands out nothing more for it, what it has handed out
   * before still comes, and callbacks are called with all of it. Resolves when the last call has
   * ended; without a callback when all has come, and can be taken. A callback that waits for it
   * waits for itself.
   *
   * @example
   * ```ts
   * import { connectBroker, serveBroker } from "@socktool/socktool/pubsub";
   * import { assertEquals } from "@std/assert";
   *
   * await using broker = await serveBroker("127.0.0.1:0");
   * await using client = await connectBroker(broker.address);
   * const done: string[] = [];
   * const jobs = await client.subscribe("jobs", {
   *   onMessage: (job) => void done.push(job.text()),
   * });
   * const receivers = await client.publishConfirmed("jobs", "one");
   * await jobs.drain();
   * assertEquals(done.length, receivers);
   * ```
   *
   * @param timeoutMs The longest time that it takes. Then it ends as by
   * {@linkcode ClientSubscription.unsubscribe}. @default {5_000}
   * @throws {PubSubError} `timed-out`; `disconnected` or `closed` if the connection is lost, or the
   * client closed, before all has come.
   * @throws {TypeError | RangeError} if `timeoutMs` is no number of milliseconds.
   */
  drain(timeoutMs?: number): Promise<void> {
    return this.#owner.unsubscribe(this, { timeoutMs });
  }

  /** Ends the subscription and drops its messages; called when a `for await` loop is left. */
  async return(): Promise<IteratorResult<PubSubMessage, undefined>> {
    this.#letGo();
    this.#drop();
    await this.unsubscribe();
    this.#drop();
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

  /**
   * With a callback: resolves when the subscription has ended, and the last call too. Without one it
   * is resolved.
   */
  get taken(): Promise<void> {
    return this.isDone ? Promise.resolve() : this.#taken.wait();
  }

  /** Whether no further message may wait. */
  get isFull(): boolean {
    return !this.#ended && this.#waiting.isFull;
  }

  /** How many messages may still come; `undefined` if there is no limit. */
  get left(): number | undefined {
    return this.#left === Infinity ? undefined : this.#left;
  }

  /** Whether it has come to its end. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether it has ended, and the last call of its callback too; without one, always. */
  get isDone(): boolean {
    return this.#loop === undefined || this.#ended && !this.#waits && !this.#loop.isBusy;
  }

  /** The requests that the program has or gets, and has not replied to. */
  *requests(): Generator<PubSubMessage> {
    if (this.#loop) yield* this.#loop.running;
    else if (this.#atHand?.replyTo !== undefined) yield this.#atHand;
    // Who never asks for a message replies to none.
    if (this.#loop === undefined && !this.#iterated) return;
    for (const message of this.#waiting.messages()) {
      if (message.replyTo !== undefined) yield message;
    }
  }

  /** Called by the client: a message came. @internal */
  push(message: PubSubMessage): void {
    if (this.#ended) return;
    const loop = this.#loop;
    if (this.#begun && !loop!.isBusy && !this.#waits) {
      if (loop!.offer(message)) this.#owner.collected(this);
    } else if (this.#takers.length > 0) {
      this.#atHand = message;
      this.#takers.shift()!.resolve({ done: false, value: message });
    } else this.#keep(message);
    if (this.#left !== Infinity) this.#countDown(1);
  }

  /** Called by the client: publications were left out. @internal */
  pushMissed(
    reason: MissedPublications["reason"],
    count: number | null,
    bytes: number | null,
    atLeast?: boolean,
  ): void {
    if (this.#ended) return;
    this.#waiting.pushMissed(reason, count, bytes, atLeast);
    this.#waits = true;
    if (this.#loop) this.#owner.collected(this);
    else if (this.#takers.length > 0) this.#tellMissed(this.#take() as MissedTally);
    this.#countDown(count ?? 0);
  }

  /**
   * Called by the client when it is confirmed: callbacks are called from here on. That is some
   * microtasks after `subscribe()` has resolved: a callback may use what it resolved to.
   *
   * @internal
   */
  async begin(): Promise<void> {
    for (let i = 0; i < MICROTASKS_TO_BEGIN; i++) await undefined;
    this.#begun = this.#loop !== undefined;
    this.handOut();
  }

  /** Called by the client: calls the callbacks with what waits. @internal */
  handOut(): void {
    if (this.#begun) this.#loop!.start();
  }

  /** Called by the client: nothing more comes. @internal */
  end(failure?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    if (this.#wasFull) this.#noteFull();
    for (let taker = this.#takers.shift(); taker; taker = this.#takers.shift()) {
      if (failure !== undefined) taker.reject(failure);
      else taker.resolve({ done: true, value: undefined });
    }
    // Where nothing was confirmed, nothing is called.
    if (!this.confirmed) {
      this.#drop();
      this.#idle();
    }
    this.handOut();
  }

  #take(): WaitingItem | undefined {
    const item = this.#waiting.shift();
    if (item === undefined) {
      this.#waits = false;
      return undefined;
    }
    if (this.#wasFull && !this.#waiting.isFull) this.#noteFull();
    this.#owner.progressed();
    return item;
  }

  #keep(message: PubSubMessage): void {
    this.#waits = true;
    if (!this.#sharesRead(message)) message.detach();
    if (!this.#waiting.push(message)) {
      const problem = `More waits for ${this.filter} than it may, and slow is disconnect`;
      return this.#finish(new PubSubError("slow-consumer", problem));
    }
    if (this.#waiting.isFull !== this.#wasFull) this.#noteFull();
  }

  /**
   * Whether a message that waits shares the memory of its read. It does while at least half of what
   * the last such read brought waits here: so what waits takes twice its size at most.
   */
  #sharesRead(message: PubSubMessage): boolean {
    const { id, bytes } = this.#owner.read;
    if (id !== this.#readId) {
      this.#shares = id === this.#readId + 1 && this.#waitingOfRead * 2 >= this.#readBytes;
      this.#readId = id;
      this.#readBytes = bytes;
      this.#waitingOfRead = 0;
    }
    this.#waitingOfRead += message.frameBytes;
    return this.#shares;
  }

  #noteFull(): void {
    this.#wasFull = this.isFull;
    this.#owner.fullChanged(this);
  }

  #countDown(count: number): void {
    this.#left = Math.max(0, this.#left - count);
    if (this.#left === 0) this.#finish();
  }

  #finish(failure?: unknown): void {
    this.end(failure);
    void this.#owner.unsubscribe(this);
  }

  #letGo(): void {
    if (this.#atHand?.replyTo !== undefined) this.#owner.handled([this.#atHand]);
    this.#atHand = undefined;
  }

  #drop(): void {
    this.#owner.handled(this.#waiting.messages());
    while (this.#take() !== undefined);
  }

  #tellMissed(missed: MissedTally): void {
    for (const told of missed.told(this.filter)) {
      this.missed += told.count ?? 0;
      guard(
        `The callback onMissed of ${this.filter} failed`,
        () => this.options.onMissed?.(told),
        (error, what) => this.#owner.tellError(error, what),
      );
    }
  }

  #source(): CallbackSource {
    return {
      shift: () => this.#take(),
      tellMissed: (missed) => this.#tellMissed(missed),
      handled: (messages) => this.#owner.handled(messages),
      failed: (error) => {
        const name = this.options.onMessage ? "onMessage" : "onMessages";
        this.#owner.tellError(error, `The callback ${name} of ${this.filter} failed`);
      },
      idle: () => this.#idle(),
    };
  }

  /** The callback has been called with all that there is. */
  #idle(): void {
    if (!this.isDone) return;
    this.#owner.done(this);
    this.#taken.notify();
    const failure = this.#failure;
    this.#failure = undefined;
    // That the whole client is closed is told elsewhere, once; a refused `subscribe` by its promise.
    const isTold = failure instanceof PubSubError && failure.code === "closed" || !this.confirmed;
    if (failure === undefined || isTold) return;
    this.#owner.tellError(failure, `The subscription to ${this.filter} ended`);
  }
}
