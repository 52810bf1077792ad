import { quote } from "../../../protocol/quote.ts";
import { StreamError } from "../stream_error.ts";
import {
  newConsumerSettings,
  noConsumer,
  refuseMoreConsumers,
  refuseMoreStreams,
  refuseOtherSettings,
  selectedNames,
} from "../consumer_settings.ts";
import { changedStreamSettings, overlapError, refuseSystemStream } from "../stream_settings.ts";
import type { MemberInit, StreamSettings, StreamStart } from "../stream_store.ts";
import { type ConsumerRecord, insertConsumer } from "./consumer_record.ts";
import type { Deliveries } from "./deliveries.ts";
import type { Jobs } from "./jobs.ts";
import type { AppendOrder, AppendOutcome, OrderResult, StoreOrder } from "./orders.ts";
import { insertStream, type StreamRecord } from "./stream_record.ts";
import type { Tables } from "./tables.ts";
import { TopicMatcher } from "../topic_matcher.ts";

/** Purges that may wait: each looks through a stream, and a client does not wait for them. */
const MAX_PURGES = 100;

/** Carries out orders: each changes all that it asks for, or throws a `StreamError` before. */
export class Catalog {
  readonly #tables: Tables;
  readonly #deliveries: Deliveries;
  readonly #jobs: Jobs;

  constructor(tables: Tables, deliveries: Deliveries, jobs: Jobs) {
    this.#tables = tables;
    this.#deliveries = deliveries;
    this.#jobs = jobs;
  }

  /** Whether what an order changes has to be on the disk before it is answered. */
  isDurable(order: StoreOrder): boolean {
    switch (order.kind) {
      case "append":
        return this.#isSynced(order.stream);
      case "settle":
        return order.settlement.durable && this.#isSynced(order.settlement.stream);
      case "consumers":
      case "save":
      case "retain":
      case "hungry":
      case "leave":
        return false;
      default:
        return true;
    }
  }

  #isSynced(stream: string): boolean {
    return this.#tables.byName.get(stream)?.settings.sync !== "interval";
  }

  /** Carries an order out. @throws {StreamError} if it cannot be. */
  carryOut(order: StoreOrder, now: number): OrderResult {
    switch (order.kind) {
      case "append":
        return { value: this.#append(order, now) };
      case "create":
        return { value: this.#tables.figuresOf(this.#create(order.name, order.settings)) };
      case "update":
        return { value: this.#tables.figuresOf(this.#update(order.name, order.settings)) };
      case "delete":
        return this.#delete(order.name);
      case "purge":
        return this.#purge(order.name, order.beforeSeq, order.topic);
      case "join":
        return { value: this.#figures(this.#join(order.member, order.init), now) };
      case "settle": {
        const { settlement } = order;
        const consumer = this.#consumer(settlement.stream, settlement.consumer);
        this.#deliveries.settle(consumer, settlement, now);
        return NOTHING;
      }
      case "consumers": {
        const consumers = this.#tables.consumersOf(this.#stream(order.stream));
        const names = selectedNames(consumers.keys(), order.which);
        return { value: names.map((name) => this.#figures(consumers.get(name)!, now)) };
      }
      case "delete-consumer":
        return this.#deleteConsumer(this.#consumer(order.stream, order.consumer));
      case "reset-consumer": {
        const consumer = this.#consumer(order.stream, order.consumer);
        this.#deliveries.forget(consumer, false);
        consumer.position = this.#position(consumer.stream, order.start);
        this.#sweep(consumer.stream);
        return { value: this.#figures(consumer, now) };
      }
      case "save":
        this.#tables.saveAll(this.#stream(order.stream));
        return NOTHING;
      case "redrive":
        return { value: this.#deliveries.redrive(this.#consumer(order.stream, order.consumer)) };
      case "retain":
        if (order.frame) {
          const { topic, frame } = order;
          this.#tables.statements.run(
            "INSERT OR REPLACE INTO retained VALUES (?, ?)",
            topic,
            frame,
          );
        } else this.#tables.statements.run("DELETE FROM retained WHERE topic = ?", order.topic);
        return NOTHING;
      case "hungry":
        this.#deliveries.hungry(order.member);
        return NOTHING;
      case "leave":
        this.#deliveries.leave(order.member, order.counted);
        return NOTHING;
    }
  }

  #append({ stream: name, frames, publications, asked }: AppendOrder, now: number) {
    const stream = this.#stream(name);
    const { ends, topics, messageIds, expected } = publications;
    const outcomes: AppendOutcome[] = [];
    for (let i = 0; i < ends.length; i++) {
      const isAsked = asked[outcomes.length] === i;
      const message = {
        bytes: frames.subarray(ends[i - 1] ?? 0, ends[i]),
        topic: topics[i]!,
        messageId: messageIds[i]!,
        expected: expected[i]!,
      };
      try {
        const outcome = this.#tables.appender.append(stream, message, now);
        if (isAsked) outcomes.push(outcome);
      } catch (error) {
        if (!(error instanceof StreamError)) throw error;
        if (isAsked) outcomes.push({ code: error.code, message: error.message });
      }
    }
    return outcomes;
  }

  #create(name: string, settings: StreamSettings): StreamRecord {
    refuseSystemStream(name);
    if (this.#tables.byName.has(name)) {
      throw new StreamError("stream-exists", `There is a stream ${quote(name)} already`);
    }
    refuseMoreStreams(this.#tables.byName.size);
    this.#checkOverlap(name, settings.topics);
    const stream = insertStream(this.#tables.statements, name, settings);
    this.#tables.addStream(stream);
    stream.touch();
    return stream;
  }

  #update(name: string, settings: Partial<StreamSettings>): StreamRecord {
    const stream = this.#stream(name);
    const changed = changedStreamSettings(name, stream.settings, settings);
    if (settings.topics) this.#checkOverlap(name, settings.topics, stream);
    this.#tables.change(stream, changed);
    return stream;
  }

  #delete(name: string): OrderResult {
    const stream = this.#stream(name);
    refuseSystemStream(name);
    for (const consumer of [...this.#tables.consumersOf(stream).values()]) {
      this.#deleteConsumer(consumer);
    }
    this.#tables.removeStream(stream);
    this.#jobs.doom(stream);
    this.#tables.statements.run("DELETE FROM stream WHERE id = ?", stream.id);
    return NOTHING;
  }

  #purge(name: string, beforeSeq = Infinity, topic: string | undefined): OrderResult {
    const stream = this.#stream(name);
    if (this.#jobs.waiting >= MAX_PURGES) {
      throw new StreamError("unavailable", "Too many purges wait already; try again in a second");
    }
    const before = Math.min(beforeSeq, stream.next);
    if (topic === undefined) return { later: this.#jobs.purgeBefore(stream, before) };
    const matcher = new TopicMatcher(topic);
    return { later: this.#jobs.purgePicked(stream, before, (each) => matcher.matches(each)) };
  }

  #join(id: number, init: MemberInit): ConsumerRecord {
    const stream = this.#stream(init.stream);
    const known = this.#tables.consumersOf(stream).get(init.consumer);
    if (known) refuseOtherSettings(known.name, known.settings, init.settings);
    const consumer = known ?? this.#createConsumer(stream, init);
    this.#deliveries.join(consumer, id, init);
    return consumer;
  }

  #createConsumer(stream: StreamRecord, init: MemberInit): ConsumerRecord {
    const ofStream = this.#tables.consumersOf(stream).size;
    refuseMoreConsumers(ofStream, this.#tables.consumerCount);
    const settings = newConsumerSettings(init.settings);
    const position = this.#position(stream, init.start);
    const { statements } = this.#tables;
    const consumer = insertConsumer(statements, stream, init.consumer, settings, position);
    this.#tables.addConsumer(consumer);
    // The number of consumers is among the stream's figures.
    stream.touch();
    return consumer;
  }

  #deleteConsumer(consumer: ConsumerRecord): OrderResult {
    consumer.stream.touch();
    this.#deliveries.forget(consumer, true);
    this.#tables.removeConsumer(consumer);
    this.#tables.statements.run("DELETE FROM consumer WHERE id = ?", consumer.id);
    this.#sweep(consumer.stream);
    return NOTHING;
  }

  /** Stops keeping what all remaining consumers are done with. */
  #sweep(stream: StreamRecord): void {
    this.#jobs.consumerChanged(stream);
    const consumers = this.#tables.consumersOf(stream);
    if (stream.settings.keep !== "until-acked" || consumers.size === 0) return;
    this.#jobs.sweep(
      stream,
      (topic, seq) => consumers.size > 0 && this.#tables.isDoneByAll(stream, seq, () => topic),
      () => consumers.size,
    );
  }

  /** The number of the first message at or after a place. */
  #position(stream: StreamRecord, start: StreamStart): number {
    this.#tables.appender.flush(stream);
    if ("fromSeq" in start) return start.fromSeq;
    if ("fromTimeMs" in start) {
      return this.#tables.runs.atTime(stream.id, stream.floor, stream.next, start.fromTimeMs);
    }
    return start.from === "new" ? stream.next : stream.floor;
  }

  #stream(name: string): StreamRecord {
    const stream = this.#tables.byName.get(name);
    if (stream) return stream;
    throw new StreamError("no-stream", `There is no stream ${quote(name)}`);
  }

  #consumer(stream: string, name: string): ConsumerRecord {
    const consumer = this.#tables.consumersOf(this.#stream(stream)).get(name);
    if (consumer) return consumer;
    throw noConsumer(stream, name);
  }

  #figures(consumer: ConsumerRecord, now: number) {
    return consumer.figures(now, this.#tables.deadLettersOf(consumer));
  }

  #checkOverlap(name: string, topics: readonly string[], except?: StreamRecord): void {
    const other = this.#tables.overlapping(topics, except);
    if (other !== undefined) throw overlapError(name, other.name, other.settings.topics);
  }
}

const NOTHING: OrderResult = { value: undefined };
