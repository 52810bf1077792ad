import { Condition } from "../../../base/condition.ts";
import { checkGiven, checkOptions, type OptionKinds } from "../../../base/option_kinds.ts";
import { messageOf } from "../../../base/message_of.ts";
import { guard } from "../../../base/report.ts";
import { type Report, reported } from "../../../base/reported_promise.ts";
import { countOption, FINITE, numericOptions } from "../../../base/numeric_options.ts";
import type { ClientLink } from "../link/client_link.ts";
import type { MessageFrame, Responder } from "../receiving/message.ts";
import type { PendingAnswers } from "../publishing/pending_answers.ts";
import { PubSubError } from "../pubsub_error.ts";
import { HAS_CALLBACK } from "../receiving/client_subscription.ts";
import type { TellError } from "../tell_error.ts";
import { ReadingQueue } from "./reading_queue.ts";
import { Settlements } from "./settlements.ts";
import { checkFrom, consumerFields } from "./stream_fields.ts";
import {
  ConsumedMessage,
  type DeliveryFields,
  placeOf,
  type Settlement,
  type Settler,
} from "./stream_message.ts";
import type { StreamReading, StreamReadings } from "./stream_readings.ts";
import type { ConsumeOptions } from "./stream_types.ts";

/** Messages that a loop has at one time. */
const PREFETCH = 64;

/** A week in milliseconds. */
const MAX_WAIT_MS = 604_800_000;

const LIMITS = {
  concurrency: countOption(1, 1, FINITE),
  prefetch: countOption(undefined, 1, 10_000),
  ackWaitMs: countOption(undefined, 1, MAX_WAIT_MS),
  maxAttempts: countOption(undefined, 0, 1_000_000),
  maxUnacked: countOption(undefined, 1, 10_000),
};

const KINDS: OptionKinds<ConsumeOptions> = {
  filter: "text",
  onMessage: "function",
  onMissed: "function",
};

/** With more waiting than this, each further message gets memory of its own. */
const SHARING_BYTES = 4_194_304;

/** The longest reason of a nack, in UTF-16 units: its UTF-8 has at most 256 bytes. */
const MAX_REASON_LENGTH = 85;

/** What a {@linkcode Consumption} needs of its client. */
export interface ConsumptionHost {
  readonly readings: StreamReadings;
  readonly answers: PendingAnswers;
  readonly responder: Responder;
  readonly tellError: TellError;
}

/**
 * Works off the messages of a stream as a member of a consumer. Either it is iterated over, or its
 * `onMessage` is called. On a new connection it joins again; what was open on the lost one is
 * delivered again.
 */
export class Consumption implements AsyncIterableIterator<ConsumedMessage> {
  readonly #stream: string;
  readonly #consumer: string;
  readonly #options: ConsumeOptions;
  readonly #prefetch: number;
  readonly #host: ConsumptionHost;
  readonly #settlements: Settlements;
  readonly #queue = new ReadingQueue<ConsumedMessage>();
  readonly #reading: StreamReading = {
    request: () => this.#request(),
    confirmed: () => this.#begun = true,
    received: (frame, fields) => this.#received(frame, fields),
    told: ({ op, count }) => {
      if (op !== "missed") return;
      guard(
        `The callback onMissed of ${this.#stream} failed`,
        () => this.#options.onMissed?.(Number(count)),
        this.#host.tellError,
      );
    },
    // What waits is delivered again.
    disconnected: () => this.#queue.clear(),
    ended: (error) => this.#ended(error),
    stop: () => this.stop(),
  };
  /**
   * Resolves when it has ended in order, and rejects with what ended it otherwise. With an `onMessage`
   * and a program that does not await it, the client's `onError` is told instead.
   */
  readonly finished: Promise<void>;
  readonly #finish = Promise.withResolvers<void>();
  /** The connection on which messages come, and what settles those that came on it. */
  #settling: { readonly link: ClientLink; readonly settler: Settler } | undefined;
  #running: Promise<unknown> = Promise.resolve();
  /** Acknowledgements of messages that were worked off, which the broker has not answered. */
  #acknowledging = 0;
  readonly #acknowledged = new Condition();
  #begun = false;
  #isStopping = false;
  #stopped: Promise<void> | undefined;

  /** Begins at once. @throws {TypeError | RangeError} if an option is not what it has to be. */
  constructor(stream: string, consumer: string, options: ConsumeOptions, host: ConsumptionHost) {
    checkGiven("stream", stream, "text");
    checkGiven("consumer", consumer, "text");
    checkOptions(options, KINDS);
    if (options.from !== undefined) checkFrom(options.from);
    const { concurrency, prefetch } = numericOptions(LIMITS, options);
    this.#stream = stream;
    this.#consumer = consumer;
    this.#options = options;
    this.#prefetch = prefetch ?? (options.onMessage ? 2 * concurrency : PREFETCH);
    this.#host = host;
    this.#settlements = new Settlements(host.answers, stream, consumer);
    this.finished = reported(this.#finish.promise, (error) => this.#reportEnd(error));
    host.readings.start(this.#reading).catch((error) => this.#ended(error));
    if (options.onMessage) {
      const { onMessage } = options;
      this.#running = Promise.all(Array.from({ length: concurrency }, () => this.#work(onMessage)));
    }
  }

  /** Whether the broker has agreed to it, on this connection or one before. */
  get begun(): boolean {
    return this.#begun;
  }

  /**
   * The next message; done when it ended.
   *
   * @throws {PubSubError} what ended it otherwise.
   * @throws {TypeError} if it has an `onMessage`.
   */
  next(): Promise<IteratorResult<ConsumedMessage, undefined>> {
    if (this.#options.onMessage !== undefined) return Promise.reject(new TypeError(HAS_CALLBACK));
    return this.#queue.next();
  }

  /** Ends it, as {@linkcode Consumption.stop} does. */
  async return(): Promise<IteratorResult<ConsumedMessage, undefined>> {
    await this.stop();
    return { done: true, value: undefined };
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * Ends it in order: waits until calls of `onMessage` have returned, and gives back what was not
   * taken or not acknowledged.
   */
  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  async #stop(): Promise<void> {
    this.#isStopping = true;
    this.#queue.clear();
    this.#queue.end();
    await this.#running;
    this.#settlements.send();
    if (this.#acknowledging > 0) await this.#acknowledged.wait();
    await this.#host.readings.end(this.#reading);
    this.#finish.resolve();
  }

  #request(): ReturnType<StreamReading["request"]> {
    const name = { stream: this.#stream, consumer: this.#consumer, prefetch: this.#prefetch };
    const asked = { ...name, ...consumerFields(this.#options), runs: true };
    return { op: "consume", fields: asked };
  }

  #received(frame: MessageFrame, fields: DeliveryFields): void {
    if (this.#isStopping) return;
    const link = this.#host.readings.link!;
    if (this.#settling?.link !== link) {
      const settler: Settler = {
        settle: (...order) => this.#settle(link, ...order),
        refused: (...refusal) => this.#refused(...refusal),
      };
      this.#settling = { link, settler };
    }
    placeOf(fields.seq);
    placeOf(fields.delivery);
    // A message keeps the whole memory of its read alive, even if the rest of that is not wanted.
    if (this.#queue.bytes > SHARING_BYTES) frame.detach();
    const { responder } = this.#host;
    const { settler } = this.#settling;
    this.#queue.push(new ConsumedMessage(frame, fields, responder, settler), frame.buffer);
    // The broker counts at most `prefetch` as open: it has given the oldest up, and delivers it again.
    if (this.#queue.length > this.#prefetch) this.#queue.shift();
  }

  #ended(error: unknown): void {
    this.#queue.clear();
    this.#queue.end(error);
    this.#finish.reject(error);
  }

  #reportEnd(error: unknown): void {
    // Whoever iterates is told by the iteration; that the whole client is closed is told elsewhere, once.
    const isTold = error instanceof PubSubError && error.code === "closed";
    if (this.#options.onMessage === undefined || isTold) return;
    this.#host.tellError(error, `The consumption of ${this.#stream} ended`);
  }

  #settle(
    link: ClientLink,
    ...[kind, message, options]: Parameters<Settler["settle"]>
  ): Promise<void> {
    if (link === this.#host.readings.link) {
      const report = this.#reportOf(kind, message);
      return this.#settlements.settle(kind, message.delivery, link, options, report);
    }
    const { stream, seq, topic } = message;
    const text = `The connection on which ${stream}:${seq} came is lost: it is delivered again`;
    return this.#refused(kind, message, new PubSubError("stale-ack", text, { topic }));
  }

  #refused(kind: Settlement, message: ConsumedMessage, error: unknown): Promise<void> {
    return reported(Promise.reject(error), this.#reportOf(kind, message));
  }

  #reportOf(kind: Settlement, { stream, seq }: ConsumedMessage): Report {
    return (error) => this.#host.tellError(error, `The ${kind} of ${stream}:${seq} failed`);
  }

  async #work(onMessage: (message: ConsumedMessage) => unknown): Promise<void> {
    while (true) {
      const { value: message } = await this.#queue.next().catch(() => ({ value: undefined }));
      // One that it was given and did not begin to work on goes back as the others do.
      if (message === undefined || this.#isStopping) return;
      try {
        await onMessage(message);
        if (!message.decided) this.#acknowledge(message);
      } catch (error) {
        this.#failed(error);
        if (message.settled) continue;
        const text = messageOf(error);
        const reason = text.toWellFormed().slice(0, MAX_REASON_LENGTH).toWellFormed() || undefined;
        await message.nack({ reason }).catch(() => {});
      }
    }
  }

  /** Acknowledges without waiting: the next message is worked on while the broker writes. */
  #acknowledge(message: ConsumedMessage): void {
    this.#acknowledging++;
    message.ack().then(this.#acked, this.#notAcked);
  }

  readonly #acked = (): void => {
    if (--this.#acknowledging === 0) this.#acknowledged.notify();
  };

  readonly #notAcked = (error: unknown): void => {
    this.#failed(error);
    this.#acked();
  };

  #failed(error: unknown): void {
    this.#host.tellError(error, `A message of ${this.#stream} was not worked off`);
  }
}
