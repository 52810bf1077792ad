import { timerMs } from "../../base/timer_ms.ts";
import type { BrokerClient } from "./broker_client.ts";
import type { RequestOptions } from "./client_options.ts";
import type { PublishContent, PubSubMessage } from "./message.ts";
import { PubSubError } from "./pubsub_error.ts";
import { INBOX_PREFIX } from "../protocol/topic.ts";

const DEFAULT_TIMEOUT_MS = 10_000;

/** Where the replies to a client's requests come: one subscription for all of them. */
export class ReplyInbox {
  readonly #client: BrokerClient;
  /** Nobody else can guess it, so nobody else reads the replies. */
  readonly #prefix = `${INBOX_PREFIX}${crypto.randomUUID().replaceAll("-", "")}.`;
  readonly #waiting = new Map<string, (reply: PubSubMessage) => void>();
  #subscribed: Promise<unknown> | undefined;
  #count = 0;

  /** Subscribes when the first request is made. */
  constructor(client: BrokerClient) {
    this.#client = client;
  }

  /** Publishes a request, and waits for the first reply. */
  async request(
    topic: string,
    content: PublishContent,
    options: RequestOptions,
  ): Promise<PubSubMessage> {
    const timeoutMs = timerMs("timeoutMs", options.timeoutMs, DEFAULT_TIMEOUT_MS);
    const replyTo = `${this.#prefix}${++this.#count}`;
    const reply = Promise.withResolvers<PubSubMessage>();
    this.#waiting.set(replyTo, reply.resolve);
    const timer = setTimeout(() => {
      reply.reject(new PubSubError("timed-out", `No reply came from ${topic} in ${timeoutMs} ms`));
    }, timeoutMs);
    try {
      return await Promise.race([
        reply.promise,
        this.#ask(topic, content, options, replyTo, reply),
      ]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(replyTo);
    }
  }

  async #ask(
    topic: string,
    content: PublishContent,
    options: RequestOptions,
    replyTo: string,
    reply: PromiseWithResolvers<PubSubMessage>,
  ): Promise<PubSubMessage> {
    // One that is refused is not kept: the next request tries again.
    this.#subscribed ??= this.#client.subscribe(`${this.#prefix}*`, {
      onMessage: (message) => this.#waiting.get(message.topic)?.(message),
    }).catch((error) => {
      this.#subscribed = undefined;
      throw error;
    });
    await this.#subscribed;
    const receivers = await this.#client.publishConfirmed(topic, content, { ...options, replyTo });
    if (receivers === 0) {
      throw new PubSubError("no-receivers", `Nobody subscribes to ${topic}: no reply can come`);
    }
    return await reply.promise;
  }
}
