import { AckPolicy, type ConsumerConfig, DeliverPolicy } from "@nats-io/jetstream";
import { type Msg, nuid } from "@nats-io/transport-node";
import { ByteBuffer } from "../../../../base/byte_buffer.ts";
import { Condition } from "../../../../base/condition.ts";
import { sleep } from "../../../../base/sleep.ts";
import { StreamError } from "../../streams/stream_error.ts";
import type {
  ReadBatch,
  ReaderInit,
  StreamReader,
  StreamStart,
} from "../../streams/stream_store.ts";
import { TopicMatcher } from "../../streams/topic_matcher.ts";
import { subjectsWithin, subjectWithin } from "./filters.ts";
import { MAX_BATCH_BYTES, PullSource } from "./pull_source.ts";
import { NANOS } from "./stream_config.ts";
import { deliveredOf, type StoredMessages } from "./stored_messages.ts";
import type { StreamsHost } from "./streams_host.ts";

/** Messages that are asked for at one time, and how few may be left before more are. */
const PULL = 1_000;
const FEW = 500;

/** How long JetStream keeps the place of a reader that does not ask for more. */
const IDLE_MS = 60_000;

/** How long to wait for messages that a server has not got yet. */
const BEHIND_MS = 100;

/** How long to wait before JetStream is asked again that did not answer. */
const RETRY_MS = 500;

/** The last time that JetStream can be given: the end of the year 9999. */
const MAX_TIME_MS = 253_402_300_799_000;

/**
 * Reads a stream by a consumer of JetStream that lasts as long as the reader. It is made anew, behind
 * the last message, when the server that had it is gone.
 */
export class JetStreamReader implements StreamReader {
  next = 1;
  caughtUp = false;
  readonly #host: StreamsHost;
  readonly #messages: StoredMessages;
  readonly #init: ReaderInit;
  readonly #matcher: TopicMatcher;
  readonly #closing = new AbortController();
  #source: PullSource | undefined;
  #consumer = "";
  /** What came, for the next batch; and the memory of the last one. */
  #out = new ByteBuffer();
  #spare = new ByteBuffer();
  #count = 0;
  /** Numbers that were passed over without a message: the first of them, and the one behind. */
  readonly #gaps: (readonly [from: number, to: number])[] = [];
  /** Up to this number only the last message of each topic comes; 0 if all do. */
  #lastUntil = 0;
  /** The last message when it began, and the subjects of those that it gets. */
  #lastSeq = 0;
  #subjects: readonly string[] = [];
  /** Whether the server that it is read from had nothing more. */
  #isDrained = false;
  #isLost = false;
  #error: StreamError | undefined;
  readonly #more = new Condition();

  private constructor(host: StreamsHost, messages: StoredMessages, init: ReaderInit) {
    this.#host = host;
    this.#messages = messages;
    this.#init = init;
    this.#matcher = new TopicMatcher(init.topic);
  }

  /** @throws {StreamError} `no-stream`, `unavailable`. */
  static async begin(
    host: StreamsHost,
    messages: StoredMessages,
    init: ReaderInit,
  ): Promise<JetStreamReader> {
    const reader = new JetStreamReader(host, messages, init);
    await reader.#begin(init.start);
    return reader;
  }

  get stream(): string {
    return this.#init.stream;
  }

  async read(): Promise<ReadBatch | undefined> {
    this.#spare.clear();
    while (!this.#closing.signal.aborted) {
      if (this.#error) throw this.#error;
      if (this.#count > 0) return await this.#batch();
      if (this.#isLost) await this.#resume();
      else if (!this.caughtUp && this.#isDrained && await this.#isAtEnd()) {
        return await this.#catchUp();
      } else {
        this.#pull();
        // The server that it is read from may be behind the others: then it is asked again.
        const isBehind = !this.caughtUp && this.#isDrained;
        const timer = isBehind ? setTimeout(() => this.#more.notify(), BEHIND_MS) : undefined;
        await this.#more.wait();
        clearTimeout(timer);
      }
    }
    return undefined;
  }

  /** Called periodically. */
  look(now: number): void {
    this.#source?.look(now);
  }

  /** Begins anew behind the last message: the connection was made again. */
  reconnected(): void {
    this.#source?.forget();
  }

  /** The stream is gone. */
  deleted(): void {
    this.#error = new StreamError("no-stream", `The stream ${this.stream} was deleted`);
    this.#more.notify();
  }

  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#more.notify();
    this.#end();
    this.#host.readerClosed(this);
  }

  async #begin(start: StreamStart): Promise<void> {
    const { stream, topic } = this.#init;
    const { api } = this.#host;
    const tried = `Cannot read the stream ${JSON.stringify(stream)}`;
    const { config, state } = await api.do(tried, (manager) => manager.streams.info(stream));
    const { subjects } = config;
    const within = topic === undefined ? undefined : subjectWithin(topic, subjects);
    const name = nuid.next();
    const consumer = await api.do(tried, (manager) =>
      manager.consumers.add(stream, {
        name,
        ack_policy: AckPolicy.None,
        mem_storage: true,
        num_replicas: 1,
        inactive_threshold: IDLE_MS * NANOS,
        ...startOf(start),
        filter_subject: within ?? (subjects.length === 1 ? subjects[0]! : ">"),
      }));
    this.#consumer = name;
    this.#lastSeq = state.last_seq;
    if ("from" in start && start.from === "last") this.#lastUntil = state.last_seq;
    const first = "fromSeq" in start
      ? start.fromSeq
      : this.#lastUntil > 0
      ? state.first_seq
      : (consumer.delivered?.stream_seq ?? 0) + 1;
    this.next = Math.max(this.next, first);
    this.#isDrained ||= consumer.num_pending === 0;
    this.#subjects = topic === undefined ? [">"] : subjectsWithin(topic, subjects);
    this.#isLost = false;
    this.#source = new PullSource(this.#host.link, stream, name, {
      message: (message) => this.#take(message),
      ended: (isGone) => {
        this.#isLost ||= isGone;
        this.#more.notify();
      },
    });
    if (this.#closing.signal.aborted) this.#end();
  }

  /** Makes the consumer again. */
  async #resume(): Promise<void> {
    this.#end();
    const isLast = this.next <= this.#lastUntil;
    try {
      await this.#begin(isLast ? { from: "last" } : { fromSeq: this.next });
    } catch (error) {
      if ((error as StreamError).code !== "unavailable") throw error;
      await sleep(RETRY_MS, this.#closing.signal);
    }
  }

  #pull(): void {
    const { asked } = this.#source!;
    if (asked < FEW && this.#out.length < MAX_BATCH_BYTES) this.#source!.pull(PULL);
  }

  #take(message: Msg): void {
    const { seq, time, pending } = deliveredOf(message.reply!);
    if (pending === 0) this.#isDrained = true;
    if (seq >= this.next) {
      if (seq > this.next && this.next > this.#lastUntil) this.#gaps.push([this.next, seq]);
      this.next = seq + 1;
      if (this.#matcher.matches(message.subject)) {
        const { sid, stream } = this.#init;
        const tail = `,"sid":${sid},"stream":"${stream}","time":${time},"seq":${seq}}`;
        this.#messages.write(this.#out, message, tail);
        this.#count++;
      }
    }
    if (this.#count > 0 || this.#isDrained || this.#source!.asked === 0) this.#more.notify();
  }

  async #batch(): Promise<ReadBatch> {
    this.#pull();
    const missed = this.#gaps.length > 0 ? await this.#missed() : 0;
    const bytes = this.#out.view();
    const count = this.#count;
    [this.#out, this.#spare] = [this.#spare, this.#out];
    this.#count = 0;
    return { bytes, count, missed };
  }

  /** How many of the numbers that were passed over are those of messages that are no longer kept. */
  async #missed(): Promise<number> {
    const gaps = this.#gaps.splice(0);
    const first = await this.#host.firstSeq(this.stream);
    return gaps.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(first, to) - from), 0);
  }

  /**
   * Whether all is read that was stored when the reader began. The servers that keep the stream may
   * not have the same yet; what its leader has counts.
   */
  async #isAtEnd(): Promise<boolean> {
    if (this.next > this.#lastSeq) return true;
    const { next } = this;
    for (const subject of this.#subjects) {
      const left = await this.#host.nextSeq(this.stream, next, subject);
      if (left !== undefined && left <= this.#lastSeq) return false;
    }
    return this.next === next;
  }

  async #catchUp(): Promise<ReadBatch> {
    this.caughtUp = true;
    let missed = 0;
    if (this.#lastSeq >= this.next) {
      if (this.next > this.#lastUntil) this.#gaps.push([this.next, this.#lastSeq + 1]);
      this.next = this.#lastSeq + 1;
      if (this.#gaps.length > 0) missed = await this.#missed();
    }
    return { bytes: new Uint8Array(0), count: 0, missed };
  }

  #end(): void {
    const consumer = this.#consumer;
    this.#source?.cut();
    this.#source = undefined;
    if (consumer === "") return;
    this.#consumer = "";
    const { stream } = this.#init;
    void this.#host.api.do("", (manager) => manager.consumers.delete(stream, consumer))
      .catch(() => {});
  }
}

/** Where a consumer of JetStream begins. */
export function startOf(start: StreamStart): Partial<ConsumerConfig> {
  if ("fromSeq" in start) {
    return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: start.fromSeq };
  }
  if ("fromTimeMs" in start) {
    const time = new Date(Math.min(start.fromTimeMs, MAX_TIME_MS)).toISOString();
    return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: time };
  }
  switch (start.from) {
    case "all":
      return { deliver_policy: DeliverPolicy.All };
    case "last":
      return { deliver_policy: DeliverPolicy.LastPerSubject };
    case "new":
      return { deliver_policy: DeliverPolicy.New };
  }
}
