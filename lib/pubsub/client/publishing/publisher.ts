import { checkGiven } from "../../../base/option_kinds.ts";
import type { HeaderInit, StreamedFrame } from "../../../frame/mod.ts";
import { timerMs } from "../../../base/timer_ms.ts";
import { OutgoingStream } from "../../../net/bytes/outgoing_stream.ts";
import { topicProblem } from "../../protocol/topic.ts";
import type { ClientLink } from "../link/client_link.ts";
import type { ClientStatus } from "../client_status.ts";
import { FrameQueue } from "../link/frame_queue.ts";
import type { PublishContent } from "../receiving/message.ts";
import type { AnswerTaker, PendingAnswers } from "./pending_answers.ts";
import { PublicationHeads } from "./publication_heads.ts";
import {
  contentProblem,
  exceeds,
  isStream,
  publicationFrame,
  streamFrame,
} from "./publication_frame.ts";
import type { ConfirmOptions, PublishOptions, SendOptions } from "./publish_options.ts";
import { bufferFull, PubSubError, topicName } from "../pubsub_error.ts";
import type { Sent, TellUnsent } from "../link/sent.ts";

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
  readonly #heads = new PublicationHeads();
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

  /** The connection to send on; one that was closed, of which `disconnected` tells later, is none. */
  get #openLink(): ClientLink | undefined {
    return this.#link?.isClosed === false ? this.#link : undefined;
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
   * @throws {TypeError} if the content cannot be published.
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

  /** Publishes, and has the header of the answer taken. Throws at once what is wrong. */
  ask(
    topic: string,
    content: PublishContent,
    options: ConfirmOptions & SendOptions,
    taker: AnswerTaker,
  ): void {
    this.check(topic, content, options);
    const limitMs = options.timeoutMs === undefined
      ? undefined
      : timerMs("timeoutMs", options.timeoutMs);
    const id = this.#answers.nextId();
    const waits = this.#openLink === undefined;
    const sent = this.send(topic, content, options, id);
    const timed = limitMs === undefined ? taker : this.#timed(topic, id, limitMs, taker);
    this.#answers.expect(id, timed, waits);
    // Of a stream that could not be sent whole the broker knows nothing.
    if (isStream(content)) sent.then(undefined, (error) => this.#answers.giveUp(id, error));
  }

  /** Gives a publication up that is not answered in time. */
  #timed(topic: string, id: number, limitMs: number, taker: AnswerTaker): AnswerTaker {
    const timer = setTimeout(() => {
      const message = `The broker did not confirm ${topic} in ${limitMs} ms`;
      const late = new PubSubError("timed-out", message, { topic });
      this.#answers.giveUp(id, late);
      this.#waiting.cancel(id, late);
    }, limitMs);
    return {
      resolve(header) {
        clearTimeout(timer);
        taker.resolve(header);
      },
      reject(error) {
        clearTimeout(timer);
        taker.reject(error);
      },
    };
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
    options: SendOptions,
    id: number | undefined,
  ): Sent {
    const marks = this.#options.marks();
    if (isStream(content)) return this.#sendStream(topic, content, options, id, marks);
    const link = this.#openLink;
    if (link !== undefined && marks === undefined && isPlain(content, options)) {
      const sent = this.#sendPlain(link, topic, content, options, id);
      if (sent !== undefined) return sent;
    }
    const frame = publicationFrame(topic, content, options, id, marks);
    if (link) return link.send(frame);
    const sent = this.#waiting.add(frame, id);
    if (sent === undefined) throw bufferFull(topic, this.#options.maxBufferedBytes);
    return sent;
  }

  /** Sends with an encoded head; `undefined`, and nothing is sent, if it cannot be done so. */
  #sendPlain(
    link: ClientLink,
    topic: string,
    content: Uint8Array | string,
    { replyTo, okIf, stored }: SendOptions,
    id: number | undefined,
  ): Sent | undefined {
    const isReply = this.#heads.isReply(topic);
    const heads = isReply ? this.#heads.any : this.#heads.find(topic);
    if (heads === undefined) return undefined;
    let fields = isReply ? `,"topic":"${topic}"` : "";
    if (stored !== undefined) {
      const { messageId, expectSeq } = stored;
      if (!isPlainText(messageId)) return undefined;
      fields += `,"stored":true,"msg-id":"${messageId}"`;
      if (expectSeq !== undefined) fields += `,"expect-seq":${expectSeq}`;
    }
    if (id !== undefined) fields += `,"id":${id}`;
    if (replyTo !== undefined) {
      // Others may have letters that have to be escaped.
      if (!this.#heads.isReply(replyTo)) return undefined;
      fields += `,"reply-to":"${replyTo}"`;
      if (okIf !== undefined) fields += `,"ok-if":"${okIf}"`;
    }
    return link.sendHead(heads.of(content), content, fields === "" ? undefined : fields);
  }

  #sendStream(
    topic: string,
    content: StreamedFrame,
    options: SendOptions,
    id: number | undefined,
    marks: HeaderInit | undefined,
  ): Sent {
    const { maxBufferedBytes, streamTimeoutMs } = this.#options;
    const frame = streamFrame(topic, content, options, id, marks);
    const stream = new OutgoingStream(frame, streamTimeoutMs);
    const link = this.#openLink;
    if (link) return link.sendStream(stream);
    const sent = this.#waiting.addStream(stream, id);
    if (sent !== undefined) return sent;
    const error = bufferFull(topic, maxBufferedBytes);
    stream.cancel(error);
    throw error;
  }

  #checkPublication(topic: string, content: PublishContent, options: PublishOptions): void {
    if (typeof options !== "object" || options === null) checkGiven("options", options, "object");
    const { replyTo } = options;
    if (!this.#isTopic(topic)) throw badTopic(topic);
    if (replyTo !== undefined && !this.#isTopic(replyTo)) throw badTopic(replyTo);
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

  #isTopic(topic: string): boolean {
    return typeof topic === "string" && this.#heads.isReply(topic) ||
      this.#heads.find(topic) !== undefined;
  }
}

/**
 * Whether only the topic, an id and a topic for replies make up the header, and the content needs no
 * closer look.
 */
function isPlain(
  content: Uint8Array | string,
  { contentType, retain, fields }: PublishOptions,
): boolean {
  return contentType === undefined && fields === undefined &&
    (retain === undefined || retain === false) &&
    (typeof content === "string" || content instanceof Uint8Array && content.length > 0);
}

/** Whether a text is ASCII that JSON writes as it is. */
function isPlainText(text: string): boolean {
  return typeof text === "string" && /^[ !#-[\]-~]*$/.test(text);
}

function badTopic(topic: string): PubSubError {
  const message = `Cannot publish to ${topicName(topic)}: ${topicProblem(topic)}`;
  return new PubSubError("bad-topic", message, { topic });
}
