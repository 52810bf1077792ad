import { timerMs } from "../../../base/timer_ms.ts";
import type { FrameHeader } from "../../../frame/mod.ts";
import { INBOX_PREFIX } from "../../protocol/topic.ts";
import type { ClientLink } from "../link/client_link.ts";
import type { Deadlines, Limited } from "./deadlines.ts";
import type { PublishContent, PubSubMessage } from "../receiving/message.ts";
import type { AnswerTaker, PendingAnswers } from "../publishing/pending_answers.ts";
import { isStream } from "../publishing/publication_frame.ts";
import type { PublishOptions, RequestOptions } from "../publishing/publish_options.ts";
import type { Publisher } from "../publishing/publisher.ts";
import { disconnected, PubSubError } from "../pubsub_error.ts";

const DEFAULT_TIMEOUT_MS = 10_000;

/** The option `timeoutMs` of a request, or its default. @throws if it is no time. */
export function requestTimeout(ms: number | undefined): number {
  return timerMs("timeoutMs", ms, DEFAULT_TIMEOUT_MS);
}

/** A request that was not replied to, or not to its end. */
export interface OpenRequest extends AnswerTaker, Limited {
  /** Where it is published. */
  readonly topic: string;
  /** Its id, with which the topic of its replies ends, from when it is sent on. */
  number: number | undefined;
  /** Takes a reply. */
  take(reply: PubSubMessage): void;
  /** Whether nothing more is wanted: it was replied to, or its time is up. */
  readonly isOver: boolean;
}

/** What a {@linkcode ReplyInbox} needs of a client. */
export interface InboxClient {
  /** Resolves when there is a connection. */
  whenConnected(): Promise<void>;
  readonly publisher: Publisher;
  readonly answers: PendingAnswers;
  readonly deadlines: Deadlines;
}

/**
 * Where the replies to a client's requests arrive: one subscription for all of them, on each
 * connection another. The broker names the inbox of a connection, to which nobody else may subscribe.
 */
export class ReplyInbox {
  readonly #client: InboxClient;
  #prefix = "";
  #link: ClientLink | undefined;
  /** Whether the broker has confirmed the subscription, or will; `true` when it has. */
  #subscribed: Promise<unknown> | true | undefined;
  /** Requests by their id, with which the topic of their replies ends. */
  readonly #open = new Map<number, OpenRequest>();

  /** Subscribes when the first request is made on a connection. */
  constructor(client: InboxClient) {
    this.#client = client;
  }

  /** How many requests wait for a reply. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Called on each new connection.
   *
   * @param token What the broker names the inbox; of a broker that does not, a name that nobody
   * guesses is taken.
   */
  connected(link: ClientLink, token: unknown): void {
    const name = typeof token === "string" ? token : crypto.randomUUID().replaceAll("-", "");
    this.#link = link;
    this.#prefix = `${INBOX_PREFIX}${name}.`;
  }

  /** Called when the connection is lost: no reply to what was asked on it can come. */
  disconnected(error: PubSubError): void {
    this.#link = undefined;
    this.#subscribed = undefined;
    for (const request of this.#open.values()) request.reject(error);
    this.#open.clear();
  }

  /** Whether a topic is in this inbox. */
  owns(topic: string): boolean {
    return this.#link !== undefined && topic.startsWith(this.#prefix);
  }

  /** Takes a reply. One that nobody waits for any more is dropped. */
  received(topic: string, reply: PubSubMessage): void {
    const number = numberAt(topic, this.#prefix.length);
    if (number !== undefined) this.#open.get(number)?.take(reply);
  }

  /** As `BrokerClient.request`, for what can be published. */
  request(
    topic: string,
    content: PublishContent,
    options: RequestOptions,
  ): Promise<PubSubMessage> {
    const timeoutMs = requestTimeout(options.timeoutMs);
    return new Promise((resolve, reject) => {
      this.send(new OneReply(this, topic, timeoutMs, resolve, reject), content, options);
    });
  }

  /**
   * Sends a request: at once, or when there is a connection, unless it is over by then. What prevents
   * that is told by its `reject`. When it is over, {@linkcode ReplyInbox.over} has to be called.
   */
  send(request: OpenRequest, content: PublishContent, options: PublishOptions): void {
    this.#client.deadlines.add(request);
    if (this.#subscribed === true) this.#publish(request, content, options);
    else void this.#sendLater(request, content, options);
  }

  /** Forgets a request. */
  over(request: OpenRequest): void {
    if (request.number !== undefined) {
      this.#open.delete(request.number);
      this.#client.answers.forget(request.number);
    }
    this.#client.deadlines.delete(request);
  }

  async #sendLater(
    request: OpenRequest,
    content: PublishContent,
    options: PublishOptions,
  ): Promise<void> {
    try {
      // A request that was made before is not sent later: its reply would go to another inbox.
      while (this.#subscribed !== true && !request.isOver) {
        await this.#client.whenConnected();
        await this.#subscribe();
      }
      if (request.isOver) {
        const late = new PubSubError("timed-out", "The request was not sent in time");
        if (isStream(content)) content.content.cancel(late).catch(() => {});
      } else this.#publish(request, content, options);
    } catch (error) {
      request.reject(error);
    }
  }

  #publish(request: OpenRequest, content: PublishContent, options: PublishOptions): void {
    const { answers, publisher } = this.#client;
    const { topic } = request;
    // On the next connection the reply would go to another inbox.
    if (this.#link?.isClosed) return request.reject(disconnected(undefined));
    const number = answers.nextId();
    const replyTo = `${this.#prefix}${number}`;
    try {
      // The reply says that somebody got it: an answer of the broker would only have the client woken.
      const how = { ...options, replyTo, okIf: "nobody" } as const;
      const sent = publisher.send(topic, content, how, number);
      if (isStream(content)) sent.then(undefined, (error) => answers.giveUp(number, error));
    } catch (error) {
      return request.reject(error);
    }
    request.number = number;
    this.#open.set(number, request);
    answers.expect(number, request, false);
  }

  /** Has the broker's confirmation, or waits for it. Rejects with what it refuses that with. */
  async #subscribe(): Promise<void> {
    const link = this.#link;
    if (link === undefined || this.#subscribed === true) return;
    this.#subscribed ??= this.#client.answers.ask(link, "sub", { topic: `${this.#prefix}*` });
    try {
      await this.#subscribed;
      if (this.#link === link) this.#subscribed = true;
    } catch (error) {
      // One that is refused is not kept: the next request tries again.
      if (this.#link === link) this.#subscribed = undefined;
      throw error;
    }
  }
}

/** A request that ends with its first reply. */
class OneReply implements OpenRequest {
  readonly topic: string;
  readonly endsAt: number;
  number: number | undefined;
  isOver = false;
  readonly #inbox: ReplyInbox;
  readonly #timeoutMs: number;
  readonly #resolve: (reply: PubSubMessage) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    inbox: ReplyInbox,
    topic: string,
    timeoutMs: number,
    resolve: (reply: PubSubMessage) => void,
    reject: (error: unknown) => void,
  ) {
    this.#inbox = inbox;
    this.topic = topic;
    this.#timeoutMs = timeoutMs;
    this.endsAt = performance.now() + timeoutMs;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** The broker's answer. */
  resolve({ receivers }: FrameHeader): void {
    if (!(Number(receivers) > 0)) this.reject(noReceivers(this.topic));
  }

  reject(error: unknown): void {
    if (this.#end()) this.#reject(error);
  }

  take(reply: PubSubMessage): void {
    if (this.#end()) this.#resolve(reply);
  }

  expired(): void {
    const message = `No reply came from ${this.topic} in ${this.#timeoutMs} ms`;
    this.reject(new PubSubError("timed-out", message, { topic: this.topic }));
  }

  #end(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    this.#inbox.over(this);
    return true;
  }
}

/** The longest number, so that it is exact. */
const MAX_DIGITS = 15;

const DIGIT_0 = 0x30, DIGIT_9 = 0x39;

/** The number that a text ends with from `start` on; `undefined` if there is none as it is written. */
function numberAt(text: string, start: number): number | undefined {
  const { length } = text;
  if (length === start || length - start > MAX_DIGITS) return undefined;
  let number = 0;
  for (let i = start; i < length; i++) {
    const unit = text.charCodeAt(i);
    // Only a number that is made here, which begins with no 0.
    if (unit < DIGIT_0 || unit > DIGIT_9 || number === 0 && unit === DIGIT_0) return undefined;
    number = number * 10 + unit - DIGIT_0;
  }
  return number;
}

/** Nobody can reply to a request. */
export function noReceivers(topic: string): PubSubError {
  const message = `Nobody subscribes to ${topic}: no reply can come`;
  return new PubSubError("no-receivers", message, { topic });
}
