import { before } from "../../base/before.ts";
import type { FrameHeader, HeaderInit } from "../../frame/mod.ts";
import { reported } from "../../base/reported_promise.ts";
import { numericOptions } from "../../base/numeric_options.ts";
import { timerMs } from "../../base/timer_ms.ts";
import { discardStream, streamTimeout } from "../../net/bytes/outgoing_stream.ts";
import { ClientDeliveries, ORIGIN_FIELD } from "./receiving/client_deliveries.ts";
import { ClientLink } from "./link/client_link.ts";
import type { BrokerClientOptions, ClientLimits, DuplexTarget } from "./client_options.ts";
import { CLIENT_LIMITS } from "./client_options.ts";
import { ClientStatus } from "./client_status.ts";
import { ConnectionKeeper } from "./link/connection_keeper.ts";
import { Deadlines } from "./requests/deadlines.ts";
import { Dispatcher } from "./receiving/dispatcher.ts";
import { Draining } from "./link/draining.ts";
import { checkWill, makeHello } from "./link/hello.ts";
import type {
  PublishContent,
  PubSubMessage,
  Responder,
  RespondOptions,
} from "./receiving/message.ts";
import { PendingAnswers } from "./publishing/pending_answers.ts";
import { Publisher } from "./publishing/publisher.ts";
import type { ClientSubscription } from "./receiving/client_subscription.ts";
import { closedError, disconnected, PubSubError } from "./pubsub_error.ts";
import { ReplyInbox } from "./requests/reply_inbox.ts";
import { unsent } from "./link/sent.ts";
import { isDuplex, ServerList } from "./link/server_list.ts";
import { StreamReadings } from "./streams/stream_readings.ts";
import { SubscriptionRegistry } from "./receiving/subscription_registry.ts";
import { errorTeller, type TellError } from "./tell_error.ts";
import { UnsentReports } from "./publishing/unsent_reports.ts";

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
const DEFAULT_DRAIN_TIMEOUT_MS = 5_000;
/** Of brokers that do not say how often they ping: a connection that is mute must not stay for ever. */
const DEFAULT_PING_INTERVAL_MS = 30_000;

/**
 * What a client consists of, and its way from the first connection to its end. Its parts are for
 * {@linkcode BrokerClient}, which is its face.
 */
export class ClientCore {
  /** Resolves when the client is closed: to the error that closed it, if there was one. */
  readonly finished: Promise<unknown>;
  readonly #servers: ServerList;
  readonly #options: BrokerClientOptions;
  readonly limits: ClientLimits;
  readonly tellError: TellError;
  readonly unsent: UnsentReports;
  readonly status: ClientStatus;
  readonly answers = new PendingAnswers();
  readonly #deadlines = new Deadlines();
  readonly deliveries: ClientDeliveries;
  readonly readings: StreamReadings;
  readonly responder: Responder;
  readonly #dispatcher: Dispatcher;
  readonly registry: SubscriptionRegistry;
  readonly publisher: Publisher;
  readonly inbox: ReplyInbox;
  readonly #keeper: ConnectionKeeper;
  readonly #finish = Promise.withResolvers<unknown>();
  #link: ClientLink | undefined;
  readonly #draining = new Draining();
  #drained: Promise<void> | undefined;

  /** Connects when it is started. @throws as `connectBroker` does. */
  constructor(target: DuplexTarget, options: BrokerClientOptions) {
    this.#servers = new ServerList(target);
    this.#options = options;
    this.limits = numericOptions(CLIENT_LIMITS, options);
    if (options.will !== undefined) checkWill(options.will);
    this.finished = this.#finish.promise;
    this.tellError = errorTeller(options.onError);
    this.unsent = new UnsentReports(this.tellError);
    this.status = new ClientStatus(options.onState, this.tellError);
    this.responder = { respond: (...reply) => this.#respond(...reply) };
    this.deliveries = this.#makeDeliveries();
    this.readings = new StreamReadings(this.answers, this.status);
    this.publisher = new Publisher(this.status, this.answers, {
      maxBufferedBytes: this.limits.maxBufferedBytes,
      streamTimeoutMs: streamTimeout(options.streamTimeoutMs),
      tell: this.unsent.tell,
      marks: () =>
        this.deliveries.marksOrigin ? { [ORIGIN_FIELD]: this.deliveries.origin } : undefined,
    });
    this.#dispatcher = new Dispatcher(
      this.deliveries,
      this.answers,
      this.readings,
      (refusal) => this.unsent.refused(refusal),
    );
    this.registry = new SubscriptionRegistry(
      this.deliveries,
      this.answers,
      this.status,
      this.tellError,
    );
    this.inbox = new ReplyInbox({
      whenConnected: () => this.status.whenConnected(),
      publisher: this.publisher,
      answers: this.answers,
      deadlines: this.#deadlines,
    });
    this.deliveries.inbox = this.inbox;
    this.answers.onAwaited = () => this.deliveries.resume();
    this.#keeper = this.#makeKeeper(isDuplex(target));
    const { signal } = options;
    const stop = () => this.close(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    void this.finished.then(() => signal?.removeEventListener("abort", stop));
  }

  /** Resolves when the client is connected. @throws why it is not. */
  async start(): Promise<void> {
    const { signal } = this.#options;
    try {
      signal?.throwIfAborted();
      await this.#keeper.start();
    } catch (error) {
      const reason = signal?.aborted ? signal.reason : error;
      this.close(reason);
      throw reason;
    }
  }

  /** Resolves when the broker has dealt with all that was sent on this connection or the next. */
  async flush(): Promise<void> {
    await this.status.whenConnected();
    if (this.#link === undefined) throw disconnected(undefined);
    await this.answers.ask(this.#link, "ping", {});
  }

  /** Sends a request and gives the header of its answer, on this connection or the next. */
  async ask(op: string, fields: HeaderInit): Promise<FrameHeader> {
    this.status.checkOpen();
    await this.status.whenConnected();
    if (this.#link === undefined) throw disconnected(undefined);
    return await this.answers.ask(this.#link, op, fields);
  }

  /** The same promise for the program, which need not await it: its failure is told by `onError` then. */
  reported<T>(what: string, promise: Promise<T>): Promise<T> {
    return reported(promise, (error) => this.tellError(error, what));
  }

  /** As `BrokerClient.drain`. */
  async drain(timeoutMs: number | undefined): Promise<void> {
    const limitMs = timerMs("timeoutMs", timeoutMs, DEFAULT_DRAIN_TIMEOUT_MS);
    const { status } = this;
    if (status.state !== "closed") {
      // Of several calls the first limit that is over counts. Closing ends all of them.
      const endsAt = performance.now() + limitMs;
      this.#deadlines.add({ endsAt, expired: () => this.close(this.#draining.late(limitMs)) });
    }
    await (this.#drained ??= this.#drain());
  }

  /** The one way to the end. */
  close(reason: unknown): void {
    if (this.status.state === "closed") return;
    this.status.become("closed", reason);
    const link = this.#link;
    link?.leave(reason);
    this.#keeper.stop();
    this.#servers.close();
    this.#deadlines.stop();
    const error = closedError(reason);
    this.answers.fail(error, true);
    this.inbox.disconnected(error);
    this.publisher.close(error);
    this.registry.close(error);
    this.readings.close(error);
    this.deliveries.close(reason === undefined ? undefined : error);
    void Promise.resolve(link?.ended).then(() => this.#finish.resolve(reason));
  }

  #makeDeliveries(): ClientDeliveries {
    // deno-lint-ignore no-this-alias
    const client = this;
    return new ClientDeliveries({
      ...this.responder,
      unsubscribe: (one, drain) =>
        drain
          ? this.reported(`Draining ${one.filter} failed`, this.#drainOne(one, drain.timeoutMs))
          : this.registry.unsubscribe(one),
      get awaitsAnswer() {
        return client.answers.areAwaited || client.inbox.size > 0;
      },
      tellError: this.tellError,
    });
  }

  #makeKeeper(isSingle: boolean): ConnectionKeeper {
    const { reconnect, waitOnFirstConnect, connectTimeoutMs, credentials } = this.#options;
    return new ConnectionKeeper({
      open: async (signal) => {
        const { maxContentBytes } = this.limits;
        const duplex = await this.#servers.open(signal);
        return new ClientLink(duplex, this.#dispatcher, {
          maxContentBytes,
          tell: this.unsent.tell,
        });
      },
      greet: (link, signal) => this.#greet(link, signal),
      connected: (link) => {
        this.publisher.connected(link);
        this.status.become("connected");
      },
      lost: (reason) => this.#lost(reason),
      retrying: (reason, retryMs) => this.status.retry(reason, retryMs),
      failed: (reason) => this.#failed(reason ?? disconnected(undefined)),
    }, {
      reconnect: isSingle ? false : reconnect ?? {},
      waitsForFirst: waitOnFirstConnect ?? false,
      timeoutMs: timerMs("connectTimeoutMs", connectTimeoutMs, DEFAULT_CONNECT_TIMEOUT_MS),
      servers: this.#servers.size,
      renewsCredentials: typeof credentials === "function",
    });
  }

  #respond(
    message: PubSubMessage,
    content: PublishContent,
    options: RespondOptions,
  ): Promise<void> {
    const { replyTo, topic } = message;
    try {
      if (replyTo === undefined) {
        throw new TypeError(`Cannot respond to ${topic}: its publisher wants no reply`);
      }
      const sent = this.publisher.reply(replyTo, content, options);
      this.deliveries.requests.replied(message);
      return sent;
    } catch (error) {
      discardStream(content, error);
      return unsent(error, replyTo ?? topic, this.unsent.tell);
    }
  }

  /** Says who it is, and tells of all subscriptions. */
  async #greet(link: ClientLink, signal: AbortSignal): Promise<void> {
    const { fields, content } = await makeHello(
      this.#options,
      this.limits.maxContentBytes,
      signal,
    );
    this.#link = link;
    const welcome = await this.answers.ask(link, "hello", fields, undefined, content);
    const { "ping-interval-ms": intervalMs, "max-content-length": maxContentBytes } = welcome;
    this.#keepAlive(link, typeof intervalMs === "number" ? intervalMs : DEFAULT_PING_INTERVAL_MS);
    this.publisher.maxContentBytes = typeof maxContentBytes === "number"
      ? maxContentBytes
      : Infinity;
    this.inbox.connected(link, welcome["inbox"]);
    await this.registry.tellAll(link);
    await this.readings.tellAll(link);
  }

  #keepAlive(link: ClientLink, intervalMs: number): void {
    let { progress } = this.deliveries;
    link.keepAlive(intervalMs, () => {
      // A program that takes nothing must not let the broker take this client for dead: an answer
      // that is due has it read on.
      if (progress === this.deliveries.progress) {
        this.answers.ask(link, "ping", {}).catch(() => {});
      }
      ({ progress } = this.deliveries);
    });
  }

  #lost(reason: unknown): void {
    this.#link = undefined;
    this.publisher.disconnected();
    this.registry.disconnected();
    this.readings.disconnected();
    this.deliveries.disconnected();
    const error = disconnected(reason);
    this.inbox.disconnected(error);
    this.answers.fail(error, false);
  }

  /** No further connection is tried. */
  #failed(reason: unknown): void {
    // Whoever iterates or publishes is told by a rejection, but a callback just is not called again.
    const isSilent = this.#options.onState === undefined && this.status.state !== "draining" &&
      this.deliveries.callsBack;
    this.close(reason);
    if (isSilent) this.tellError(reason, "The client lost its broker for good");
  }

  async #drainOne(subscription: ClientSubscription, timeoutMs: number | undefined): Promise<void> {
    const limitMs = timerMs("timeoutMs", timeoutMs, DEFAULT_DRAIN_TIMEOUT_MS);
    try {
      if (await before(this.registry.drain(subscription), limitMs)) return;
      const { filter } = subscription;
      const message = `The subscription to ${filter} is not drained after ${limitMs} ms`;
      throw new PubSubError("timed-out", message);
    } finally {
      void this.registry.unsubscribe(subscription);
    }
  }

  async #drain(): Promise<void> {
    if (this.status.state === "closed") return;
    try {
      await this.status.whenConnected();
      const link = this.#link!;
      this.#keeper.giveUpRetrying();
      this.status.become("draining");
      await this.readings.stop();
      await this.#draining.run(link, this.answers, this.deliveries);
      this.close(undefined);
      await this.finished;
    } catch (error) {
      this.close(error);
      const reason = await this.finished;
      if (reason === undefined) throw closedError(undefined);
      throw this.#draining.failure ?? error;
    }
  }
}
