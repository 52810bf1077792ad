/**
 * A small model of a store with one stream. It knows nothing of runs, rows and commits: only what a
 * store promises. Each of its methods throws where the engine broke a promise.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { filterCovers } from "../../../../lib/pubsub/protocol/topic.ts";
import type { MessageFrame } from "../../../../lib/pubsub/client/receiving/message.ts";
import type {
  ConsumerSettings,
  StreamSettings,
} from "../../../../lib/pubsub/broker/streams/stream_store.ts";

/** A message as it was published. */
interface Message {
  readonly topic: string;
  readonly body: string;
  readonly time: number;
}

/** What the header of a delivery has. */
interface DeliveryFields {
  readonly seq: number;
  readonly delivery: number;
  readonly attempt: number;
}

/** An open delivery. */
export interface OpenDelivery {
  readonly seq: number;
  readonly member: number;
  until: number;
}

/** What a consumer has to do with a message. */
interface Progress {
  /** How many deliveries it had; at most so many where the engine was started again since. */
  attempts: number;
  isExact: boolean;
  /** Before this time it is not delivered again. */
  notBefore: number;
}

/** A consumer of the model. */
export class ModelConsumer {
  readonly name: string;
  readonly settings: ConsumerSettings;
  readonly acked: Set<number> = new Set();
  readonly dead: Set<number> = new Set();
  readonly open: Map<number, OpenDelivery> = new Map();
  readonly progress: Map<number, Progress> = new Map();

  constructor(name: string, settings: ConsumerSettings) {
    this.name = name;
    this.settings = settings;
  }

  /** The deliveries that are open at a time. */
  openAt(now: number): number[] {
    return [...this.open].filter(([, { until }]) => until > now).map(([number]) => number);
  }

  /** An acknowledgement was accepted. */
  acknowledge(number: number): void {
    const { seq } = this.open.get(number)!;
    this.open.delete(number);
    this.progress.delete(seq);
    this.acked.add(seq);
  }

  /** A delivery was given back. */
  giveBack(number: number, notBefore: number): void {
    const { seq } = this.open.get(number)!;
    this.open.delete(number);
    this.progress.get(seq)!.notBefore = notBefore;
  }
}

/** The stream, and all who read it. */
export class Model {
  readonly settings: StreamSettings;
  readonly messages: Map<number, Message> = new Map();
  readonly consumers: readonly ModelConsumer[];
  /** Messages that are gone, not counting those that limits dropped. */
  readonly gone: Set<number> = new Set();
  readonly #ids = new Map<string, { seq: number; time: number }>();
  readonly #numbers = new Set<number>();
  next = 1;
  /** All before it were purged. */
  purged = 1;
  /** The most messages that were stored in one commit. */
  largestRun = 1;
  #lastTime = 0;

  constructor(settings: StreamSettings, consumers: readonly ModelConsumer[]) {
    this.settings = settings;
    this.consumers = consumers;
  }

  /** The time that a message gets. */
  timeOf(now: number): number {
    return Math.max(now, this.#lastTime);
  }

  /** The number under which an id is remembered. */
  duplicateOf(id: string | undefined, now: number): number | undefined {
    const known = id === undefined ? undefined : this.#ids.get(id);
    if (known === undefined) return undefined;
    return this.timeOf(now) - known.time < this.settings.dedupMs ? known.seq : undefined;
  }

  /** The last seq of a topic; `undefined` where limits may have dropped it. */
  lastOf(topic: string): number {
    let last = 0;
    for (const [seq, message] of this.messages) if (message.topic === topic) last = seq;
    return last;
  }

  /** A message was stored. */
  stored(seq: number, topic: string, body: string, id: string | undefined, now: number): void {
    assertEquals(seq, this.next, "numbers have no gaps");
    this.next++;
    const time = this.timeOf(now);
    this.#lastTime = time;
    this.messages.set(seq, { topic, body, time });
    if (id !== undefined) this.#ids.set(id, { seq, time });
  }

  /** What limits for each topic drop, after a commit. */
  trim(): void {
    if (this.settings.maxPerTopic === Infinity) return;
    const seen = new Map<string, number>();
    for (const [seq, { topic }] of [...this.messages].reverse()) {
      const count = (seen.get(topic) ?? 0) + 1;
      seen.set(topic, count);
      if (count > this.settings.maxPerTopic) this.gone.add(seq);
    }
  }

  /** Whether a message may be gone because no consumer gets it: it goes some time later. */
  isUnwanted(seq: number): boolean {
    const { topic } = this.messages.get(seq)!;
    return this.settings.keep === "until-acked" &&
      !this.consumers.some(({ settings }) => matches(settings.topic, topic));
  }

  /** What is gone because every consumer is done with it. */
  sweep(floor: number): void {
    if (this.settings.keep !== "until-acked") return;
    for (const [seq, { topic }] of this.messages) {
      if (seq < floor) continue;
      const gets = this.consumers.filter(({ settings }) => matches(settings.topic, topic));
      const isDone = ({ acked, dead }: ModelConsumer) => acked.has(seq) || dead.has(seq);
      if (gets.length > 0 && gets.every(isDone)) this.gone.add(seq);
    }
  }

  /** A consumer's member got a message. */
  delivered(consumer: ModelConsumer, member: number, frame: MessageFrame, now: number): void {
    const { topic, ...numbers } = frame.header as { readonly [field: string]: unknown };
    const { seq, delivery, attempt } = numbers as Record<string, number> & DeliveryFields;
    const message = this.messages.get(seq);
    assert(message, `${seq} was never stored`);
    assertEquals([topic, frame.text()], [message.topic, message.body], "it is what was published");
    assert(matches(consumer.settings.topic, message.topic), "it matches the consumer's filter");
    assert(!consumer.acked.has(seq), `${seq} was acknowledged`);
    assert(!consumer.dead.has(seq), `${seq} is among the dead letters`);
    assert(!this.#numbers.has(delivery), `the number ${delivery} was used before`);
    this.#numbers.add(delivery);
    const twice = [...consumer.open.values()].find((open) => open.seq === seq && open.until > now);
    assert(twice === undefined, `${seq} is open already`);
    const progress = consumer.progress.get(seq) ?? { attempts: 0, isExact: true, notBefore: 0 };
    assert(now >= progress.notBefore, `${seq} is delivered again too early`);
    const { maxAttempts, ackWaitMs, maxUnacked } = consumer.settings;
    if (progress.isExact) assertEquals(attempt, progress.attempts + 1, `attempts of ${seq}`);
    else assert(attempt >= 1 && attempt <= progress.attempts + 1, `attempts of ${seq}`);
    assert(maxAttempts === 0 || attempt <= maxAttempts, "there are no more attempts than allowed");
    for (const [number, open] of consumer.open) if (open.seq === seq) consumer.open.delete(number);
    consumer.progress.set(seq, { attempts: attempt, isExact: true, notBefore: 0 });
    consumer.open.set(delivery, { seq, member, until: now + ackWaitMs });
    assert(consumer.openAt(now).length <= maxUnacked, "no more are open than allowed");
  }

  /** A dead letter was committed. */
  buried(consumer: ModelConsumer, seq: number, attempts: number): void {
    assert(!consumer.dead.has(seq), `${seq} is a dead letter twice`);
    assert(!consumer.acked.has(seq), `${seq} was acknowledged, and is a dead letter`);
    assertEquals(attempts, consumer.settings.maxAttempts, "it had all its attempts");
    consumer.dead.add(seq);
    consumer.progress.delete(seq);
    for (const [number, open] of consumer.open) if (open.seq === seq) consumer.open.delete(number);
  }

  /** The engine was started again: nothing is open, and attempts may be forgotten. */
  crashed(): void {
    for (const consumer of this.consumers) {
      consumer.open.clear();
      for (const progress of consumer.progress.values()) {
        progress.isExact = false;
        progress.notBefore = 0;
      }
    }
  }

  /** What a replay of everything has to give. */
  kept(floor: number): number[] {
    return [...this.messages.keys()].filter((seq) => seq >= floor && !this.gone.has(seq));
  }

  /** Limits dropped no more than they may. @param floor Where what is kept begins from here on. */
  dropped(before: number, floor: number, now: number): void {
    const { maxCount } = this.settings;
    const left = this.kept(floor).length;
    for (const seq of this.kept(before).filter((each) => each < floor && each >= this.purged)) {
      assert(left >= maxCount || this.#isOld(seq, now, 0), `${seq} is dropped, ${left} are left`);
    }
  }

  /** Limits keep no more than they must. */
  checkLimits(floor: number, now: number): void {
    const left = this.kept(floor);
    assert(floor >= this.purged, "what is purged is gone");
    assert(left.length < this.settings.maxCount + this.largestRun, `${left.length} are kept`);
    assert(!left.some((seq) => this.#isOld(seq, now, 1_001)), "nothing is kept that is too old");
  }

  #isOld(seq: number, now: number, graceMs: number): boolean {
    return now - this.messages.get(seq)!.time > this.settings.maxAgeMs + graceMs;
  }
}

/** Whether a topic matches a filter, if there is one. */
export function matches(filter: string | undefined, topic: string): boolean {
  return filter === undefined || filterCovers(filter, topic);
}
