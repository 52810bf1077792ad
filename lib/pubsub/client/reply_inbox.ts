import { timerMs } from "../../base/timer_ms.ts";
import { INBOX_PREFIX } from "../protocol/topic.ts";
import type { ConfirmOptions, RequestOptions } from "./client_options.ts";
import type { ClientSubscription, SubscribeOptions } from "./client_subscription.ts";
import type { PublishContent, PubSubMessage } from "./message.ts";
import { PubSubError } from "./pubsub_error.ts";

const DEFAULT_TIMEOUT_MS = 10_000;

/** What a {@linkcode ReplyInbox} needs of a client. */
export interface InboxClient {
  /** Resolves when there is a connection. */
  whenConnected(): Promise<void>;
  /** As `BrokerClient.subscribe`. */
  subscribe(filter: string, options: SubscribeOptions): Promise<ClientSubscription>;
  /** Ends a subscription that the broker does not know any more. */
  forget(subscription: ClientSubscription): void;
  /** As `BrokerClient.publishConfirmed`. */
  publishConfirmed(
    topic: string,
    content: PublishContent,
    options: ConfirmOptions,
  ): Promise<number>;
}

/**
 * Where the replies to a client's requests arrive: one subscription for all of them, on each
 * connection another. The broker names the inbox of a connection, to which nobody else may subscribe.
 */
export class ReplyInbox {
  readonly #client: InboxClient;
  #prefix = "";
  /** Requests without a reply, by the topic that it will have. */
  readonly #waiting = new Map<string, PromiseWithResolvers<PubSubMessage>>();
  #subscribed: Promise<ClientSubscription> | undefined;
  #count = 0;

  /** Subscribes when the first request is made on a connection. */
  constructor(client: InboxClient) {
    this.#client = client;
  }

  /**
   * Called on each new connection.
   *
   * @param token What the broker names the inbox; of a broker that does not, a name that nobody
   * guesses is taken.
   */
  connected(token: unknown): void {
    const name = typeof token === "string" ? token : crypto.randomUUID().replaceAll("-", "");
    this.#prefix = `${INBOX_PREFIX}${name}.`;
  }

  /** Called when the connection is lost: no reply to what was asked on it can come. */
  disconnected(error: PubSubError): void {
    void this.#subscribed?.then(
      (subscription) => this.#client.forget(subscription),
      // Who asked was told.
      () => {},
    );
    this.#subscribed = undefined;
    for (const reply of this.#waiting.values()) reply.reject(error);
    this.#waiting.clear();
  }

  /** As `BrokerClient.request`, for what can be published. */
  async request(
    topic: string,
    content: PublishContent,
    { timeoutMs: limitMs, ...options }: RequestOptions,
  ): Promise<PubSubMessage> {
    const timeoutMs = timerMs("timeoutMs", limitMs, DEFAULT_TIMEOUT_MS);
    const reply = Promise.withResolvers<PubSubMessage>();
    let replyTo: string | undefined;
    let late: PubSubError | undefined;
    const timer = setTimeout(() => {
      late = new PubSubError("timed-out", `No reply came from ${topic} in ${timeoutMs} ms`);
      reply.reject(late);
    }, timeoutMs);
    const asked = async () => {
      // A request that was made before is not sent later: its reply would go to another inbox.
      await this.#client.whenConnected();
      replyTo = `${this.#prefix}${++this.#count}`;
      this.#waiting.set(replyTo, reply);
      await this.#subscribe();
      if (late) throw late;
      const receivers = await this.#client.publishConfirmed(topic, content, {
        ...options,
        replyTo,
      });
      if (receivers > 0) return await reply.promise;
      throw new PubSubError("no-receivers", `Nobody subscribes to ${topic}: no reply can come`);
    };
    try {
      return await Promise.race([reply.promise, asked()]);
    } finally {
      clearTimeout(timer);
      if (replyTo !== undefined) this.#waiting.delete(replyTo);
    }
  }

  #subscribe(): Promise<ClientSubscription> {
    // A subscription that is refused is not kept: the next request tries again.
    return this.#subscribed ??= this.#client.subscribe(`${this.#prefix}*`, {
      onMessage: (message) => this.#waiting.get(message.topic)?.resolve(message),
    }).catch((error) => {
      this.#subscribed = undefined;
      throw error;
    });
  }
}
