import { numericOptions, type NumericValues } from "../../base/numeric_options.ts";
import { timerMs } from "../../base/timer_ms.ts";
import type { ByteDuplex } from "../../net/bytes/byte_duplex.ts";
import { discardStream, streamTimeout } from "../../net/bytes/outgoing_stream.ts";
import { filterProblem, groupProblem } from "../protocol/topic.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import { callBack } from "./call_back.ts";
import { ClientDeliveries } from "./client_deliveries.ts";
import { ClientLink } from "./client_link.ts";
import type {
  BrokerClientOptions,
  ClientState,
  ConfirmOptions,
  DuplexTarget,
  PublishOptions,
  RequestOptions,
} from "./client_options.ts";
import { CLIENT_LIMITS } from "./client_options.ts";
import { ClientStatus } from "./client_status.ts";
import type { ClientSubscription, SubscribeOptions } from "./client_subscription.ts";
import { ConnectionKeeper } from "./connection_keeper.ts";
import { Dispatcher } from "./dispatcher.ts";
import { drainLink } from "./drain_link.ts";
import type { PublishContent, PubSubMessage } from "./message.ts";
import { openDuplex } from "./open_duplex.ts";
import { PendingAnswers } from "./pending_answers.ts";
import { Publisher } from "./publisher.ts";
import { closedError, disconnected, PubSubError } from "./pubsub_error.ts";
import { ReplyInbox } from "./reply_inbox.ts";
import { SubscriptionRegistry } from "./subscription_registry.ts";
import { errorTeller, type TellError } from "./tell_error.ts";

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
const DEFAULT_DRAIN_TIMEOUT_MS = 5_000;

/**
 * A client of a broker: publishes and subscribes. When its connection is lost it connects again, and
 * subscribes again to all that it subscribed to. What is published meanwhile waits, up to a bound,
 * for the next connection.
 *
 * Delivery is at most once: what was on its way when a connection was lost is not sent again, and
 * its promise is rejected.
 */
export class BrokerClient implements AsyncDisposable {
  /** Resolves when the client is closed: to the error that closed it, if there was one. */
  readonly finished: Promise<unknown>;
  readonly #target: DuplexTarget;
  readonly #options: BrokerClientOptions;
  readonly #limits: NumericValues<typeof CLIENT_LIMITS>;
  readonly #tellError: TellError;
  readonly #status: ClientStatus;
  readonly #answers = new PendingAnswers();
  readonly #deliveries: ClientDeliveries;
  readonly #dispatcher: Dispatcher;
  readonly #registry: SubscriptionRegistry;
  readonly #publisher: Publisher;
  readonly #inbox: ReplyInbox;
  readonly #keeper: ConnectionKeeper;
  readonly #finish = Promise.withResolvers<unknown>();
  /** The single connection of the target, until there is a link over it. */
  #unused: ByteDuplex | undefined;
  #link: ClientLink | undefined;
  #drained: Promise<void> | undefined;

  /** Made by {@linkcode connectBroker}. */
  constructor(target: DuplexTarget, options: BrokerClientOptions) {
    this.#target = target;
    this.#unused = typeof target === "function" ? undefined : target;
    this.#options = options;
    this.#limits = numericOptions(CLIENT_LIMITS, options);
    this.finished = this.#finish.promise;
    this.#tellError = errorTeller(options.onError);
    this.#status = new ClientStatus(options.onState, this.#tellError);
    this.#publisher = new Publisher(
      this.#status,
      this.#answers,
      this.#limits.maxBufferedBytes,
      streamTimeout(options.streamTimeoutMs),
    );
    this.#deliveries = new ClientDeliveries(this.#limits.maxQueuedBytes, {
      publish: (topic, content) => this.publish(topic, content),
      unsubscribe: (subscription) => this.#registry.unsubscribe(subscription),
      tellError: this.#tellError,
    });
    this.#dispatcher = new Dispatcher(this.#deliveries, this.#answers, this.#tellError);
    this.#registry = new SubscriptionRegistry(
      this.#deliveries,
      this.#answers,
      this.#status,
      this.#tellError,
    );
    this.#inbox = new ReplyInbox({
      whenConnected: () => this.#status.whenConnected(),
      subscribe: (filter, options) => this.subscribe(filter, options),
      forget: (subscription) => {
        this.#deliveries.remove(subscription);
        subscription.end();
      },
      publishConfirmed: (topic, content, options) => this.publishConfirmed(topic, content, options),
    });
    this.#keeper = new ConnectionKeeper(
      {
        open: (signal) => this.#open(signal),
        greet: (link) => this.#greet(link),
        connected: (link) => {
          this.#publisher.connected(link);
          this.#status.become("connected");
        },
        lost: (reason) => this.#lost(reason),
        retrying: (reason, retryMs) => this.#status.become("reconnecting", reason, retryMs),
        failed: (reason) => this.#failed(reason ?? disconnected(undefined)),
      },
      typeof target === "function" ? options.reconnect ?? {} : false,
      timerMs("connectTimeoutMs", options.connectTimeoutMs, DEFAULT_CONNECT_TIMEOUT_MS),
    );
    const { signal } = options;
    const stop = () => this.#close(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    void this.finished.then(() => signal?.removeEventListener("abort", stop));
  }

  /** What the client is doing. */
  get state(): ClientState {
    return this.#status.state;
  }

  /** Bytes of publications that wait to be sent. */
  get bufferedBytes(): number {
    return this.#publisher.bufferedBytes;
  }

  /**
   * Publishes. The content is copied, unless it is a stream: that is sent as it is read, in its turn,
   * and what is published after it waits behind it. If the stream fails, or gives less or more than
   * its `content-length`, nothing is published; where a part was sent already, the connection has to
   * be made again. A stream that is not read to its end is cancelled.
   *
   * @returns A promise that resolves once the publication was handed to a connection whole, and is
   * rejected if that connection was lost before. It is the same for all that is published in one
   * turn of the event loop. A program that awaits it publishes at the pace of the connection.
   * @throws {PubSubError} `bad-topic`, `frame-too-large`, `buffer-full` or `closed`; as a rejection.
   * @throws {TypeError} if the content is none; as a rejection.
   * @throws {ContentStreamError} if a stream fails, or gives not what it must; as a rejection.
   */
  publish(
    topic: string,
    content: PublishContent = "",
    options: PublishOptions = {},
  ): Promise<void> {
    try {
      return this.#publisher.publish(topic, content, options);
    } catch (error) {
      discardStream(content, error);
      return Promise.reject(error);
    }
  }

  /**
   * Publishes, and waits until the broker has dealt with it.
   *
   * @returns To how many connections it was handed.
   * @throws {PubSubError} as `publish` does, and what the broker refused it with; `disconnected` if
   * the connection was lost before the answer came, or `timed-out`: whether it was published is not
   * known then.
   * @throws {TypeError} if the content is none.
   * @throws {ContentStreamError} if a stream fails, or gives not what it must.
   * @throws {RangeError} if `timeoutMs` is no time.
   */
  async publishConfirmed(
    topic: string,
    content: PublishContent = "",
    options: ConfirmOptions = {},
  ): Promise<number> {
    try {
      return await this.#publisher.publishConfirmed(topic, content, options);
    } catch (error) {
      discardStream(content, error);
      throw error;
    }
  }

  /**
   * Subscribes. Resolves once the broker has confirmed it, on this connection or the next.
   *
   * @throws {PubSubError} what the broker refused it with, or `closed`.
   */
  async subscribe(filter: string, options: SubscribeOptions = {}): Promise<ClientSubscription> {
    this.#status.checkOpen();
    const problem = filterProblem(filter);
    if (problem) throw new PubSubError("bad-filter", `Cannot subscribe to ${filter}: ${problem}`);
    const fault = options.group === undefined ? undefined : groupProblem(options.group);
    if (fault) {
      throw new PubSubError("bad-group", `Cannot join the group ${options.group}: ${fault}`);
    }
    const subscription = this.#deliveries.add(filter, options);
    try {
      await this.#registry.confirm(subscription);
    } catch (error) {
      this.#deliveries.remove(subscription);
      subscription.end(error);
      throw error;
    }
    const { onMessage } = options;
    if (onMessage) subscription.taken = callBack(subscription, onMessage, this.#tellError);
    return subscription;
  }

  /**
   * Publishes with an inbox of this client as `reply-to`, and waits for the first reply.
   *
   * @throws {PubSubError} `no-receivers` if nobody subscribes to the topic, `timed-out`, and as
   * `publishConfirmed` does.
   * @throws {TypeError} if the content is none.
   */
  async request(
    topic: string,
    content: PublishContent = "",
    options: RequestOptions = {},
  ): Promise<PubSubMessage> {
    try {
      this.#publisher.check(topic, content, options);
      return await this.#inbox.request(topic, content, options);
    } catch (error) {
      discardStream(content, error);
      throw error;
    }
  }

  /**
   * Ends in order: unsubscribes, sends what waits, lets the broker deal with it, says `bye`,
   * closes. Messages that came before can still be taken from their subscriptions.
   *
   * @throws {PubSubError} if that cannot be done, or `timed-out`; the client is closed all the same.
   */
  async drain(timeoutMs?: number): Promise<void> {
    const limitMs = timerMs("timeoutMs", timeoutMs, DEFAULT_DRAIN_TIMEOUT_MS);
    await (this.#drained ??= this.#drain(limitMs));
  }

  /** Closes at once. What waits to be sent is lost, and its promises are rejected. */
  async close(): Promise<void> {
    this.#close(undefined);
    await this.finished;
  }

  /** Closes at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Called by {@linkcode connectBroker}: resolves when the client is connected. */
  async start(): Promise<void> {
    const { signal } = this.#options;
    try {
      signal?.throwIfAborted();
      await this.#keeper.start();
    } catch (error) {
      const reason = signal?.aborted ? signal.reason : error;
      this.#close(reason);
      throw reason;
    }
  }

  async #open(signal: AbortSignal): Promise<ClientLink> {
    const duplex = await openDuplex(this.#target, signal);
    this.#unused = undefined;
    return new ClientLink(duplex, this.#dispatcher, this.#limits.maxContentBytes);
  }

  /** Says who it is, and tells of all subscriptions. */
  async #greet(link: ClientLink): Promise<void> {
    this.#link = link;
    const { name, credentials } = this.#options;
    const hello = { version: PROTOCOL_VERSION, name, ...credentials };
    const welcome = await this.#answers.ask(link, "hello", hello);
    link.keepAlive(Number(welcome["ping-interval-ms"] ?? 0));
    this.#publisher.maxContentBytes = Number(welcome["max-content-length"] ?? Infinity);
    this.#inbox.connected(welcome["inbox"]);
    await this.#registry.tellAll(link);
  }

  #lost(reason: unknown): void {
    this.#link = undefined;
    this.#publisher.disconnected();
    this.#registry.disconnected();
    this.#deliveries.disconnected();
    const error = disconnected(reason);
    this.#inbox.disconnected(error);
    this.#answers.fail(error, false);
  }

  /** No further connection is tried. */
  #failed(reason: unknown): void {
    // Whoever iterates or publishes is told by a rejection, but a callback just is not called again.
    const isSilent = this.#options.onState === undefined && this.state !== "draining" &&
      this.#deliveries.callsBack;
    this.#close(reason);
    if (isSilent) this.#tellError(reason, "The client lost its broker for good");
  }

  async #drain(timeoutMs: number): Promise<void> {
    if (this.state === "closed") return;
    let late: PubSubError | undefined;
    const timer = setTimeout(() => {
      late = new PubSubError("timed-out", "Not all could be sent before the time was up");
      this.#close(late);
    }, timeoutMs);
    try {
      await this.#status.whenConnected();
      const link = this.#link!;
      this.#keeper.giveUpRetrying();
      this.#status.become("draining");
      await drainLink(link, this.#answers, this.#deliveries.filters());
      // The broker closes the connection when it reads this, perhaps before it is closed here.
      this.#keeper.stop();
      void link.send({ header: { op: "bye" } });
      await link.flushed().catch(() => {});
      this.#close(undefined);
    } catch (error) {
      this.#close(error);
      throw late ?? error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The one way to the end. */
  #close(reason: unknown): void {
    if (this.state === "closed") return;
    this.#status.become("closed", reason);
    this.#keeper.stop();
    const link = this.#link;
    link?.close(reason);
    this.#unused?.close();
    const error = closedError(reason);
    this.#answers.fail(error, true);
    this.#inbox.disconnected(error);
    this.#publisher.close(error);
    this.#registry.close(error);
    this.#deliveries.close(reason === undefined ? undefined : error);
    void Promise.resolve(link?.ended).then(() => this.#finish.resolve(reason));
  }
}
