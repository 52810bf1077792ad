import type { PurgeOpts, StreamConfig, StreamInfo } from "@nats-io/jetstream";
import { messageOf } from "../../../../base/message_of.ts";
import { quote } from "../../../protocol/quote.ts";
import { DEAD_LETTERS } from "../../streams/dead_letter.ts";
import { StreamError } from "../../streams/stream_error.ts";
import { changedStreamSettings, overlapError } from "../../streams/stream_settings.ts";
import type { StreamFigures, StreamSettings } from "../../streams/stream_store.ts";
import { StreamTopics } from "../../streams/stream_topics.ts";
import { refuseMoreStreams } from "../../streams/consumer_settings.ts";
import { subjectsWithin } from "./filters.ts";
import { isWithoutJetStream, type JetStreamApi } from "./jetstream_api.ts";
import { quorumProblem } from "./quorum.ts";
import { deadLetterConfig, settingsOf, streamConfigOf } from "./stream_config.ts";

/** What a {@linkcode StreamCatalog} tells of. */
export interface CatalogEvents {
  /** Other streams keep other topics. */
  topicsChanged(): void;
  /** A stream is gone, or is another one than before. */
  deleted(name: string): void;
  /** Has all other gateways know of a stream; without a configuration, that it is gone. */
  announce(name: string, config: StreamConfig | undefined): Promise<void>;
}

/** A stream as it was seen last. */
interface Known {
  readonly created: string;
  readonly config: StreamConfig;
  /** Of all kinds, also those by which it is read. */
  readonly consumers: number;
}

/** The streams of JetStream that clients may see, in figures, and which topics they keep. */
export class StreamCatalog {
  readonly streams: Map<string, StreamFigures> = new Map();
  /** Why nothing can be stored in one of them, as of the last look; `undefined` if it can. */
  problem: string | undefined;
  /** Why there may be streams that have not been seen yet; `undefined` if there are none. */
  unseen: string | undefined = "JetStream has not told yet which streams there are";
  readonly #api: JetStreamApi;
  readonly #events: CatalogEvents;
  readonly #known = new Map<string, Known>();
  readonly #topics = new StreamTopics(this.streams);
  /** Streams that were changed while all are being looked at: what is seen of them may be old. */
  #changing: Set<string> | undefined;

  constructor(api: JetStreamApi, events: CatalogEvents) {
    this.#api = api;
    this.#events = events;
  }

  /** As {@linkcode JetStreamStore.streamOf}. */
  streamOf(topic: string, visited?: (nodes: number) => void): string | undefined {
    return this.#topics.of(topic, visited);
  }

  /** The configuration of a stream as it was seen last. */
  configOf(name: string): StreamConfig | undefined {
    return this.#known.get(name)?.config;
  }

  /** Whether a stream had consumers when it was seen last. */
  hasConsumers(name: string): boolean {
    return this.#known.get(name)?.consumers !== 0;
  }

  /** Looks at all streams. @throws {StreamError} */
  async look(): Promise<void> {
    try {
      this.unseen = await this.#look();
    } catch (error) {
      const hasNone = this.streams.size === 0 && isWithoutJetStream(error);
      this.unseen = hasNone ? undefined : messageOf(error);
      throw error;
    }
  }

  /** @returns Why there may be streams that are not seen by this look. */
  async #look(): Promise<string | undefined> {
    const changing = this.#changing = new Set();
    const names = await this.#names();
    const infos = await this.#list();
    const visible = infos.filter(({ config }) => settingsOf(config) !== undefined);
    this.problem = visible.map(quorumProblem).find((each) => each !== undefined);
    const listed = new Set(infos.map(({ config }) => config.name));
    for (const info of infos) if (!changing.has(info.config.name)) this.#saw(info);
    // One that has no leader at the moment has a name, and is not listed.
    for (const name of new Set(this.streams.keys()).difference(listed)) {
      if (changing.has(name)) continue;
      const info = await this.#find(name);
      if (info === undefined && !changing.has(name)) this.#gone(name);
    }
    if (this.#changing === changing) this.#changing = undefined;
    const unseen = names.find((name) => !listed.has(name) && !this.streams.has(name));
    return unseen && `the stream ${quote(unseen)} has no leader at the moment`;
  }

  /** A stream as it is at this moment. @throws {StreamError} `no-stream`. */
  async info(name: string): Promise<StreamInfo> {
    const info = await this.#find(name);
    if (info !== undefined && settingsOf(info.config) !== undefined) {
      this.#saw(info);
      return info;
    }
    if (this.streams.has(name)) this.#gone(name);
    throw new StreamError("no-stream", `There is no stream ${quote(name)}`);
  }

  /** @throws {StreamError} `stream-exists`, `stream-overlap`, `bad-stream`, `unavailable`. */
  async create(name: string, settings: StreamSettings): Promise<StreamFigures> {
    if (await this.#find(name)) {
      throw new StreamError("stream-exists", `There is a stream ${quote(name)} already`);
    }
    refuseMoreStreams(this.streams.size);
    this.#refuseOverlap(name, settings.topics);
    const config = streamConfigOf(name, settings);
    await this.#api.addStream(`Cannot make the stream ${quote(name)}`, config);
    return await this.#changed(name);
  }

  /** Makes the stream of the dead letters, if there is none. @throws {StreamError} */
  async needDeadLetters(): Promise<void> {
    if (this.streams.has(DEAD_LETTERS)) return;
    if (await this.#find(DEAD_LETTERS) === undefined) {
      await this.#api.addStream("Cannot keep dead letters", deadLetterConfig());
    }
    await this.#changed(DEAD_LETTERS);
  }

  /** @throws {StreamError} `no-stream`, `stream-overlap`, `bad-stream`, `unavailable`. */
  async update(name: string, change: Partial<StreamSettings>): Promise<StreamFigures> {
    const { config } = await this.info(name);
    const { settings } = this.streams.get(name)!;
    const changed = changedStreamSettings(name, settings, change);
    if (change.topics) this.#refuseOverlap(name, change.topics);
    const { description: _, retention: _kept, ...update } = streamConfigOf(name, changed);
    await this.#api.do(
      `Cannot change the stream ${quote(name)}`,
      (manager) => manager.streams.update(name, { ...config, ...update }),
    );
    return await this.#changed(name);
  }

  /** @throws {StreamError} `no-stream`, `unavailable`. */
  async delete(name: string): Promise<void> {
    await this.info(name);
    this.#changing?.add(name);
    const tried = `Cannot delete the stream ${quote(name)}`;
    await this.#api.do(tried, (manager) => manager.streams.delete(name));
    this.#gone(name);
    await this.#events.announce(name, undefined);
  }

  /** Drops messages. @throws {StreamError} */
  async purge(
    name: string,
    beforeSeq: number | undefined,
    topic: string | undefined,
  ): Promise<void> {
    const { state, config } = await this.info(name);
    const tried = `Cannot purge the stream ${quote(name)}`;
    const seq = beforeSeq === undefined ? undefined : Math.min(beforeSeq, state.last_seq + 1);
    const filters = topic === undefined ? [undefined] : subjectsWithin(topic, config.subjects);
    for (const filter of filters) {
      const options = {
        ...seq !== undefined && { seq },
        ...filter !== undefined && { filter },
      } as PurgeOpts;
      await this.#api.do(tried, (manager) => manager.streams.purge(name, options));
    }
    await this.info(name);
  }

  /** Notes how many consumers a stream has. */
  counted(name: string, consumers: number): void {
    const figures = this.streams.get(name);
    if (figures) this.streams.set(name, { ...figures, consumers });
  }

  /** Another gateway has changed a stream, or deleted it. */
  announced(name: string, config: StreamConfig | undefined): void {
    this.#changing?.add(name);
    if (config === undefined) return this.#gone(name);
    const settings = settingsOf(config);
    if (settings === undefined) return;
    const before = this.streams.get(name) ??
      { name, firstSeq: 1, lastSeq: 0, count: 0, bytes: 0, consumers: 0 };
    const { created, consumers } = this.#known.get(name) ?? { created: "", consumers: 1 };
    this.#known.set(name, { created, config, consumers });
    this.#set({ ...before, settings });
  }

  async #changed(name: string): Promise<StreamFigures> {
    this.#changing?.add(name);
    const { config } = await this.info(name);
    await this.#events.announce(name, config);
    return this.streams.get(name)!;
  }

  async #find(name: string): Promise<StreamInfo | undefined> {
    return await this.#api.find(
      `Cannot look at the stream ${quote(name)}`,
      (manager) => manager.streams.info(name),
    );
  }

  async #list(): Promise<StreamInfo[]> {
    const tried = "Cannot list the streams";
    return await this.#api.do(tried, (manager) => Array.fromAsync(manager.streams.list()));
  }

  /** The names of all streams, as the leader of all servers has them. */
  async #names(): Promise<string[]> {
    const tried = "Cannot list the streams";
    return await this.#api.do(tried, (manager) => Array.fromAsync(manager.streams.names()));
  }

  #saw({ config, created, state }: StreamInfo): void {
    const { name } = config;
    const settings = settingsOf(config);
    if (settings === undefined) return;
    const known = this.#known.get(name);
    if (known && known.created !== "" && known.created !== created) this.#gone(name);
    this.#known.set(name, { created, config, consumers: state.consumer_count });
    this.#set({
      name,
      settings,
      firstSeq: Math.max(1, state.first_seq),
      lastSeq: state.last_seq,
      count: state.messages,
      bytes: state.bytes,
      consumers: this.streams.get(name)?.consumers ?? 0,
    });
  }

  #set(figures: StreamFigures): void {
    const { name, settings } = figures;
    const isRouted = this.streams.get(name)?.settings.topics.join() !== settings.topics.join();
    this.streams.set(name, figures);
    if (isRouted) this.#routed();
  }

  #gone(name: string): void {
    this.#known.delete(name);
    if (!this.streams.delete(name)) return;
    this.#routed();
    this.#events.deleted(name);
  }

  #routed(): void {
    this.#topics.changed();
    this.#events.topicsChanged();
  }

  #refuseOverlap(name: string, topics: readonly string[]): void {
    const other = this.#topics.overlapping(topics, name);
    if (other === undefined) return;
    throw overlapError(name, other, this.streams.get(other)!.settings.topics);
  }
}
