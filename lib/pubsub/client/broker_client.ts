import { reported } from "../../base/reported_promise.ts";
import { checkOptions, type OptionKinds } from "../../base/option_kinds.ts";
import { discardStream } from "../../net/bytes/outgoing_stream.ts";
import { ClientCore } from "./client_core.ts";
import type { BrokerClientOptions, ClientState, DuplexTarget } from "./client_options.ts";
import type { ClientSubscription } from "./receiving/client_subscription.ts";
import type { PublishContent, PubSubMessage } from "./receiving/message.ts";
import { PubSubError, topicName } from "./pubsub_error.ts";
import { confirmPublication } from "./publishing/confirm_publication.ts";
import { isStream } from "./publishing/publication_frame.ts";
import type {
  Confirmation,
  ConfirmOptions,
  PublishOptions,
  RequestOptions,
} from "./publishing/publish_options.ts";
import { requestMany, type RequestManyOptions } from "./requests/request_many.ts";
import { unsent } from "./link/sent.ts";
import { ClientStreams } from "./streams/client_streams.ts";
import { Consumption } from "./streams/consumption.ts";
import { Replay } from "./streams/replay.ts";
import { publishStored } from "./streams/store_publication.ts";
import type {
  ConsumeOptions,
  ReplayOptions,
  StoredPublication,
  StoreOptions,
} from "./streams/stream_types.ts";
import { checkSubscription, type SubscribeOptions } from "./receiving/subscribe_options.ts";

const receiversOf = ({ receivers }: Confirmation) => receivers;

const STORE_KINDS: OptionKinds<StoreOptions> = { messageId: "text" };

/**
 * A client of a broker: publishes and subscribes. When its connection is lost it connects again, and
 * subscribes again to all that it subscribed to; each subscription is told of the gap. What is
 * published meanwhile waits, up to a bound, for the next connection.
 *
 * Delivery is at most once: what was on its way when a connection was lost is not sent again, and
 * its promise is rejected.
 */
export class BrokerClient implements AsyncDisposable {
  /** Resolves when the client is closed: to the error that closed it, if there was one. */
  readonly finished: Promise<unknown>;
  readonly #core: ClientCore;
  #streams: ClientStreams | undefined;

  /** Made by {@linkcode connectBroker}. */
  constructor(target: DuplexTarget, options: BrokerClientOptions) {
    this.#core = new ClientCore(target, options);
    this.finished = this.#core.finished;
  }

  /** What the client is doing. */
  get state(): ClientState {
    return this.#core.status.state;
  }

  /** Bytes of publications that wait to be sent. */
  get bufferedBytes(): number {
    return this.#core.publisher.bufferedBytes;
  }

  /**
   * Publishes without waiting for the broker. The content is copied, unless it is a stream: that is
   * sent as it is read, in its turn, and what is published after it waits behind it. If the stream
   * fails, or gives less or more than its `content-length`, nothing is published; where a part was
   * sent already, the connection has to be made again. A stream that is not read to its end is
   * cancelled.
   *
   * @returns A promise that resolves once the publication was handed to a connection whole, and is
   * rejected if that connection was lost before. It is the same for all that is published in one
   * turn of the event loop. A program that awaits it publishes at the pace of the connection. One
   * that does not is told of a failure by `onError`, with a `PubSubError` that has the topic and the
   * cause, and by the next `flush()`.
   * @throws {PubSubError} `bad-topic`, `frame-too-large`, `buffer-full` or `closed`; as a rejection.
   * @throws {TypeError} if the content is neither bytes, nor text, nor a stream, or an option is not
   * what it has to be; as a rejection.
   * @throws {ContentStreamError} if a stream fails, or gives less or more than it must; as a rejection.
   */
  publish(
    topic: string,
    content: PublishContent = "",
    options: PublishOptions = {},
  ): Promise<void> {
    try {
      return this.#core.publisher.publish(topic, content, options);
    } catch (error) {
      discardStream(content, error);
      return unsent(error, topic, this.#core.unsent.tell);
    }
  }

  /**
   * Waits until the broker has dealt with all that was published before; while disconnected, on the
   * next connection.
   *
   * @throws {PubSubError} why something that was published since the last `flush()` was not sent, or
   * was refused, if no promise told it; `disconnected` if the connection is lost meanwhile, or
   * `closed`.
   */
  flush(): Promise<void> {
    return reported(this.#flush(), (error) => {
      // Of what is wrong with a publication onError was told before.
      const isTold = error instanceof PubSubError && error.topic !== undefined;
      if (!isTold) this.#core.tellError(error, "Flushing failed");
    });
  }

  async #flush(): Promise<void> {
    await this.#core.unsent.check();
    await this.#core.flush();
    await this.#core.unsent.check();
  }

  /**
   * Publishes, and waits until the broker has dealt with it.
   *
   * @returns To how many connections it was handed; of a broker of several, to how many of its own.
   * @throws {PubSubError} as `publish` does, and what the broker refused it with; `disconnected` if
   * the connection was lost before the answer came, or `timed-out`: whether it was published is not
   * known then.
   * @throws {TypeError | RangeError} if the content cannot be published, or an option is not what it
   * has to be.
   * @throws {ContentStreamError} if a stream fails, or gives less or more than it must.
   */
  publishConfirmed(
    topic: string,
    content: PublishContent = "",
    options: ConfirmOptions = {},
  ): Promise<number> {
    const { publisher, unsent } = this.#core;
    return confirmPublication(publisher, unsent, topic, content, options, receiversOf);
  }

  /**
   * Does what `publishConfirmed` does, and tells besides how many receivers there are whether these
   * are all of them.
   *
   * @example
   * ```ts
   * import { connectBroker, serveBroker } from "@socktool/socktool/pubsub";
   * import { assertEquals } from "@std/assert";
   *
   * await using broker = await serveBroker("127.0.0.1:0");
   * await using client = await connectBroker(broker.address);
   * assertEquals(await client.confirm("news", "nobody is there"), { receivers: 0, exact: true });
   * ```
   *
   * @throws {PubSubError | TypeError | ContentStreamError | RangeError} as `publishConfirmed` does.
   */
  confirm(
    topic: string,
    content: PublishContent = "",
    options: ConfirmOptions = {},
  ): Promise<Confirmation> {
    const { publisher, unsent } = this.#core;
    return confirmPublication(publisher, unsent, topic, content, options, (it) => it);
  }

  /**
   * Publishes what a stream of the broker is to keep, and waits until it is stored. If the connection
   * is lost before the answer comes, it is sent again with the same message id, and stored once.
   *
   * @example
   * ```ts
   * import { connectBroker, openStreamStore, serveBroker } from "@socktool/socktool/pubsub";
   * import { assertEquals } from "@std/assert";
   *
   * const folder = await Deno.makeTempDir();
   * {
   *   await using streams = await openStreamStore(folder);
   *   await using broker = await serveBroker("127.0.0.1:0", { streams });
   *   await using client = await connectBroker(broker.address);
   *   await client.streams.create("orders", { topics: ["orders.>"] });
   *   await client.publishStored("orders.eu", "one", { messageId: "order-1" });
   *   const again = await client.publishStored("orders.eu", "one", { messageId: "order-1" });
   *   assertEquals([again.seq, again.duplicate], [1, true]);
   *   for await (const message of client.consume("orders", "billing")) {
   *     assertEquals([message.text(), message.attempt], ["one", 1]);
   *     await message.ack();
   *     break;
   *   }
   * }
   * await Deno.remove(folder, { recursive: true });
   * ```
   *
   * @throws {PubSubError} `no-stream` if no stream keeps the topic, `wrong-seq`, `stream-full`,
   * `storage-full`, `storage-failed`; and as `publishConfirmed` does.
   * @throws {TypeError | RangeError} if the content is neither text nor bytes, since a stream cannot
   * be sent again; or an option is not what it has to be.
   */
  publishStored(
    topic: string,
    content: Uint8Array | string = "",
    options: StoreOptions = {},
  ): Promise<StoredPublication> {
    try {
      checkOptions(options, STORE_KINDS);
      if (typeof content === "string" || content instanceof Uint8Array) {
        return publishStored(this.#core, topic, content, options);
      }
      discardStream(content, undefined);
      const name = topicName(topic);
      throw new TypeError(`Cannot store what is published to ${name}: give text or a Uint8Array`);
    } catch (error) {
      return reported(Promise.reject(error), () => this.#core.unsent.unconfirmed(error, topic));
    }
  }

  /** The broker's streams and their consumers. */
  get streams(): ClientStreams {
    return this.#streams ??= new ClientStreams(
      (op, fields) => this.#core.ask(op, fields),
      this.#core.readings,
      this.#core.tellError,
    );
  }

  /**
   * Reads a stream: what is kept, then what comes, without a gap or a double, also over lost
   * connections. It reads as fast as messages are taken; breaking out of the loop ends it.
   *
   * @returns Messages that throw a `PubSubError` while they are iterated over: `no-stream`,
   * `forbidden`, `closed`.
   * @throws {TypeError} if an option is not what it has to be.
   */
  replay(stream: string, options: ReplayOptions = {}): Replay {
    const { readings, responder, tellError } = this.#core;
    return new Replay(stream, options, readings, responder, tellError);
  }

  /**
   * Works off the messages of a stream, as a member of a consumer, which is made if there is none.
   * Other clients that consume under the same name share them. What is not acknowledged is delivered
   * again.
   *
   * @returns Messages to iterate over. With `onMessage` that is called instead, and `finished` rejects
   * with what ended it.
   * @throws {TypeError | RangeError} if an option is not what it has to be.
   */
  consume(stream: string, consumer: string, options: ConsumeOptions = {}): Consumption {
    return new Consumption(stream, consumer, options, this.#core);
  }

  /**
   * Subscribes. Resolves once the broker has confirmed it, on this connection or the next.
   *
   * @throws {PubSubError} `bad-filter`, `bad-group`, what the broker refused it with, or `closed`.
   * @throws {TypeError | RangeError} if an option is not what it has to be.
   */
  subscribe(filter: string, options: SubscribeOptions = {}): Promise<ClientSubscription> {
    return this.#core.reported("Subscribing failed", this.#subscribe(filter, options));
  }

  async #subscribe(filter: string, options: SubscribeOptions): Promise<ClientSubscription> {
    this.#core.status.checkOpen();
    const limits = checkSubscription(filter, options, this.#core.limits);
    const subscription = this.#core.deliveries.add(filter, options, limits);
    try {
      await this.#core.registry.confirm(subscription);
    } catch (error) {
      this.#core.deliveries.remove(subscription);
      subscription.end(error);
      throw error;
    }
    void subscription.begin();
    return subscription;
  }

  /**
   * Publishes with an inbox of this client as `reply-to`, and waits for the first reply.
   *
   * @throws {PubSubError} `no-receivers` if nobody subscribes to the topic, `timed-out`, and as
   * `publishConfirmed` does.
   * @throws {TypeError | RangeError} if the content cannot be published, or an option is not what it
   * has to be.
   */
  request(
    topic: string,
    content: PublishContent = "",
    options: RequestOptions = {},
  ): Promise<PubSubMessage> {
    // No async function: a request would cost three promises instead of one.
    try {
      this.#core.publisher.check(topic, content, options);
      const reply = this.#core.inbox.request(topic, content, options);
      if (isStream(content)) reply.catch((error) => discardStream(content, error));
      return reply;
    } catch (error) {
      discardStream(content, error);
      return Promise.reject(error);
    }
  }

  /**
   * Publishes with an inbox of this client as `reply-to`, and gives the replies that come until the
   * time is up, there are enough, or one is the mark of the end. Then the iteration ends.
   *
   * @example
   * ```ts
   * import { connectBroker, serveBroker } from "@socktool/socktool/pubsub";
   * import { assertEquals } from "@std/assert";
   *
   * await using broker = await serveBroker("127.0.0.1:0");
   * await using client = await connectBroker(broker.address);
   * await client.subscribe("count", {
   *   onMessage(message) {
   *     for (const text of ["one", "two", ""]) message.respond(text);
   *   },
   * });
   * const texts = [];
   * const isEnd = ({ content }: { content: Uint8Array }) => content.length === 0;
   * for await (const reply of client.requestMany("count", "", { isEnd })) texts.push(reply.text());
   * assertEquals(texts, ["one", "two"]);
   * ```
   *
   * @throws {PubSubError} `no-receivers` if nobody subscribes to the topic, `disconnected`,
   * `slow-consumer` if more replies wait for the program than in a subscription may, and as `publish`
   * does: all but the last while it is iterated over.
   * @throws {TypeError | RangeError} if the content cannot be published, or an option is not what it
   * has to be.
   */
  requestMany(
    topic: string,
    content: PublishContent = "",
    options: RequestManyOptions = {},
  ): AsyncIterableIterator<PubSubMessage> {
    try {
      this.#core.publisher.check(topic, content, options);
      return requestMany(
        this.#core.inbox,
        topic,
        content,
        options,
        this.#core.limits,
        this.#core.tellError,
      );
    } catch (error) {
      discardStream(content, error);
      throw error;
    }
  }

  /**
   * Ends in order: unsubscribes, sends what waits, lets the broker deal with it, says `bye`,
   * closes. Requests that came before may be replied to meanwhile: it waits until callbacks are done
   * with them, and loops over subscriptions ask for what follows them. Messages that came before can
   * still be taken from their subscriptions.
   *
   * @param timeoutMs The longest time that it takes. @default {5_000}
   * @throws {PubSubError} `timed-out`, with what it still waited for in its message; `closed` if the
   * client is closed meanwhile, or why the connection was lost. It is closed all the same.
   */
  drain(timeoutMs?: number): Promise<void> {
    return this.#core.reported("Draining the client failed", this.#core.drain(timeoutMs));
  }

  /**
   * Closes. What waits to be sent is lost, and its promises are rejected at once. The broker is told by
   * `bye`, so that it publishes no will; for that it takes a round trip, or a quarter of a second if
   * the broker does not answer.
   */
  async close(): Promise<void> {
    this.#core.close(undefined);
    await this.finished;
  }

  /** As {@linkcode BrokerClient.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Called by {@linkcode connectBroker}: resolves when the client is connected. @internal */
  async start(): Promise<void> {
    await this.#core.start();
  }
}
