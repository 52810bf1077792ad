/**
 * An engine beside the model of what it must have: whatever is asked of both, they agree.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { migrate } from "../../../../lib/sqlite/schema.ts";
import type {
  Settlement,
  StreamSettings,
} from "../../../../lib/pubsub/broker/streams/stream_store.ts";
import type { StreamEngine } from "../../../../lib/pubsub/broker/streams/sqlite/engine.ts";
import type {
  StoreOrder,
  StoreReport,
} from "../../../../lib/pubsub/broker/streams/sqlite/orders.ts";
import { Replay } from "../../../../lib/pubsub/broker/streams/sqlite/replay.ts";
import { STREAM_SCHEMA } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
import type { Random } from "../../../soak/random.ts";
import { engineOver, MemoryFile } from "./journal_support.ts";
import { Model, type ModelConsumer } from "./model.ts";
import { framesIn, messagesIn } from "./support.ts";

export const TOPICS = ["orders.eu", "orders.us", "orders.eu.late", "orders.x"];
export const NAME = "orders";

/** A member of a consumer, as the engine and the model know it. */
interface MemberOfRun {
  readonly id: number;
  readonly consumer: ModelConsumer;
}

/** An engine on a disk in memory, and its model. Disposing it closes the database. */
export class ModelledEngine implements Disposable {
  readonly db = new DatabaseSync(":memory:");
  readonly model: Model;
  /** The time, which goes on as the run says. */
  now = 1_000_000;
  members: MemberOfRun[] = [];
  readonly #file = new MemoryFile();
  readonly #random: Random;
  #engine: StreamEngine;
  #lastMember = 0;
  #floor = 1;

  constructor(random: Random, settings: StreamSettings, consumers: readonly ModelConsumer[]) {
    this.#random = random;
    migrate(this.db, ":memory:", STREAM_SCHEMA);
    this.#engine = engineOver(this.db, this.#file);
    this.model = new Model(settings, consumers);
    this.perform([{ kind: "create", name: NAME, settings }]);
    for (const consumer of consumers) this.join(consumer);
  }

  /** When the engine has something to do by itself; 0 at once. */
  get dueAt(): number {
    return this.#engine.dueAt;
  }

  join(consumer: ModelConsumer): void {
    const id = ++this.#lastMember;
    const init = {
      stream: NAME,
      consumer: consumer.name,
      owner: id,
      sid: id,
      settings: consumer.settings,
      start: { from: "all" } as const,
      prefetch: this.#random.pick([undefined, 2]),
      runs: this.#random.pick([false, true]),
    };
    this.members.push({ id, consumer });
    const { results: [result] } = this.perform([{ kind: "join", member: id, init }]);
    assert(result && "value" in result, JSON.stringify(result));
  }

  /** The engine ends without a word; another one begins with what was committed. */
  crash(): void {
    // Rows that an earlier version wrote do not tell where their frames end.
    if (this.#random.next() < 0.5) this.db.exec("UPDATE run SET ends = NULL WHERE id % 2 = 0");
    this.#file.cutPower((bytes) => this.#random.int(0, bytes));
    this.#engine = engineOver(this.db, this.#file);
    this.members = [];
    this.model.crashed();
    this.now += 1;
    for (const consumer of this.model.consumers) this.join(consumer);
  }

  /** @param apply Notes what was asked in the model, before what the report tells is looked at. */
  perform(
    orders: readonly StoreOrder[],
    apply?: (results: StoreReport["results"]) => void,
  ): StoreReport {
    const report = this.#engine.perform(orders, this.now);
    assertEquals(report.results.length, orders.length);
    apply?.(report.results);
    for (const { frame } of report.deadLetters) {
      const dead = framesIn(frame)[0]!.header["dead"] as Record<string, number> & {
        consumer: string;
      };
      const consumer = this.model.consumers.find(({ name }) => name === dead.consumer)!;
      this.model.buried(consumer, dead["seq"]!, dead["attempts"]!);
    }
    for (const figures of report.changed) {
      if (figures.name !== NAME) continue;
      this.model.dropped(this.#floor, figures.firstSeq, this.now);
      this.#floor = figures.firstSeq;
    }
    this.model.sweep(this.#floor);
    for (const { member, bytes, count } of report.deliveries) {
      const { consumer } = this.members.find(({ id }) => id === member)!;
      const frames = messagesIn(bytes);
      assertEquals(frames.length, count);
      for (const frame of frames) {
        assert(!this.model.gone.has(frame.header["seq"] as number), "it is not gone");
        this.model.delivered(consumer, member, frame, this.now);
      }
    }
    return report;
  }

  /** What is replayed is what is kept, and the figures say so. */
  checkReplay(): void {
    // This may drop what became too old since that was last looked for.
    this.perform([{ kind: "save", stream: NAME }]);
    for (let i = 0; i < 30; i++) {
      this.perform([]);
      if (this.#engine.dueAt > 0) break;
    }
    const [figures] = this.#engine.figures().filter(({ name }) => name === NAME);
    assert(figures);
    this.#floor = figures.firstSeq;
    assertEquals(figures.lastSeq, this.model.next - 1);
    const replayed = this.replayed(NAME);
    for (const seq of this.model.kept(this.#floor)) {
      if (!replayed.includes(seq) && this.model.isUnwanted(seq)) this.model.gone.add(seq);
    }
    this.model.checkLimits(this.#floor, this.now);
    const expected = this.model.kept(this.#floor);
    assertEquals(figures.count, expected.length, "the figures count what is kept");
    assertEquals(replayed, expected, "what is kept is replayed");
    const lasts = new Set(TOPICS.map((topic) => this.model.lastOf(topic)));
    const kept = expected.filter((seq) => lasts.has(seq));
    assertEquals(this.replayed(NAME, "last"), kept, "the last of each topic is replayed");
  }

  replayed(stream: string, from: "all" | "last" = "all"): number[] {
    const replay = new Replay(this.db);
    const begin = replay.begin(stream, { from });
    const seqs: number[] = [];
    if (begin === undefined) return seqs;
    let { next } = begin;
    const place = {
      stream,
      sid: 1,
      topic: undefined,
      lastUntil: begin.lastUntil,
      runs: this.#random.pick([false, true]),
    };
    while (true) {
      const part = replay.read({ ...place, next })!;
      for (const { header } of messagesIn(part.bytes)) seqs.push(header["seq"] as number);
      if (part.next === next) return seqs;
      next = part.next;
    }
  }

  /** All is worked off: every message is acknowledged, dead, or dropped. */
  finish(): void {
    for (const consumer of this.model.consumers) this.join(consumer);
    for (let round = 0; round < 60; round++) {
      this.now += 100;
      for (const member of this.members) {
        this.perform([{ kind: "hungry", member: member.id }]);
        const { consumer } = member;
        const deliveries = consumer.openAt(this.now)
          .filter((number) => consumer.open.get(number)!.member === member.id);
        if (deliveries.length === 0) continue;
        const settlement = ackOf(consumer, member.id, deliveries);
        this.perform([{ kind: "settle", settlement }], () => {
          for (const number of deliveries) consumer.acknowledge(number);
        });
      }
    }
    this.checkReplay();
    let dead = 0;
    for (const consumer of this.model.consumers) {
      dead += consumer.dead.size;
      for (const seq of this.model.kept(this.#floor)) {
        const { topic } = this.model.messages.get(seq)!;
        assert(!this.model.isUnwanted(seq), `${seq} is wanted by a consumer`);
        if (consumer.settings.topic !== undefined && topic === "orders.eu.late") continue;
        assert(consumer.acked.has(seq) || consumer.dead.has(seq), `${seq} is worked off`);
      }
    }
    assertEquals(this.replayed("_dead").length, dead, "each dead letter is kept once");
  }

  [Symbol.dispose](): void {
    this.db.close();
  }
}

/** An acknowledgement that has to be on the disk. */
export function ackOf(
  { name }: ModelConsumer,
  owner: number,
  deliveries: readonly number[],
): Settlement {
  const ack = { kind: "ack", stream: NAME, consumer: name, owner, deliveries } as const;
  return { ...ack, delayMs: undefined, reason: undefined, durable: true };
}
