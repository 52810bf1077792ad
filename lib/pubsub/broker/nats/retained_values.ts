import type { MsgHdrs } from "@nats-io/transport-node";
import {
  type ConsumerMessages,
  DeliverPolicy,
  jetstream,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  type JsMsg,
  type StreamConfig,
} from "@nats-io/jetstream";
import { ByteBuffer, type Frame } from "../../../frame/mod.ts";
import { before } from "../../../base/before.ts";
import { messageOf } from "../../../base/message_of.ts";
import { sleep } from "../../../base/sleep.ts";
import type { Refusal } from "../../protocol/codes.ts";
import type { BackplaneHost } from "../backplane.ts";
import { writeMessageFrame } from "./message_frame.ts";
import { headerLines, ORIGIN } from "./message_headers.ts";
import type { NatsLink } from "./nats_link.ts";
import { fieldsOfDelivered } from "./official_headers.ts";
import { addReplicated, JetStreamApi, SPREAD_MS, WRONG_LAST } from "./streams/jetstream_api.ts";
import { quorumProblem } from "./streams/quorum.ts";

/** The stream of the retained values: the last one of each topic. */
const STREAM = "socktool_retained";

/** What stands before the topic in its subjects. */
const PREFIX = "_socktool.retained.";

/** How long an answer of JetStream may take. */
const REQUEST_MS = 3_000;

/** How long a subscription waits for values that are stored already. */
const CATCH_UP_MS = 5_000;

/** How often the server that reads the stream for this gateway has to show that it is alive. */
const HEARTBEAT_MS = 1_000;

/** How long to wait before JetStream is asked again: while it answers, and while it does not. */
const CHECK_MS = 2_000;
const RETRY_MS = 500;

const STREAM_NOT_FOUND = 404;

const encoder = new TextEncoder();

/**
 * Has a value stored only if this is still the number of its subject's last message. Otherwise one that
 * lay at a server that was stopped would be stored late, and take the place of newer ones.
 */
const EXPECTED = "Nats-Expected-Last-Subject-Sequence";

/** Topics of which the number of the last value is remembered. */
const MAX_LAST = 16_384;

/** What JetStream answers to a value. */
interface Answer {
  readonly seq?: number;
  readonly error?: { readonly err_code: number; readonly description: string };
}

/**
 * The last values of topics, in a stream of JetStream that all gateways read and hold in memory. A
 * value is stored before it is published: so a subscription that begins after that finds it there.
 */
export class RetainedValues {
  readonly #link: NatsLink;
  readonly #api: JetStreamApi;
  readonly #name: string;
  readonly #host: BackplaneHost;
  readonly #closing = new AbortController();
  /** The stream's last message that was applied; `undefined` while the stream is not read. */
  #seq: number | undefined;
  /** Where reading stood at the last look, if it was behind the stream. */
  #behindAt: number | undefined;
  #spreadAt = 0;
  /** By topic: what is being stored last. */
  readonly #storing = new Map<string, Promise<Refusal | undefined>>();
  /** By topic: the number of its last value. Of those that were stored here of late. */
  readonly #last = new Map<string, number>();
  #manager: JetStreamManager | undefined;
  #reading: ConsumerMessages | undefined;
  /** How often reading was begun. */
  #readings = 0;
  /** Who waits until a message was applied. */
  readonly #waiting = new Set<{ readonly seq: number; readonly resolve: () => void }>();
  #checking: Promise<void> | undefined;
  /** Why nothing can be stored; `undefined` if it can. */
  #problem: string | undefined = "it has not answered yet";
  /** Whether the servers have JetStream at all. */
  #isEnabled = false;
  readonly #running: Promise<void>;

  /** @param name This start of this gateway. */
  constructor(link: NatsLink, name: string, host: BackplaneHost) {
    this.#link = link;
    this.#api = new JetStreamApi(link);
    this.#name = name;
    this.#host = host;
    this.#running = this.#run();
  }

  /**
   * Stores a value, or with an empty one forgets the topic's. It is applied here when it comes back.
   *
   * @returns Why it is refused, if it is.
   */
  async store(topic: string, frame: Frame): Promise<Refusal | undefined> {
    const until = performance.now() + REQUEST_MS;
    const storing = this.#inTurn(this.#storing.get(topic), topic, frame, until);
    this.#storing.set(topic, storing);
    const refusal = await storing;
    if (this.#storing.get(topic) === storing) this.#storing.delete(topic);
    return refusal;
  }

  /** Stores a value behind another one of its topic. @param until When it is too late to begin. */
  async #inTurn(
    other: Promise<unknown> | undefined,
    topic: string,
    { header, content }: Frame,
    until: number,
  ): Promise<Refusal | undefined> {
    await other;
    if (this.#problem !== undefined || !this.#link.connected) return this.#unavailable();
    const lines = `${headerLines(header)}${ORIGIN}: ${this.#name} 0 0\r\n`;
    try {
      while (performance.now() < until) {
        const { connection } = this.#link;
        const before = this.#last.get(topic) ?? await this.#lastOf(topic);
        const bytes = encoder.encode(`NATS/1.0\r\n${EXPECTED}: ${before}\r\n${lines}\r\n`);
        const { max_payload: most = Infinity } = connection.info ?? {};
        if (bytes.length + content.length > most) return tooLarge(content.length, most);
        const answer = await connection.request(`${PREFIX}${topic}`, content.slice(), {
          headers: { encode: () => bytes } as unknown as MsgHdrs,
          timeout: REQUEST_MS,
        });
        const { error, seq } = answer.json<Answer>();
        if (error?.err_code === WRONG_LAST) {
          this.#last.delete(topic);
          continue;
        }
        if (error) return this.#unavailable(error.description);
        if (seq !== undefined) {
          this.#noteLast(topic, seq);
          await this.#applied(seq);
        }
        return undefined;
      }
      return this.#unavailable("it has not got its turn in time");
    } catch (error) {
      return this.#unavailable(messageOf(error));
    }
  }

  /** Why nothing can be stored for the moment; `undefined` if it can, or never could. */
  get lack(): string | undefined {
    return this.#isEnabled ? this.#problem : undefined;
  }

  /** Resolves once what is stored at this moment has been applied, if that does not take long. */
  caughtUp(): Promise<void> {
    if (this.#manager === undefined || this.#seq === undefined) return Promise.resolve();
    return this.#checking ??= this.#catchUp(this.#manager);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#reading?.close();
    await this.#running;
  }

  #unavailable(why = this.#problem ?? "there is no connection"): Refusal {
    const message =
      `Cannot retain it: JetStream, which keeps retained values, is unavailable: ${why}`;
    return { code: "unavailable", message };
  }

  /** The number of the last value of a topic, as the stream's leader has it; 0 if there is none. */
  async #lastOf(topic: string): Promise<number> {
    const query = { last_by_subj: `${PREFIX}${topic}` };
    const stored = await this.#api.messageOf("Cannot read a retained value", STREAM, query);
    return stored?.seq ?? 0;
  }

  #noteLast(topic: string, seq: number): void {
    if (seq < (this.#last.get(topic) ?? 0)) return;
    this.#last.delete(topic);
    if (this.#last.size >= MAX_LAST) this.#last.delete(this.#last.keys().next().value!);
    this.#last.set(topic, seq);
  }

  async #catchUp(manager: JetStreamManager): Promise<void> {
    // Whoever asks from here on needs another answer.
    await Promise.resolve();
    this.#checking = undefined;
    const work = this.#readOn(manager);
    // While it cannot be asked, those who subscribe do not wait until that is clear once more.
    await (this.lack === undefined ? work : before(work, RETRY_MS));
  }

  async #readOn(manager: JetStreamManager): Promise<void> {
    try {
      const { state } = await manager.streams.info(STREAM);
      await this.#applied(state.last_seq);
    } catch {
      // Without a quorum nobody can tell: what is known counts.
    }
  }

  async #applied(seq: number): Promise<void> {
    if (this.#seq === undefined || this.#seq >= seq) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = { seq, resolve };
    this.#waiting.add(waiting);
    const timer = setTimeout(resolve, CATCH_UP_MS);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(waiting);
  }

  /** Begins once it can, and asks again and again whether the stream still has a quorum. */
  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        const manager = this.#manager ?? await this.#begin();
        this.#problem = await this.#look(manager);
        this.#isEnabled = true;
      } catch (error) {
        this.#problem = messageOf(error);
        // What a server without JetStream says is not what one says that has lost the others.
        if (error instanceof JetStreamApiError) this.#isEnabled = true;
      }
      await sleep(this.#problem === undefined ? CHECK_MS : RETRY_MS, signal);
    }
  }

  /** Looks after the stream. @returns Why nothing can be stored in it, if that is so. */
  async #look(manager: JetStreamManager): Promise<string | undefined> {
    const info = await manager.streams.info(STREAM);
    const problem = quorumProblem(info);
    if (problem !== undefined) return problem;
    await this.#lookAtReading(manager, info.state.last_seq);
    await this.#spread(info.config);
    return undefined;
  }

  /** The consumer that reads the stream is not always made again when its server has died. */
  async #lookAtReading(manager: JetStreamManager, last: number): Promise<void> {
    const isBehind = this.#seq !== undefined && this.#seq < last;
    const isStuck = isBehind && this.#seq === this.#behindAt;
    this.#behindAt = isBehind ? this.#seq : undefined;
    if (isStuck) await this.#read(manager);
  }

  /** A stream that was made while only one server was there is kept by more once they are. */
  async #spread(config: StreamConfig): Promise<void> {
    const now = performance.now();
    if (now < this.#spreadAt) return;
    if (await this.#api.spread(config)) this.#spreadAt = now + SPREAD_MS;
  }

  async #begin(): Promise<JetStreamManager> {
    const options = { timeout: REQUEST_MS };
    const manager = await jetstreamManager(this.#link.connection, options);
    await ensureStream(manager);
    await this.#read(manager);
    return this.#manager = manager;
  }

  /** Begins to read. The reader asks again for what is lost on the way, also with a connection. */
  async #read(manager: JetStreamManager): Promise<void> {
    this.#reading?.close().catch(() => {
      // It reads no more.
    });
    const { state } = await manager.streams.info(STREAM);
    const consumer = await jetstream(this.#link.connection).consumers.get(STREAM, {
      deliver_policy: DeliverPolicy.LastPerSubject,
    });
    this.#seq = state.messages === 0 ? state.last_seq : 0;
    const number = ++this.#readings;
    this.#reading = await consumer.consume({
      callback: (message) => {
        if (number === this.#readings) this.#apply(message);
      },
      expires: 4 * HEARTBEAT_MS,
      idle_heartbeat: HEARTBEAT_MS,
    });
    await this.#applied(state.last_seq);
  }

  #apply(message: JsMsg): void {
    const { subject, seq, data } = message;
    const topic = subject.slice(PREFIX.length);
    if (data.length === 0) this.#host.retained(topic, undefined);
    else {
      const buffer = new ByteBuffer(256 + data.length);
      const fields = fieldsOfDelivered(message);
      writeMessageFrame(buffer, topic, { data, fields }, new Map());
      this.#host.retained(topic, buffer.view());
    }
    this.#seq = seq;
    if (this.#last.has(topic)) this.#noteLast(topic, seq);
    for (const waiting of this.#waiting) if (waiting.seq <= seq) waiting.resolve();
  }
}

function tooLarge(length: number, most: number): Refusal {
  const message =
    `Cannot retain a content of ${length} bytes with its headers: the max_payload of ` +
    `the NATS server is ${most} bytes`;
  return { code: "frame-too-large", message };
}

/** Makes the stream if there is none, on one server where there are not enough for more. */
async function ensureStream(manager: JetStreamManager): Promise<void> {
  const config = { name: STREAM, subjects: [`${PREFIX}>`], max_msgs_per_subject: 1 };
  try {
    await manager.streams.info(STREAM);
    return;
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.status !== STREAM_NOT_FOUND) throw error;
  }
  await addReplicated(manager, config);
}
