import type { OutgoingFrame } from "../../frame/mod.ts";
import { timerMs } from "../../base/timer_ms.ts";
import { topicProblem } from "../protocol/topic.ts";
import type { ClientLink } from "./client_link.ts";
import type { ConfirmOptions, PublishOptions } from "./client_options.ts";
import type { ClientStatus } from "./client_status.ts";
import { FrameQueue } from "./frame_queue.ts";
import type { PublishContent } from "./message.ts";
import type { PendingAnswers } from "./pending_answers.ts";
import { contentProblem, exceeds, publicationFrame } from "./publication_frame.ts";
import { bufferFull, PubSubError } from "./pubsub_error.ts";

/** Publishes for a client: on its connection, or while there is none into a buffer. */
export class Publisher {
  /** The largest content that the broker takes, as it said last. */
  maxContentBytes = Infinity;
  readonly #status: ClientStatus;
  readonly #answers: PendingAnswers;
  readonly #maxBufferedBytes: number;
  /** What waits for a connection. */
  readonly #waiting: FrameQueue;
  #link: ClientLink | undefined;

  /** @param maxBufferedBytes Bytes of publications that may wait to be sent. */
  constructor(status: ClientStatus, answers: PendingAnswers, maxBufferedBytes: number) {
    this.#status = status;
    this.#answers = answers;
    this.#maxBufferedBytes = maxBufferedBytes;
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
   * @throws {TypeError} if the content is neither text nor bytes.
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
    return this.#send(topic, publicationFrame(topic, content, options, undefined));
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
    void this.#send(topic, publicationFrame(topic, content, options, id));
    const answer = this.#answers.wait(id, this.#link === undefined);
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

  #send(topic: string, frame: OutgoingFrame): Promise<void> {
    if (this.#link) return this.#link.send(frame);
    const sent = this.#waiting.add(frame);
    if (sent === undefined) throw bufferFull(topic, this.#maxBufferedBytes);
    return sent;
  }
}
