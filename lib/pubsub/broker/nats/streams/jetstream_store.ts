import type { StreamConfig } from "@nats-io/jetstream";
import { before } from "../../../../base/before.ts";
import { messageOf } from "../../../../base/message_of.ts";
import { PeriodicLook } from "../../../../base/periodic_look.ts";
import { sleep } from "../../../../base/sleep.ts";
import type { Frame } from "../../../../frame/mod.ts";
import type { BackplaneHost } from "../../backplane.ts";
import { selectedNames } from "../../streams/consumer_settings.ts";
import { DEAD_LETTERS } from "../../streams/dead_letter.ts";
import { StreamError } from "../../streams/stream_error.ts";
import { refuseSystemStream } from "../../streams/stream_settings.ts";
import type {
  ConsumerFigures,
  ConsumerMember,
  ConsumerSelection,
  MemberInit,
  OnStored,
  ReaderInit,
  Settlement,
  StreamFigures,
  StreamReader,
  StreamSettings,
  StreamStart,
  StreamStore,
  StreamStoreEvents,
  StreamTotals,
} from "../../streams/stream_store.ts";
import { NO_TOTALS } from "../../streams/stream_topics.ts";
import type { CoreLink } from "../core_link.ts";
import { deliverBytes } from "../frame_batch.ts";
import type { NatsLink } from "../nats_link.ts";
import type { TopicCounters } from "../topic_counters.ts";
import { Announcements } from "./announcements.ts";
import { JetStreamAppender } from "./appender.ts";
import { ConsumerCatalog } from "./consumer_catalog.ts";
import { DeadLetters } from "./dead_letters.ts";
import { DeliveryNumbers } from "./delivery_numbers.ts";
import { JetStreamApi, SPREAD_MS } from "./jetstream_api.ts";
import type { ConsumerHost } from "./delivery_settler.ts";
import { JetStreamReader } from "./jetstream_reader.ts";
import { StoredMessages } from "./stored_messages.ts";
import { StreamCatalog } from "./stream_catalog.ts";
import { isSweptByUs } from "./stream_config.ts";
import { Sweeper } from "./sweeper.ts";

/** How often streams and consumers are looked at: while JetStream answers, and while it does not. */
const LOOK_MS = 2_000;
const RETRY_MS = 500;

/** How often it is looked for what has taken too long. */
const TICK_MS = 250;

/** How long a broker that starts waits until it knows the streams. */
const OPEN_MS = 2_000;

/** How long work that is under way may take when the store is closed. */
const CLOSE_MS = 2_000;

/** Keeps streams in JetStream, together with all other gateways. */
export class JetStreamStore implements StreamStore {
  readonly carries = true;
  readonly failure = undefined;
  events: StreamStoreEvents | undefined;
  totals: StreamTotals = NO_TOTALS;
  readonly #core: CoreLink;
  readonly #api: JetStreamApi;
  readonly #appender: JetStreamAppender;
  readonly #catalog: StreamCatalog;
  readonly #consumers: ConsumerCatalog;
  readonly #messages = new StoredMessages();
  readonly #sweeper: Sweeper;
  readonly #readers = new Set<JetStreamReader>();
  readonly #busy = new Set<Promise<void>>();
  readonly #host: ConsumerHost;
  readonly #closing = new AbortController();
  readonly #tick = new PeriodicLook(TICK_MS, (now) => this.#look(now));
  #announcements: Announcements | undefined;
  /** Streams that were made before others could be told. */
  readonly #untold = new Map<string, StreamConfig>();
  #deliver: ((frame: Uint8Array<ArrayBuffer>) => void) | undefined;
  #running: Promise<void> | undefined;
  #problem: string | undefined;
  /** Whether JetStream has ever answered. */
  #isEnabled = false;
  #spreadAt = 0;

  /**
   * @param core Publishes, and tells other gateways.
   * @param link Reads, and asks JetStream.
   * @param gateway Names this start of this gateway.
   * @param counters Count what `core` publishes.
   */
  constructor(core: CoreLink, link: NatsLink, gateway: string, counters: TopicCounters) {
    this.#core = core;
    const api = this.#api = new JetStreamApi(link);
    this.#appender = new JetStreamAppender(core, gateway, counters);
    this.#catalog = new StreamCatalog(api, {
      topicsChanged: () => this.events?.topicsChanged(),
      deleted: (name) => this.#deleted(name),
      announce: async (stream, config) => {
        if (this.#announcements) await this.#announcements.tell({ stream, config: config ?? null });
        else if (config) this.#untold.set(stream, config);
      },
    });
    const catalog = this.#catalog;
    const busy = (work: Promise<void>) => this.#work(work);
    const deadLetters = new DeadLetters(
      api,
      this.#appender,
      this.#messages,
      () => catalog.needDeadLetters(),
      (frame) => this.#deliver?.(frame),
    );
    this.#host = {
      link,
      api,
      deadLetters,
      messages: this.#messages,
      numbers: new DeliveryNumbers(),
      firstSeq: async (stream) => {
        const info = await catalog.info(stream).catch(() => undefined);
        return Math.max(1, info?.state.first_seq ?? 1);
      },
      nextSeq: (stream, seq, subject) => api.nextSeq(stream, seq, subject),
      knownFirst: (stream) => catalog.streams.get(stream)?.firstSeq ?? 1,
      isSwept: (stream) => isSwept(catalog, stream),
      acknowledged: (stream) => {
        if (isSwept(catalog, stream)) this.#sweeper.soon(stream);
      },
      readerClosed: (reader) => this.#readers.delete(reader as JetStreamReader),
      busy,
    };
    this.#consumers = new ConsumerCatalog(
      this.#host,
      catalog,
      async (stream, consumer, change) => {
        await this.#announcements?.tell({ stream, consumer, change });
      },
    );
    this.#sweeper = new Sweeper(api, this.#consumers, busy);
  }

  /** Learns which streams there are, if JetStream tells within a short time. */
  async open(): Promise<void> {
    await before(this.#lookAtAll().catch(() => {}), OPEN_MS);
  }

  /**
   * Begins to look at the streams.
   *
   * @param inForce Resolves once all other gateways have got what was published before.
   */
  start(host: BackplaneHost, inForce: () => Promise<unknown>): void {
    this.#deliver = (frame) => deliverBytes(host, frame);
    this.#announcements = new Announcements(this.#core, {
      streamChanged: (name, config) => this.#catalog.announced(name, config),
      consumerChanged: (stream, consumer, change) =>
        this.#consumers.announced(stream, consumer, change),
    }, inForce);
    for (const [stream, config] of this.#untold) {
      this.#work(this.#announcements.tell({ stream, config }));
    }
    this.#untold.clear();
    this.#tick.start();
    this.#running = this.#run();
  }

  /** Why nothing can be stored for the moment; `undefined` if it can, or never could. */
  get lack(): string | undefined {
    return this.#isEnabled ? this.#problem : undefined;
  }

  get streams(): ReadonlyMap<string, StreamFigures> {
    return this.#catalog.streams;
  }

  async figures(name?: string): Promise<readonly StreamFigures[]> {
    if (name === undefined) {
      await this.#catalog.look();
      return [...this.streams.values()];
    }
    try {
      await this.#catalog.info(name);
      await this.#consumers.look(name);
    } catch (error) {
      if ((error as StreamError).code !== "no-stream") throw error;
    }
    const figures = this.streams.get(name);
    return figures ? [figures] : [];
  }

  streamOf(topic: string, visited: (nodes: number) => void): string | undefined {
    return this.#catalog.streamOf(topic, visited);
  }

  get unseen(): string | undefined {
    return this.#catalog.unseen;
  }

  append(stream: string, frame: Frame, _owner: number, onStored?: OnStored): void {
    this.#appender.store(frame, stream, onStored);
  }

  room(): Promise<void> | undefined {
    return this.#appender.room();
  }

  async create(name: string, settings: StreamSettings): Promise<StreamFigures> {
    refuseSystemStream(name);
    return await this.#catalog.create(name, settings);
  }

  async update(name: string, settings: Partial<StreamSettings>): Promise<StreamFigures> {
    return await this.#catalog.update(name, settings);
  }

  async delete(name: string): Promise<void> {
    refuseSystemStream(name);
    await this.#catalog.info(name);
    const consumers = (await this.#consumers.infos(name)).map((info) => info.name);
    await this.#catalog.delete(name);
    await this.#consumers.forget(name, consumers);
  }

  async purge(
    name: string,
    beforeSeq: number | undefined,
    topic: string | undefined,
  ): Promise<StreamFigures> {
    await this.#catalog.purge(name, beforeSeq, topic);
    return this.streams.get(name)!;
  }

  async read(init: ReaderInit): Promise<StreamReader> {
    await this.#catalog.info(init.stream);
    const reader = await JetStreamReader.begin(this.#host, this.#messages, init);
    this.#readers.add(reader);
    return reader;
  }

  async join(init: MemberInit): Promise<ConsumerMember> {
    return await this.#consumers.join(init);
  }

  async settle(settlement: Settlement): Promise<void> {
    await this.#consumers.settle(settlement);
  }

  async consumers(
    stream: string,
    { only, ...which }: ConsumerSelection = {},
  ): Promise<readonly ConsumerFigures[]> {
    const all = await this.#consumers.list(stream, only);
    const byName = new Map(all.map((figures) => [figures.consumer, figures]));
    return selectedNames(byName.keys(), which).map((name) => byName.get(name)!);
  }

  async deleteConsumer(stream: string, consumer: string): Promise<void> {
    await this.#consumers.delete(stream, consumer);
    if (isSwept(this.#catalog, stream)) this.#sweeper.soon(stream);
  }

  async resetConsumer(
    stream: string,
    consumer: string,
    start: StreamStart,
  ): Promise<ConsumerFigures> {
    return await this.#consumers.reset(stream, consumer, start);
  }

  async redrive(stream: string, consumer: string): Promise<number> {
    return await this.#consumers.redrive(stream, consumer);
  }

  /** Retained values are kept by the gateway itself. */
  takeRetained(): readonly never[] {
    return [];
  }

  retain(): void {}

  backup(): Promise<void> {
    const message = "JetStream keeps the streams: back them up with 'nats stream backup'";
    return Promise.reject(new StreamError("bad-stream", message));
  }

  /** The connection to NATS was made again. */
  reconnected(): void {
    for (const reader of this.#readers) reader.reconnected();
    for (const consumer of this.#consumers.locals) consumer.reconnected();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#tick.stop();
    this.#sweeper.close();
    for (const reader of [...this.#readers]) reader.close();
    this.#consumers.close();
    await before(this.#done(), CLOSE_MS);
    this.#appender.close();
    await this.#running;
  }

  #deleted(name: string): void {
    for (const reader of [...this.#readers]) if (reader.stream === name) reader.deleted();
    this.#consumers.streamDeleted(name);
  }

  /** Resolves once nothing is under way. */
  async #done(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy);
  }

  #work(work: Promise<void>): void {
    const done = work.finally(() => this.#busy.delete(done));
    this.#busy.add(done);
  }

  #look(now: number): void {
    this.#appender.look(now);
    for (const reader of this.#readers) reader.look(now);
    this.#consumers.tick(now);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#lookAtAll();
        this.#isEnabled = true;
        this.#problem = this.#catalog.problem;
        if (this.#problem === undefined) await this.#spread();
      } catch (error) {
        this.#problem = messageOf(error);
      }
      await sleep(this.#problem === undefined ? LOOK_MS : RETRY_MS, signal);
    }
  }

  async #lookAtAll(): Promise<void> {
    await this.#catalog.look();
    for (const [name] of this.streams) {
      try {
        await this.#consumers.look(name);
        if (isSwept(this.#catalog, name)) await this.#sweeper.sweep(name);
      } catch (error) {
        // It was deleted a moment ago.
        if ((error as StreamError).code !== "no-stream") throw error;
      }
    }
    this.totals = this.#sum();
  }

  /** Streams that were made while only one server was there are kept by more once they are. */
  async #spread(): Promise<void> {
    const now = performance.now();
    if (now < this.#spreadAt) return;
    for (const name of this.streams.keys()) {
      const config = this.#catalog.configOf(name);
      if (config && await this.#api.spread(config)) this.#spreadAt = now + SPREAD_MS;
    }
  }

  #sum(): StreamTotals {
    let [streams, messages, bytes, dead] = [0, 0, 0, 0];
    for (const figures of this.streams.values()) {
      if (figures.name === DEAD_LETTERS) dead = figures.count;
      else {
        streams++;
        messages += figures.count;
        bytes += figures.bytes;
      }
    }
    let [consumers, pending, unacked, redelivered, oldestUnackedMs] = [0, 0, 0, 0, 0];
    for (const figures of this.#consumers.all()) {
      consumers++;
      pending += figures.pending;
      unacked += figures.unacked;
      redelivered += figures.redelivered;
      oldestUnackedMs = Math.max(oldestUnackedMs, figures.oldestUnackedMs);
    }
    const counts = { streams, messages, bytes, consumers, pending, unacked, redelivered };
    return { ...counts, dead, oldestUnackedMs };
  }
}

/** Whether gateways remove what a stream's consumers are done with. */
function isSwept(catalog: StreamCatalog, stream: string): boolean {
  const config = catalog.configOf(stream);
  return config !== undefined && isSweptByUs(config);
}
