import { timerMs } from "../../base/timer_ms.ts";
import { OutgoingStream } from "../../net/bytes/outgoing_stream.ts";
import { topicProblem } from "../protocol/topic.ts";
import type { ClientLink } from "./client_link.ts";
import type { ConfirmOptions, PublishOptions } from "./client_options.ts";
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
import { bufferFull, PubSubError } from "./pubsub_error.ts";

/** Publishes for a client: on its connection, or while there is none into a buffer. */
export class Publisher {
  /** The largest content that the broker takes, as it said last. */
  maxContentBytes = Infinity;
  readonly #status: ClientStatus;
  readonly #answers: PendingAnswers;
  readonly #maxBufferedBytes: number;
  readonly #streamTimeoutMs: number;
  /** What waits for a connection. */
  readonly #waiting: FrameQueue;
  #link: ClientLink | undefined;

  /**
   * There is no connection at first.
   *
   * @param maxBufferedBytes Bytes of publications that may wait to be sent.
   * @param streamTimeoutMs The longest time that a stream of content may give nothing.
   */
  constructor(
    status: ClientStatus,
    answers: PendingAnswers,
    maxBufferedBytes: number,
    streamTimeoutMs: number,
  ) {
    this.#status = status;
    this.#answers = answers;
    this.#maxBufferedBytes = maxBufferedBytes;
    this.#streamTimeoutMs = streamTimeoutMs;
    this.#waiting = new FrameQueue(maxBufferedBytes);
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
   * Checks what is to be published.
   *
   * @throws {PubSubError} `bad-topic`, `frame-too-large`, `buffer-full` or `closed`.
   * @throws {TypeError} if the content is none.
   */
  check(topic: string, content: PublishContent, { replyTo }: PublishOptions): void {
    this.#status.checkOpen();
    for (const name of replyTo === undefined ? [topic] : [topic, replyTo]) {
      const problem = topicProblem(name);
      if (problem) throw new PubSubError("bad-topic", `Cannot publish to ${name}: ${problem}`);
    }
    const problem = contentProblem(content);
    if (problem) throw new TypeError(`Cannot publish to ${topic}: ${problem}`);
    if (exceeds(content, this.maxContentBytes)) {
      const most = `the broker takes ${this.maxContentBytes} bytes of content at most`;
      throw new PubSubError("frame-too-large", `Cannot publish to ${topic}: ${most}`);
    }
    if (this.bufferedBytes >= this.#maxBufferedBytes) {
      throw bufferFull(topic, this.#maxBufferedBytes);
    }
  }

  /** As `BrokerClient.publish`, but throws at once what is wrong. */
  publish(topic: string, content: PublishContent, options: PublishOptions): Promise<void> {
    this.check(topic, content, options);
    return this.#send(topic, content, options, undefined);
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
    const sent = this.#send(topic, content, options, id);
    const answer = this.#answers.wait(id, this.#link === undefined);
    // Of a stream that could not be sent whole the broker knows nothing.
    if (isStream(content)) sent.catch((error) => this.#answers.giveUp(id, error));
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

  #send(
    topic: string,
    content: PublishContent,
    options: PublishOptions,
    id: number | undefined,
  ): Promise<void> {
    let sent: Promise<void> | undefined;
    if (isStream(content)) {
      const frame = streamFrame(topic, content, options, id);
      const stream = new OutgoingStream(frame, this.#streamTimeoutMs);
      if (this.#link) return this.#link.sendStream(stream);
      sent = this.#waiting.addStream(stream);
      if (sent === undefined) stream.cancel(bufferFull(topic, this.#maxBufferedBytes));
    } else {
      const frame = publicationFrame(topic, content, options, id);
      if (this.#link) return this.#link.send(frame);
      sent = this.#waiting.add(frame);
    }
    if (sent === undefined) throw bufferFull(topic, this.#maxBufferedBytes);
    return sent;
  }
}
