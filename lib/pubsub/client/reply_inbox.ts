import { timerMs } from "../../base/timer_ms.ts";
import { INBOX_PREFIX } from "../protocol/topic.ts";
import type { ConfirmOptions, RequestOptions } from "./client_options.ts";
import type { SubscribeOptions } from "./client_subscription.ts";
import type { PublishContent, PubSubMessage } from "./message.ts";
import { PubSubError } from "./pubsub_error.ts";

const DEFAULT_TIMEOUT_MS = 10_000;

/** What a {@linkcode ReplyInbox} needs of a client. */
export interface InboxClient {
  /** As `BrokerClient.subscribe`. */
  subscribe(filter: string, options: SubscribeOptions): Promise<unknown>;
  /** As `BrokerClient.publishConfirmed`. */
  publishConfirmed(
    topic: string,
    content: PublishContent,
    options: ConfirmOptions,
  ): Promise<number>;
}

/** Where the replies to a client's requests arrive: one subscription for all of them. */
export class ReplyInbox {
  readonly #client: InboxClient;
  /** A random name, which nobody else can guess and subscribe to. */
  readonly #prefix = `${INBOX_PREFIX}${crypto.randomUUID().replaceAll("-", "")}.`;
  /** Requests without a reply, by the topic that it will have. */
  readonly #waiting = new Map<string, (reply: PubSubMessage) => void>();
  #subscribed: Promise<unknown> | undefined;
  #count = 0;

  /** Subscribes when the first request is made. */
  constructor(client: InboxClient) {
    this.#client = client;
  }

  /** As `BrokerClient.request`, for what can be published. */
  async request(
    topic: string,
    content: PublishContent,
    { timeoutMs: limitMs, ...options }: RequestOptions,
  ): Promise<PubSubMessage> {
    const timeoutMs = timerMs("timeoutMs", limitMs, DEFAULT_TIMEOUT_MS);
    const replyTo = `${this.#prefix}${++this.#count}`;
    const reply = Promise.withResolvers<PubSubMessage>();
    this.#waiting.set(replyTo, reply.resolve);
    const timer = setTimeout(() => {
      reply.reject(new PubSubError("timed-out", `No reply came from ${topic} in ${timeoutMs} ms`));
    }, timeoutMs);
    const asked = async () => {
      await this.#subscribe();
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
      this.#waiting.delete(replyTo);
    }
  }

  #subscribe(): Promise<unknown> {
    // A subscription that is refused is not kept: the next request tries again.
    return this.#subscribed ??= this.#client.subscribe(`${this.#prefix}*`, {
      onMessage: (message) => this.#waiting.get(message.topic)?.(message),
    }).catch((error) => {
      this.#subscribed = undefined;
      throw error;
    });
  }
}
