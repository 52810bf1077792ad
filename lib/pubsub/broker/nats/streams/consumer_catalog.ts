import type { ConsumerInfo } from "@nats-io/jetstream";
import { quote } from "../../../protocol/quote.ts";
import {
  newConsumerSettings,
  noConsumer,
  refuseMoreConsumers,
  refuseOtherSettings,
  staleError,
} from "../../streams/consumer_settings.ts";
import { DEAD_LETTERS, deadTopicOf } from "../../streams/dead_letter.ts";
import { StreamError } from "../../streams/stream_error.ts";
import type {
  ConsumerFigures,
  ConsumerMember,
  ConsumerSettings,
  MemberInit,
  Settlement,
  StreamFigures,
  StreamStart,
} from "../../streams/stream_store.ts";
import type { ConsumerChange } from "./announcements.ts";
import {
  consumerConfigOf,
  consumerFiguresOf,
  consumerSettingsOf,
  deliveredTo,
  incarnationOf,
  isDurable,
  redriveConfigOf,
} from "./consumer_config.ts";
import { listConsumers } from "./consumer_list.ts";
import { countDeadLetters } from "./dead_letters.ts";
import type { ConsumerHost } from "./delivery_settler.ts";
import { JetStreamConsumer } from "./jetstream_consumer.ts";
import { forgetRecord, needRecords, SharedRecord } from "./shared_record.ts";
import { redriveName } from "./sources.ts";
import type { StreamCatalog } from "./stream_catalog.ts";
import { WorkByKey } from "./work_by_key.ts";

/** The consumers of JetStream that clients may use, and those that members here share. */
export class ConsumerCatalog {
  readonly #host: ConsumerHost;
  readonly #streams: StreamCatalog;
  readonly #announce: (
    stream: string,
    consumer: string,
    change: ConsumerChange,
  ) => Promise<void>;
  /** Those with members here, by stream and name. */
  readonly #local = new Map<string, JetStreamConsumer>();
  /** By stream: its consumers as they were seen last. */
  readonly #seen = new Map<string, readonly ConsumerFigures[]>();
  /** Joining and resetting are done one after the other, by consumer. */
  readonly #work = new WorkByKey();

  constructor(
    host: ConsumerHost,
    streams: StreamCatalog,
    announce: (stream: string, consumer: string, change: ConsumerChange) => Promise<void>,
  ) {
    this.#host = host;
    this.#streams = streams;
    this.#announce = announce;
  }

  /** All consumers as they were seen last. */
  *all(): Iterable<ConsumerFigures> {
    for (const figures of this.#seen.values()) yield* figures;
  }

  /** How many consumers a stream has, as seen last. */
  countOf(stream: string): number {
    return this.#seen.get(stream)?.length ?? 0;
  }

  /** Joins a consumer, which is made if there is none. @throws {StreamError} */
  join(init: MemberInit): Promise<ConsumerMember> {
    return this.#work.run(keyOf(init.stream, init.consumer), async () => {
      const { stream, consumer: name, settings } = init;
      const { config, state } = await this.#streams.info(stream);
      let info = await this.#find(stream, name);
      if (info) refuseOtherSettings(name, consumerSettingsOf(info), settings);
      else {
        await this.look(stream);
        refuseMoreConsumers(this.countOf(stream), [...this.all()].length);
        const all = newConsumerSettings(settings);
        info = await this.#make(stream, name, all, init.start, config.subjects, false);
        await this.look(stream);
      }
      const local = await this.#localOf(info);
      const figures = await this.#figures(info);
      // It may have been deleted meanwhile.
      if (this.#local.get(keyOf(stream, name)) !== local) throw noConsumer(stream, name);
      const member = local.join(figures, init);
      local.seen(deliveredTo(info, state.last_seq), Math.max(1, state.first_seq));
      return member;
    });
  }

  /** @throws {StreamError} `stale-ack`, `no-consumer`, `unavailable`. */
  async settle(settlement: Settlement): Promise<void> {
    const { stream, consumer } = settlement;
    const local = this.#local.get(keyOf(stream, consumer));
    if (local) return await local.settle(settlement);
    await this.#streams.info(stream);
    await this.#need(stream, consumer);
    // Nobody here has any of them.
    throw staleError(settlement.deliveries, settlement.deliveries.length);
  }

  /** The consumers of a stream, or one, as they are at this moment. @throws {StreamError} */
  async list(stream: string, only?: string): Promise<readonly ConsumerFigures[]> {
    await this.#streams.info(stream);
    if (only === undefined) return await this.#lookAt(stream, await this.infos(stream));
    const info = await this.#info(stream, only);
    return info && isDurable(info) ? [await this.#figures(info)] : [];
  }

  /** @throws {StreamError} */
  delete(stream: string, name: string): Promise<void> {
    return this.#work.run(keyOf(stream, name), async () => {
      await this.#streams.info(stream);
      await this.#need(stream, name);
      const tried = `Cannot delete the consumer ${quote(name)}`;
      await this.#host.api.do(tried, (manager) => manager.consumers.delete(stream, name));
      await this.#forgetTraces(stream, name);
      this.#ended(stream, name);
      await this.#announce(stream, name, "deleted");
      await this.look(stream);
    });
  }

  /** Lets a consumer begin again at another place. @throws {StreamError} */
  reset(stream: string, name: string, start: StreamStart): Promise<ConsumerFigures> {
    return this.#work.run(keyOf(stream, name), async () => {
      const { config } = await this.#streams.info(stream);
      const before = await this.#need(stream, name);
      const tried = `Cannot reset the consumer ${quote(name)}`;
      await this.#host.api.do(tried, (manager) => manager.consumers.delete(stream, name));
      const local = this.#local.get(keyOf(stream, name));
      local?.pause();
      const settings = consumerSettingsOf(before);
      const info = await this.#make(stream, name, settings, start, config.subjects, true);
      await this.#renew(info);
      await this.#announce(stream, name, "reset");
      return await this.#figures(info);
    });
  }

  /** Has all dead letters of a consumer delivered to it again. @throws {StreamError} */
  redrive(stream: string, name: string): Promise<number> {
    return this.#work.run(keyOf(stream, name), async () => {
      await this.#streams.info(stream);
      const info = await this.#need(stream, name);
      const count = (await this.#dead(stream)).get(deadTopicOf(stream, name)) ?? 0;
      if (count === 0) return 0;
      const { state } = await this.#streams.info(DEAD_LETTERS);
      const consumer = redriveName(stream, name);
      const { api } = this.#host;
      const tried = `Cannot have the dead letters of ${quote(name)} delivered`;
      await api.find(tried, (manager) => manager.consumers.delete(DEAD_LETTERS, consumer));
      // First it is known which letters come again: one that comes before that would count as done.
      const local = this.#local.get(keyOf(stream, name));
      const record = local?.record ?? await this.#record(info);
      await record.change(({ uncounted, ...known }) => ({
        ...known,
        redrive: state.last_seq,
        uncounted: Object.fromEntries(
          Object.entries(uncounted).filter(([key]) => Number(key) > 0),
        ),
      }));
      const config = redriveConfigOf(consumer, info);
      await api.do(tried, (manager) => manager.consumers.add(DEAD_LETTERS, config));
      local?.redrive();
      await this.#announce(stream, name, "redrive");
      return count;
    });
  }

  /** Another gateway has changed a consumer. */
  announced(stream: string, name: string, change: ConsumerChange): void {
    const local = this.#local.get(keyOf(stream, name));
    if (local === undefined) return;
    if (change === "deleted") return this.#ended(stream, name);
    if (change === "reset") local.pause();
    const work = this.#work.run(keyOf(stream, name), async () => {
      if (change === "redrive") {
        await local.record.read();
        local.redrive();
      } else {
        const info = await this.#find(stream, name);
        if (info) await this.#renew(info);
      }
    });
    // If it fails, the next look finds it.
    this.#host.busy(work.catch(() => {}));
  }

  /** A stream is gone: so are its consumers. */
  streamDeleted(stream: string): void {
    this.#seen.delete(stream);
    for (const [, local] of this.#local) {
      if (local.stream === stream) this.#ended(stream, local.name);
    }
  }

  /** Deletes what is kept of a deleted stream's consumers. */
  async forget(stream: string, names: readonly string[]): Promise<void> {
    for (const name of names) await this.#forgetTraces(stream, name);
  }

  /** Looks at the consumers of a stream that have a leader at the moment. @throws {StreamError} */
  async look(stream: string): Promise<readonly ConsumerFigures[]> {
    if (!this.#streams.hasConsumers(stream)) return await this.#lookAt(stream, []);
    const { infos, lack } = await listConsumers(this.#host.api, stream);
    const listed = new Set(infos.map(({ name }) => name));
    // Of those that have no leader at the moment, what was seen last.
    const others = lack === undefined
      ? []
      : this.#seen.get(stream)?.filter(({ consumer }) => !listed.has(consumer));
    return await this.#lookAt(stream, infos, others);
  }

  async #lookAt(
    stream: string,
    infos: readonly ConsumerInfo[],
    others: readonly ConsumerFigures[] = [],
  ): Promise<readonly ConsumerFigures[]> {
    const before = this.#streams.streams.get(stream);
    const dead = infos.length > 0 ? await this.#dead(stream) : new Map<string, number>();
    const seen = infos.map((info) => this.#figuresOf(info, dead));
    const figures = [...seen, ...others];
    this.#seen.set(stream, figures);
    this.#streams.counted(stream, figures.length);
    if (before) { for (const info of infos) this.#looked(info, before); }
    await this.#lookForMissing(stream, infos);
    return figures;
  }

  /** All consumers of a stream as JetStream tells of them. @throws {StreamError} */
  async infos(stream: string): Promise<readonly ConsumerInfo[]> {
    const { infos, lack } = await listConsumers(this.#host.api, stream);
    if (lack === undefined) return infos;
    throw new StreamError("unavailable", `Cannot tell which consumers there are: ${lack}`);
  }

  /** Those with members here. */
  get locals(): Iterable<JetStreamConsumer> {
    return this.#local.values();
  }

  /** Called periodically. */
  tick(now: number): void {
    for (const [key, local] of this.#local) {
      local.look(now);
      if (local.isIdle && !this.#work.has(key)) this.#local.delete(key);
    }
  }

  /** Gives back all that is open. */
  close(): void {
    for (const local of this.#local.values()) local.close();
  }

  /** @param figures Of its stream, looked at before. */
  #looked(info: ConsumerInfo, { firstSeq, lastSeq }: StreamFigures): void {
    const { stream_name: stream, name } = info;
    const key = keyOf(stream, name);
    const local = this.#local.get(key);
    if (local === undefined || this.#work.has(key)) return;
    if (local.incarnation === incarnationOf(info)) local.seen(deliveredTo(info, lastSeq), firstSeq);
    else {
      // Somebody has made another one of the same name.
      local.pause();
      this.#host.busy(this.#work.run(key, () => this.#renew(info)).catch(() => {}));
    }
  }

  /** A consumer that has no leader at the moment is not listed, and not gone. */
  async #lookForMissing(stream: string, infos: readonly ConsumerInfo[]): Promise<void> {
    const listed = new Set(infos.map(({ name }) => name));
    for (const [key, local] of this.#local) {
      if (local.stream !== stream || listed.has(local.name) || this.#work.has(key)) continue;
      const isThere = await this.#find(stream, local.name).then((info) => info !== undefined)
        .catch(() => true);
      if (!isThere && !this.#work.has(key)) this.#ended(stream, local.name);
    }
  }

  #ended(stream: string, name: string): void {
    const key = keyOf(stream, name);
    this.#local.get(key)?.end(new StreamError("no-consumer", "The consumer was deleted"));
    this.#local.delete(key);
  }

  async #renew(info: ConsumerInfo): Promise<void> {
    const { stream_name: stream, name } = info;
    const local = this.#local.get(keyOf(stream, name));
    if (local) {
      local.renew(incarnationOf(info), info.delivered.stream_seq, await this.#record(info));
    }
  }

  async #localOf(info: ConsumerInfo): Promise<JetStreamConsumer> {
    const { stream_name: stream, name } = info;
    const key = keyOf(stream, name);
    const incarnation = incarnationOf(info);
    const known = this.#local.get(key);
    if (known) {
      if (known.incarnation !== incarnation) await this.#renew(info);
      return known;
    }
    const record = await this.#record(info);
    const figures = consumerFiguresOf(info, undefined, 0);
    const made = new JetStreamConsumer(this.#host, figures, incarnation, record);
    this.#local.set(key, made);
    return made;
  }

  async #record(info: ConsumerInfo): Promise<SharedRecord> {
    const { stream_name: stream, name } = info;
    const { api } = this.#host;
    await needRecords(api);
    const record = new SharedRecord(api, stream, name, incarnationOf(info));
    await record.read();
    return record;
  }

  /** @param isAnother Whether it takes the place of one that was deleted. */
  async #make(
    stream: string,
    name: string,
    settings: ConsumerSettings,
    start: StreamStart,
    topics: readonly string[],
    isAnother: boolean,
  ): Promise<ConsumerInfo> {
    const incarnation = await SharedRecord.claim(this.#host.api, stream, name, isAnother);
    const config = consumerConfigOf(name, settings, start, topics, incarnation);
    const tried = `Cannot make the consumer ${quote(name)}`;
    return await this.#host.api.do(tried, (manager) => manager.consumers.add(stream, config));
  }

  async #find(stream: string, name: string): Promise<ConsumerInfo | undefined> {
    const info = await this.#info(stream, name);
    if (info === undefined || isDurable(info)) return info;
    const message = `The consumer ${quote(name)} is one of NATS that clients cannot share`;
    throw new StreamError("consumer-exists", message);
  }

  async #info(stream: string, name: string): Promise<ConsumerInfo | undefined> {
    const tried = `Cannot look at the consumer ${quote(name)}`;
    return await this.#host.api.find(tried, (manager) => manager.consumers.info(stream, name));
  }

  async #need(stream: string, name: string): Promise<ConsumerInfo> {
    const info = await this.#find(stream, name);
    if (info) return info;
    throw noConsumer(stream, name);
  }

  async #figures(info: ConsumerInfo): Promise<ConsumerFigures> {
    return this.#figuresOf(info, await this.#dead(info.stream_name));
  }

  /** @param dead How many dead letters there are, by topic. */
  #figuresOf(info: ConsumerInfo, dead: ReadonlyMap<string, number>): ConsumerFigures {
    const { stream_name: stream, name } = info;
    const local = this.#local.get(keyOf(stream, name));
    return consumerFiguresOf(info, local?.figures, dead.get(deadTopicOf(stream, name)) ?? 0);
  }

  /** How many dead letters the consumers of a stream have, by topic. */
  async #dead(stream: string): Promise<ReadonlyMap<string, number>> {
    const hasSome = this.#streams.streams.has(DEAD_LETTERS);
    return hasSome ? await countDeadLetters(this.#host.api, stream) : new Map();
  }

  async #forgetTraces(stream: string, name: string): Promise<void> {
    const { api } = this.#host;
    if (this.#streams.streams.has(DEAD_LETTERS)) {
      await api.find(
        "Cannot forget a consumer",
        (manager) => manager.consumers.delete(DEAD_LETTERS, redriveName(stream, name)),
      );
    }
    await forgetRecord(api, stream, name);
  }
}

function keyOf(stream: string, consumer: string): string {
  return `${stream}=${consumer}`;
}
