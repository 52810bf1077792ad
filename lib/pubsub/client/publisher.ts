import type { FrameHeader, HeaderInit } from "../../frame/mod.ts";
import { timerMs } from "../../base/timer_ms.ts";
import { OutgoingStream } from "../../net/bytes/outgoing_stream.ts";
import { topicProblem } from "../protocol/topic.ts";
import type { ClientLink } from "./client_link.ts";
import type { ClientStatus } from "./client_status.ts";
import { FrameQueue } from "./frame_queue.ts";
import type { PublishContent } from "./message.ts";
import type { PendingAnswers } from "./pending_answers.ts";
import {
  contentProblem,
  exceeds,
  isStream,
  publicationFrame,
  streamFrame,
} from "./publication_frame.ts";
import type { ConfirmOptions, PublishOptions } from "./publish_options.ts";
import { bufferFull, PubSubError } from "./pubsub_error.ts";
import type { Sent, TellUnsent } from "./sent.ts";

/** How a {@linkcode Publisher} publishes. */
export interface PublisherOptions {
  /** Bytes of publications that may wait to be sent. */
  readonly maxBufferedBytes: number;
  /** The longest time that a stream of content may give nothing. */
  readonly streamTimeoutMs: number;
  /** Is told of publications that are not sent, where nobody awaits their promise. */
  readonly tell: TellUnsent;
  /** Fields that every publication has, at present. */
  readonly marks: () => HeaderInit | undefined;
}

/** Publishes for a client: on its connection, or while there is none into a buffer. */
export class Publisher {
  /** The largest content that the broker takes, as it said last. */
  maxContentBytes = Infinity;
  readonly #status: ClientStatus;
  readonly #answers: PendingAnswers;
  readonly #options: PublisherOptions;
  /** What waits for a connection. */
  readonly #waiting: FrameQueue;
  #link: ClientLink | undefined;

  /** There is no connection at first. */
  constructor(status: ClientStatus, answers: PendingAnswers, options: PublisherOptions) {
    this.#status = status;
    this.#answers = answers;
    this.#options = options;
    this.#waiting = new FrameQueue(options.maxBufferedBytes, options.tell);
  }

  /** Bytes of publications that wait to be sent. */
  get bufferedBytes(): number {
    return this.#waiting.bytes + (this.#link?.pendingBytes ?? 0);
  }

  /** Sends what waits, and from here on all that is published, on a connection. */
  connected(link: ClientLink): void {
    this.#link = link;
    this.#waiting.sendTo(link);
    this.#answers.sent();
  }

  /** The connection is lost: what is published from here on waits for the next. */
  disconnected(): void {
    this.#link = undefined;
  }

  /** Drops what waits. */
  close(error: PubSubError): void {
    this.#waiting.fail(error);
  }

  /**
   * Checks what is to be published, and that the client takes orders.
   *
   * @throws {PubSubError} `bad-topic`, `frame-too-large`, `buffer-full` or `closed`.
   * @throws {TypeError} if the content is none.
   */
  check(topic: string, content: PublishContent, options: PublishOptions): void {
    this.#status.checkOpen(topic);
    this.#checkPublication(topic, content, options);
  }

  /** As `BrokerClient.publish`, but throws at once what is wrong. */
  publish(topic: string, content: PublishContent, options: PublishOptions): Sent {
    this.check(topic, content, options);
    return this.send(topic, content, options, undefined).of(topic);
  }

  /** Publishes a reply to a request, also while the client drains. Throws at once what is wrong. */
  reply(topic: string, content: PublishContent, options: PublishOptions): Sent {
    if (this.#status.state !== "draining") this.#status.checkOpen(topic);
    this.#checkPublication(topic, content, options);
    return this.send(topic, content, options, undefined).of(topic);
  }

  /** As `BrokerClient.publishConfirmed`. */
  async publishConfirmed(
    topic: string,
    content: PublishContent,
    options: ConfirmOptions,
  ): Promise<number> {
    this.check(topic, content, options);
    const timeoutMs = timerMs("timeoutMs", options.timeoutMs);
    const id = this.#answers.nextId();
    const answer = Promise.withResolvers<FrameHeader>();
    // It may be rejected before it is awaited.
    answer.promise.catch(() => {});
    const sent = this.send(topic, content, options, id);
    this.#answers.expect(id, answer, this.#link === undefined);
    // Of a stream that could not be sent whole the broker knows nothing.
    if (isStream(content)) sent.then(undefined, (error) => this.#answers.giveUp(id, error));
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(() => {
      const message = `The broker did not confirm ${topic} in ${timeoutMs} ms`;
      const late = new PubSubError("timed-out", message, { topic });
      this.#answers.giveUp(id, late);
      this.#waiting.cancel(id, late);
    }, timeoutMs);
    try {
      return Number((await answer.promise)["receivers"]);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Sends a publication that was checked.
   *
   * @param id With it, the broker confirms the publication.
   * @throws {PubSubError} `buffer-full`.
   */
  send(
    topic: string,
    content: PublishContent,
    options: PublishOptions,
    id: number | undefined,
  ): Sent {
    const { maxBufferedBytes, streamTimeoutMs, marks } = this.#options;
    let sent: Sent | undefined;
    if (isStream(content)) {
      const frame = streamFrame(topic, content, options, id, marks());
      const stream = new OutgoingStream(frame, streamTimeoutMs);
      if (this.#link) return this.#link.sendStream(stream);
      sent = this.#waiting.addStream(stream, id);
      if (sent === undefined) stream.cancel(bufferFull(topic, maxBufferedBytes));
    } else {
      const frame = publicationFrame(topic, content, options, id, marks());
      if (this.#link) return this.#link.send(frame);
      sent = this.#waiting.add(frame, id);
    }
    if (sent === undefined) throw bufferFull(topic, maxBufferedBytes);
    return sent;
  }

  #checkPublication(topic: string, content: PublishContent, { replyTo }: PublishOptions): void {
    for (const name of replyTo === undefined ? [topic] : [topic, replyTo]) {
      const problem = topicProblem(name);
      if (problem) {
        throw new PubSubError("bad-topic", `Cannot publish to ${name}: ${problem}`, {
          topic: name,
        });
      }
    }
    const problem = contentProblem(content);
    if (problem) throw new TypeError(`Cannot publish to ${topic}: ${problem}`);
    if (exceeds(content, this.maxContentBytes)) {
      const most = `the broker takes ${this.maxContentBytes} bytes of content at most`;
      throw new PubSubError("frame-too-large", `Cannot publish to ${topic}: ${most}`, { topic });
    }
    if (this.bufferedBytes >= this.#options.maxBufferedBytes) {
      throw bufferFull(topic, this.#options.maxBufferedBytes);
    }
  }
}
