import {
  ByteBuffer,
  type Frame,
  type FrameHeader,
  type HeaderInit,
  type OutgoingFrame,
  writeFrame,
} from "../../frame/mod.ts";
import { numericOptions, type NumericValues } from "../../base/numeric_options.ts";
import { timerMs } from "../../base/timer_ms.ts";
import { dial } from "../../net/mod.ts";
import { callBack } from "./call_back.ts";
import { ClientDeliveries } from "./client_deliveries.ts";
import { ClientLink } from "./client_link.ts";
import type {
  BrokerClientOptions,
  BrokerTarget,
  ClientState,
  ConfirmOptions,
  PublishOptions,
  RequestOptions,
} from "./client_options.ts";
import { CLIENT_LIMITS } from "./client_options.ts";
import { ClientSubscription, type SubscribeOptions } from "./client_subscription.ts";
import { ConnectionKeeper } from "./connection_keeper.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import { ReplyInbox } from "./reply_inbox.ts";
import { type PublishContent, PubSubMessage } from "./message.ts";
import { PendingAnswers, refusalOf } from "./pending_answers.ts";
import { publicationFrame } from "./publication_frame.ts";
import { bufferFull, byeError, closedError, disconnected, PubSubError } from "./pubsub_error.ts";
import { filterProblem, groupProblem, topicProblem } from "../protocol/topic.ts";

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
const DEFAULT_DRAIN_TIMEOUT_MS = 5_000;

/**
 * A client of a broker: publishes and subscribes, over as many connections, one after the other,
 * as it takes. What is published while there is none waits, up to a bound, for the next.
 *
 * Delivery is at most once: what was on its way when a connection was lost is not sent again, and
 * its promise is rejected.
 */
export class BrokerClient implements AsyncDisposable {
  /** Resolves when the client is closed: to the error that closed it, if it was one. */
  readonly finished: Promise<unknown>;
  readonly #options: BrokerClientOptions;
  readonly #limits: NumericValues<typeof CLIENT_LIMITS>;
  readonly #keeper: ConnectionKeeper;
  readonly #deliveries: ClientDeliveries;
  readonly #answers = new PendingAnswers();
  readonly #inbox: ReplyInbox = new ReplyInbox(this);
  readonly #finish = Promise.withResolvers<unknown>();
  /** Encoded publications that wait for a connection, and the promise that they are sent. */
  #waiting = new ByteBuffer(0);
  #waitingSent: PromiseWithResolvers<void> | undefined;
  #state: ClientState = "connecting";
  #link: ClientLink | undefined;
  #connected: PromiseWithResolvers<void> | undefined;
  /** The connection on which the broker knows of all subscriptions. */
  #greeted: ClientLink | undefined;
  /** Subscriptions that the broker is told of on the next connection. */
  readonly #unconfirmed = new Map<ClientSubscription, PromiseWithResolvers<void>>();
  /** The largest content that the broker takes, as it said last. */
  #maxContentBytes = Infinity;
  #drained: Promise<void> | undefined;
  /** The broker's `bye` on this connection. */
  #bye: PubSubError | undefined;

  /** Made by {@linkcode connectBroker}. */
  constructor(target: BrokerTarget, options: BrokerClientOptions) {
    this.#options = options;
    this.#limits = numericOptions(CLIENT_LIMITS, options);
    this.finished = this.#finish.promise;
    this.#deliveries = new ClientDeliveries(this.#limits.maxQueuedBytes, {
      publish: (topic, content) => this.publish(topic, content),
      unsubscribe: (subscription) => this.#unsubscribe(subscription),
    });
    this.#keeper = new ConnectionKeeper(
      {
        open: (signal) => this.#open(target, signal),
        greet: (link) => this.#greet(link),
        connected: (link) => this.#nowConnected(link),
        lost: (reason) => this.#lost(reason),
        retrying: (reason, retryMs) => this.#become("reconnecting", this.#bye ?? reason, retryMs),
        failed: (reason) => this.#close(this.#bye ?? reason ?? disconnected(undefined)),
      },
      options.reconnect ?? {},
      timerMs("connectTimeoutMs", options.connectTimeoutMs, DEFAULT_CONNECT_TIMEOUT_MS),
    );
    const { signal } = options;
    const stop = () => this.#close(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    void this.finished.then(() => signal?.removeEventListener("abort", stop));
  }

  /** What the client is doing. */
  get state(): ClientState {
    return this.#state;
  }

  /** Bytes of publications that wait to be sent. */
  get bufferedBytes(): number {
    return this.#waiting.length + (this.#link?.pendingBytes ?? 0);
  }

  /**
   * Publishes. The content is copied.
   *
   * @returns A promise that resolves once the publication was handed to a connection whole, and is
   * rejected if that connection was lost before. It is the same for all that is published in one
   * turn; to await it is to go at the connection's pace.
   * @throws {PubSubError} `bad-topic`, `frame-too-large`, `buffer-full` or `closed`; as a rejection.
   */
  publish(
    topic: string,
    content: PublishContent = "",
    options: PublishOptions = {},
  ): Promise<void> {
    try {
      this.#check(topic, content, options);
      return this.#send(publicationFrame(topic, content, options, undefined));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Publishes, and waits until the broker has dealt with it.
   *
   * @returns To how many connections it was handed.
   * @throws {PubSubError} what the broker refused it with; `disconnected` if the connection was
   * lost before the answer came, or `timed-out`, so that it may or may not have been published.
   * @throws {RangeError} if `timeoutMs` is no time.
   */
  async publishConfirmed(
    topic: string,
    content: PublishContent = "",
    options: ConfirmOptions = {},
  ): Promise<number> {
    this.#check(topic, content, options);
    const timeoutMs = timerMs("timeoutMs", options.timeoutMs);
    const id = this.#answers.nextId();
    void this.#send(publicationFrame(topic, content, options, id));
    const answer = this.#answers.wait(id, this.#state !== "connected");
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(() => {
      const message = `The broker did not confirm ${topic} in ${timeoutMs} ms`;
      this.#answers.giveUp(id, new PubSubError("timed-out", message));
    }, timeoutMs);
    try {
      return Number((await answer)["receivers"]);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Subscribes. Resolves once the broker has confirmed it, on this connection or the next.
   *
   * @throws {PubSubError} what the broker refused it with, or `closed`.
   */
  async subscribe(filter: string, options: SubscribeOptions = {}): Promise<ClientSubscription> {
    this.#checkOpen();
    const problem = filterProblem(filter);
    if (problem) throw new PubSubError("bad-filter", `Cannot subscribe to ${filter}: ${problem}`);
    const fault = options.group === undefined ? undefined : groupProblem(options.group);
    if (fault) {
      throw new PubSubError("bad-group", `Cannot join the group ${options.group}: ${fault}`);
    }
    const subscription = this.#deliveries.add(filter, options);
    try {
      await this.#confirm(subscription);
    } catch (error) {
      this.#deliveries.remove(subscription);
      subscription.end(error);
      throw error;
    }
    const { onMessage } = options;
    if (onMessage) subscription.taken = callBack(subscription, onMessage, this.#options.onError);
    return subscription;
  }

  /**
   * Publishes with an inbox of this client as `reply-to`, and waits for the first reply.
   *
   * @throws {PubSubError} `no-receivers` if nobody subscribes to the topic, `timed-out`.
   */
  async request(
    topic: string,
    content: PublishContent = "",
    options: RequestOptions = {},
  ): Promise<PubSubMessage> {
    return await this.#inbox.request(topic, content, options);
  }

  /**
   * Ends in order: unsubscribes, sends what waits, lets the broker deal with it, says `bye`,
   * closes. Messages that came before can still be taken from their subscriptions.
   *
   * @throws {PubSubError} if that cannot be done, or not in time; it is closed all the same.
   */
  async drain(timeoutMs?: number): Promise<void> {
    const limitMs = timerMs("timeoutMs", timeoutMs, DEFAULT_DRAIN_TIMEOUT_MS);
    await (this.#drained ??= this.#drain(limitMs));
  }

  async #drain(timeoutMs: number): Promise<void> {
    if (this.#state === "closed") return;
    const timer = setTimeout(() => {
      this.#close(new PubSubError("timed-out", "Not all could be sent before the time was up"));
    }, timeoutMs);
    try {
      if (this.#state !== "connected") await this.#whenConnected();
      const link = this.#link!;
      this.#become("draining", undefined);
      const ended = [...this.#deliveries.filters()].map(({ filter, group }) =>
        this.#ask(link, "unsub", { topic: filter, group })
      );
      await Promise.all(ended);
      // Its answer comes after those to all that was sent before.
      await this.#ask(link, "ping", {});
      this.#bye ??= new PubSubError("closed", "The client was drained");
      void link.send({ header: { op: "bye" } });
      await link.flushed();
      this.#close(undefined);
    } catch (error) {
      this.#close(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes at once; what waits to be sent is lost, and its promises are rejected. */
  async close(): Promise<void> {
    this.#close(undefined);
    await this.finished;
  }

  /** Closes at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Called by {@linkcode connectBroker}: resolves when the first connection stands. */
  async start(): Promise<void> {
    this.#options.signal?.throwIfAborted();
    try {
      await this.#keeper.start();
    } catch (error) {
      const reason = this.#options.signal?.aborted ? this.#options.signal.reason : error;
      this.#close(reason);
      throw reason;
    }
  }

  async #open(target: BrokerTarget, signal: AbortSignal): Promise<ClientLink> {
    this.#bye = undefined;
    const duplex = typeof target === "function"
      ? await target(signal)
      : await dial(target, { tls: this.#options.tls, signal });
    return new ClientLink(duplex, {
      received: (frame) => this.#received(frame),
      room: () => this.#deliveries.room(),
    }, this.#limits.maxContentBytes);
  }

  /** Says who it is, and subscribes to all that there is. */
  async #greet(link: ClientLink): Promise<void> {
    this.#link = link;
    const { name, credentials } = this.#options;
    const hello = { version: PROTOCOL_VERSION, name, ...credentials };
    const welcome = await this.#ask(link, "hello", hello);
    link.keepAlive(Number(welcome["ping-interval-ms"] ?? 0));
    this.#maxContentBytes = Number(welcome["max-content-length"] ?? Infinity);
    const known = new Set<ClientSubscription>();
    // While the broker answers, the program may have subscribed to more.
    for (;;) {
      const due = [...this.#deliveries.filters()]
        .map(({ subscriptions }) => subscriptions.filter((one) => !known.has(one)))
        .filter(({ length }) => length > 0);
      if (due.length === 0) break;
      await Promise.all(due.map(async (subscriptions) => {
        for (const subscription of subscriptions) known.add(subscription);
        await this.#subscribeAgain(link, subscriptions);
      }));
    }
    this.#greeted = link;
  }

  async #subscribeAgain(link: ClientLink, subscriptions: ClientSubscription[]): Promise<void> {
    let refusal: unknown;
    try {
      await this.#subscribe(link, subscriptions);
    } catch (error) {
      if ((error as PubSubError).code === "disconnected") throw error;
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

  #nowConnected(link: ClientLink): void {
    if (this.#waiting.length > 0) {
      const sent = this.#waitingSent;
      link.sendBytes(this.#waiting.view()).then(sent?.resolve, sent?.reject);
      this.#answers.sent();
      this.#waiting = new ByteBuffer(0);
      this.#waitingSent = undefined;
    }
    this.#become("connected", undefined);
    this.#connected?.resolve();
    this.#connected = undefined;
  }

  #lost(reason: unknown): void {
    this.#link = this.#greeted = undefined;
    this.#deliveries.disconnected();
    this.#answers.fail(disconnected(this.#bye ?? reason), false);
  }

  /** The one way to the end. */
  #close(reason: unknown): void {
    if (this.#state === "closed") return;
    this.#become("closed", reason);
    this.#keeper.stop();
    this.#link?.close(reason);
    const error = closedError(reason);
    this.#answers.fail(error, true);
    this.#waitingSent?.reject(error);
    this.#connected?.reject(error);
    for (const waiting of this.#unconfirmed.values()) waiting.reject(error);
    this.#unconfirmed.clear();
    this.#waiting = new ByteBuffer(0);
    this.#deliveries.close(reason === undefined ? undefined : error);
    const link = this.#link;
    void Promise.resolve(link?.ended).then(() => this.#finish.resolve(reason));
  }

  #become(state: ClientState, reason: unknown, retryMs?: number): void {
    this.#state = state;
    this.#options.onState?.({ state, reason, retryMs });
  }

  #whenConnected(): Promise<void> {
    this.#connected ??= Promise.withResolvers();
    return this.#connected.promise;
  }

  #checkOpen(): void {
    if (this.#state === "closed" || this.#state === "draining") throw closedError(undefined);
  }

  #check(topic: string, content: PublishContent, { replyTo }: PublishOptions): void {
    this.#checkOpen();
    for (const name of replyTo === undefined ? [topic] : [topic, replyTo]) {
      const problem = topicProblem(name);
      if (problem) throw new PubSubError("bad-topic", `Cannot publish to ${name}: ${problem}`);
    }
    if (exceeds(content, this.#maxContentBytes)) {
      const most = `the broker takes ${this.#maxContentBytes} bytes of content at most`;
      throw new PubSubError("frame-too-large", `Cannot publish to ${topic}: ${most}`);
    }
    const limit = this.#limits.maxBufferedBytes;
    if (this.bufferedBytes >= limit) throw bufferFull(topic, limit);
  }

  #send(frame: OutgoingFrame): Promise<void> {
    if (this.#link && this.#state === "connected") return this.#link.send(frame);
    const before = this.#waiting.length;
    const limit = this.#limits.maxBufferedBytes;
    writeFrame(this.#waiting, frame);
    if (this.#waiting.length > limit) {
      this.#waiting.length = before;
      throw bufferFull(String(frame.header?.["topic"]), limit);
    }
    if (this.#waitingSent === undefined) {
      this.#waitingSent = Promise.withResolvers();
      // Whoever asks sees the failure; a program that does not ask shall not end by it.
      this.#waitingSent.promise.catch(() => {});
    }
    return this.#waitingSent.promise;
  }

  #ask(link: ClientLink, op: string, fields: HeaderInit): Promise<FrameHeader> {
    const id = this.#answers.nextId();
    const answer = this.#answers.wait(id, false);
    void link.send({ header: { op, id, ...fields } });
    return answer;
  }

  /** Resolves once the broker knows of a subscription. */
  async #confirm(subscription: ClientSubscription): Promise<void> {
    if (this.#greeted) {
      try {
        return await this.#subscribe(this.#greeted, [subscription]);
      } catch (error) {
        if ((error as PubSubError).code !== "disconnected") throw error;
        // The next connection begins with all subscriptions that there are.
        this.#checkOpen();
      }
    }
    const waiting = Promise.withResolvers<void>();
    this.#unconfirmed.set(subscription, waiting);
    await waiting.promise;
  }

  async #subscribe(link: ClientLink, subscriptions: ClientSubscription[]): Promise<void> {
    const { filter, options: { group, slow } } = subscriptions[0]!;
    const id = this.#answers.nextId();
    this.#deliveries.expect(id, subscriptions);
    const answer = this.#answers.wait(id, false);
    void link.send({ header: { op: "sub", id, topic: filter, group, slow } });
    await answer;
  }

  async #unsubscribe(subscription: ClientSubscription): Promise<void> {
    const last = this.#deliveries.remove(subscription);
    const link = this.#link;
    const { filter, options: { group } } = subscription;
    try {
      if (last && link) await this.#ask(link, "unsub", { topic: filter, group });
    } catch (error) {
      // Without the connection there is no subscription, nor before it was told of it.
      const { code } = error as PubSubError;
      if (code !== "disconnected" && code !== "not-subscribed") this.#options.onError?.(error);
    }
    this.#unconfirmed.get(subscription)?.resolve();
    this.#unconfirmed.delete(subscription);
    subscription.end();
  }

  #received(frame: Frame): void {
    const { header } = frame;
    switch (header["op"]) {
      case "pub":
        return this.#deliveries.deliver(frame);
      case "missed":
        return this.#deliveries.missed(header);
      case "ok":
        this.#deliveries.confirmed(header);
        this.#answers.settle(header);
        return;
      case "error":
        if (!this.#answers.settle(header)) this.#options.onError?.(refusalOf(header));
        return;
      case "ping":
        void this.#link?.send({ header: { op: "pong", id: header["id"] } });
        return;
      case "pong":
        this.#answers.settle(header);
        return;
      case "bye":
        this.#bye = byeError(header);
        this.#link?.close(this.#bye);
    }
  }
}

/** Whether a content has more bytes than a limit. */
function exceeds(content: PublishContent, limit: number): boolean {
  // A UTF-16 unit takes three bytes at most.
  if (typeof content !== "string" || content.length * 3 <= limit) return content.length > limit;
  return new TextEncoder().encode(content).length > limit;
}
