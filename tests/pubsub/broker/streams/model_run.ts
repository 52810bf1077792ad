/**
 * A run of random operations on an engine, with crashes and failing commits, beside the model.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { migrate } from "../../../../lib/sqlite/schema.ts";
import type {
  ConsumerSettings,
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
import { Model, ModelConsumer } from "./model.ts";
import { Random } from "../../../soak/random.ts";
import { engineOver, MemoryFile } from "./journal_support.ts";
import { appendOrder, framesIn, messagesIn, publication, UNLIMITED } from "./support.ts";

const TOPICS = ["orders.eu", "orders.us", "orders.eu.late", "orders.x"];
const STEPS = 60;
const NAME = "orders";

interface MemberOfRun {
  readonly id: number;
  readonly consumer: ModelConsumer;
}

/** Runs one sequence of operations; throws where the engine broke a promise. */
export function runModel(seed: number): void {
  const run = new ModelRun(seed);
  try {
    run.run();
  } finally {
    run.db.close();
  }
}

class ModelRun {
  readonly db = new DatabaseSync(":memory:");
  readonly #file = new MemoryFile();
  readonly #random: Random;
  readonly #model: Model;
  #engine: StreamEngine;
  #now = 1_000_000;
  #members: MemberOfRun[] = [];
  #lastMember = 0;
  #body = 0;
  #floor = 1;

  constructor(seed: number) {
    this.#random = new Random(seed);
    migrate(this.db, ":memory:", STREAM_SCHEMA);
    this.#engine = engineOver(this.db, this.#file);
    const settings: StreamSettings = {
      ...UNLIMITED,
      dedupMs: 200,
      maxCount: this.#pick([Infinity, 7]),
      maxAgeMs: this.#pick([Infinity, Infinity, 2_000]),
      maxPerTopic: this.#pick([Infinity, Infinity, 2]),
      keep: this.#pick(["limits", "until-acked"]),
    };
    const consumers = ["a", "b"].slice(0, this.#pick([1, 2])).map((name) => {
      const own: ConsumerSettings = {
        topic: this.#pick([undefined, "orders.*"]),
        ackWaitMs: 100,
        maxAttempts: this.#pick([0, 2, 3]),
        maxUnacked: this.#pick([3, 256]),
        backoffMs: this.#pick([[], [30, 60]]),
      };
      return new ModelConsumer(name, own);
    });
    this.#model = new Model(settings, consumers);
    this.#perform([{ kind: "create", name: NAME, settings }]);
    for (const consumer of consumers) this.#join(consumer);
  }

  run(): void {
    for (let i = 0; i < STEPS; i++) {
      this.#step();
      this.#now += this.#pick([0, 1, 7, 20, 60]);
      if (i % 8 === 0) this.#checkReplay();
    }
    this.#finish();
  }

  #step(): void {
    const at = this.#random.next();
    if (at < 0.3) return this.#append();
    if (at < 0.5) return this.#take();
    if (at < 0.72) return this.#settle();
    if (at < 0.77) return this.#joinOrLeave();
    if (at < 0.82) return this.#crash();
    if (at < 0.9) return this.#fail();
    if (at < 0.93) return this.#purge();
    if (at < 0.96) this.#now += 250;
    this.#perform([]);
  }

  #append(): void {
    const count = this.#pick([1, 1, 2, 4, 6]);
    const sent = Array.from({ length: count }, () => {
      const topic = this.#pick(TOPICS);
      const id = this.#pick([undefined, "m1", "m2", "m3", "m4"]);
      // Where limits drop messages, a topic's last may be gone.
      const isKnown = this.#model.settings.keep === "limits" &&
        this.#model.settings.maxCount === Infinity && this.#model.settings.maxAgeMs === Infinity &&
        this.#model.purged === 1;
      const expected = isKnown && this.#random.next() < 0.3
        ? this.#model.lastOf(topic) + this.#pick([0, 0, 1])
        : undefined;
      return { topic, id, expected, body: `body ${++this.#body}` };
    });
    const frames = sent.map(({ topic, id, expected, body }) =>
      publication(topic, body, { "msg-id": id, "expect-seq": expected })
    );
    this.#perform([appendOrder(NAME, ...frames)], ([result]) => {
      assert(result && "value" in result);
      this.#noteStored(sent, result.value as readonly (number | { code: string })[]);
    });
  }

  #noteStored(
    sent: readonly {
      topic: string;
      id?: string | undefined;
      expected?: number | undefined;
      body: string;
    }[],
    outcomes: readonly (number | { code: string })[],
  ): void {
    let stored = 0;
    sent.forEach(({ topic, id, expected, body }, i) => {
      const outcome = outcomes[i]!;
      const duplicate = this.#model.duplicateOf(id, this.#now);
      if (duplicate !== undefined) return assertEquals(outcome, -duplicate, "a duplicate");
      if (expected !== undefined && expected !== this.#model.lastOf(topic)) {
        assert(typeof outcome === "object" && outcome.code === "wrong-seq", "a wrong seq");
        return;
      }
      assert(typeof outcome === "number" && outcome > 0, `stored: ${JSON.stringify(outcome)}`);
      this.#model.stored(outcome, topic, body, id, this.#now);
      stored++;
    });
    this.#model.largestRun = Math.max(this.#model.largestRun, stored);
    this.#model.trim();
  }

  #take(): void {
    const member = this.#pick(this.#members);
    if (member) this.#perform([{ kind: "hungry", member: member.id }]);
  }

  #settle(): void {
    const member = this.#pick(this.#members);
    if (member === undefined) return;
    const { consumer } = member;
    const mine = consumer.openAt(this.#now).filter((n) =>
      consumer.open.get(n)!.member === member.id
    );
    const others = consumer.openAt(this.#now).filter((n) => !mine.includes(n));
    const deliveries = [...mine.filter(() => this.#random.next() < 0.6), ...others.slice(0, 1)];
    const kind = this.#pick(["ack", "ack", "ack", "nack", "working"] as const);
    const delayMs = kind === "nack" ? this.#pick([undefined, 40]) : undefined;
    const settlement = {
      kind,
      stream: NAME,
      consumer: consumer.name,
      owner: member.id,
      deliveries,
      delayMs,
      reason: undefined,
      durable: this.#random.next() < 0.5,
    };
    const stale = others.slice(0, 1);
    const isAccepted = (number: number) => !stale.includes(number);
    const backoffs = new Map(
      deliveries.filter(isAccepted).map((number) => {
        const { attempts } = consumer.progress.get(consumer.open.get(number)!.seq)!;
        const { backoffMs } = consumer.settings;
        return [number, backoffMs[Math.min(attempts, backoffMs.length) - 1] ?? 0];
      }),
    );
    const { results: [result] } = this.#perform([{ kind: "settle", settlement }], () => {
      for (const number of deliveries.filter(isAccepted)) {
        if (kind === "ack") consumer.acknowledge(number);
        else if (kind === "working") {
          consumer.open.get(number)!.until = this.#now + consumer.settings.ackWaitMs;
        } else consumer.giveBack(number, this.#now + (delayMs ?? backoffs.get(number)!));
      }
    });
    assert(result);
    if (stale.length === 0) assert("value" in result, "settled");
    else {
      assert("failure" in result && result.failure.code === "stale-ack");
      assertEquals(result.failure.stale, stale);
    }
  }

  #joinOrLeave(): void {
    const member = this.#members.length > 2 ? this.#pick(this.#members) : undefined;
    if (member === undefined) {
      return this.#join(this.#pick(this.#model.consumers as ModelConsumer[]));
    }
    this.#members.splice(this.#members.indexOf(member), 1);
    const { id, consumer } = member;
    // What it acknowledges last, in the same commit, counts.
    const [last] = consumer.openAt(this.#now).filter((n) => consumer.open.get(n)!.member === id);
    const orders: StoreOrder[] = last === undefined
      ? []
      : [{ kind: "settle", settlement: ackOf(consumer, id, [last]) }];
    orders.push({ kind: "leave", member: id, counted: true });
    this.#perform(orders, () => {
      if (last !== undefined) consumer.acknowledge(last);
      for (const [number, open] of member.consumer.open) {
        if (open.member === member.id && open.until > this.#now) {
          member.consumer.giveBack(number, 0);
        }
      }
    });
  }

  #join(consumer: ModelConsumer): void {
    const id = ++this.#lastMember;
    const init = {
      stream: NAME,
      consumer: consumer.name,
      owner: id,
      sid: id,
      settings: consumer.settings,
      start: { from: "all" } as const,
      prefetch: this.#pick([undefined, 2]),
      runs: this.#pick([false, true]),
    };
    this.#members.push({ id, consumer });
    const { results: [result] } = this.#perform([{ kind: "join", member: id, init }]);
    assert(result && "value" in result, JSON.stringify(result));
  }

  /** The engine ends without a word; another one begins with what was committed. */
  #crash(): void {
    // Rows that an earlier version wrote do not tell where their frames end.
    if (this.#random.next() < 0.5) this.db.exec("UPDATE run SET ends = NULL WHERE id % 2 = 0");
    this.#file.cutPower((bytes) => this.#random.int(0, bytes));
    this.#engine = engineOver(this.db, this.#file);
    this.#members = [];
    this.#model.crashed();
    this.#now += 1;
    for (const consumer of this.#model.consumers) this.#join(consumer);
  }

  /** The disk is full: nothing of what is asked is done. */
  #fail(): void {
    // What SQLite keeps for later has to be used up first.
    this.db.exec("VACUUM");
    const pages = this.db.prepare("PRAGMA page_count").get()?.["page_count"];
    this.db.exec(`PRAGMA max_page_count = ${pages}`);
    const member = this.#members.find(({ consumer }) => consumer.openAt(this.#now).length > 0);
    const orders: StoreOrder[] = [
      appendOrder(NAME, publication(TOPICS[0]!, "x".repeat(100_000))),
    ];
    if (member) {
      const [number] = member.consumer.openAt(this.#now)
        .filter((each) => member.consumer.open.get(each)!.member === member.id);
      if (number !== undefined) {
        const settlement = ackOf(member.consumer, member.id, [number]);
        orders.push({ kind: "settle", settlement });
      }
    }
    // With this one the journal is not asked, and the second try fails too: what is acknowledged has
    // to be taken back.
    orders.push({ kind: "retain", topic: "t", frame: new Uint8Array(100_000) });
    const { results } = this.#perform(orders);
    this.db.exec("PRAGMA max_page_count = 1000000");
    for (const result of results) {
      assert("failure" in result, "a full disk is told");
      assertEquals(result.failure.code, "storage-full");
    }
    this.#perform([]);
  }

  #purge(): void {
    const beforeSeq = Math.max(1, this.#model.next - this.#pick([0, 1, 3]));
    const topic = this.#pick([undefined, "orders.eu"]);
    this.#perform([{ kind: "purge", name: NAME, beforeSeq, topic }], () => {
      if (topic === undefined) this.#model.purged = Math.max(this.#model.purged, beforeSeq);
    });
    for (let i = 0; i < 30 && this.#engine.dueAt === 0; i++) this.#perform([]);
    // Until it is done, what is purged may still be delivered.
    for (const [seq, message] of this.#model.messages) {
      if (seq < beforeSeq && (topic === undefined || message.topic === topic)) {
        this.#model.gone.add(seq);
      }
    }
  }

  /** @param apply Notes what was asked in the model, before what the report tells is looked at. */
  #perform(
    orders: readonly StoreOrder[],
    apply?: (results: StoreReport["results"]) => void,
  ): StoreReport {
    const report = this.#engine.perform(orders, this.#now);
    assertEquals(report.results.length, orders.length);
    apply?.(report.results);
    for (const { frame } of report.deadLetters) {
      const dead = framesIn(frame)[0]!.header["dead"] as Record<string, number> & {
        consumer: string;
      };
      const consumer = this.#model.consumers.find(({ name }) => name === dead.consumer)!;
      this.#model.buried(consumer, dead["seq"]!, dead["attempts"]!);
    }
    for (const figures of report.changed) {
      if (figures.name !== NAME) continue;
      this.#model.dropped(this.#floor, figures.firstSeq, this.#now);
      this.#floor = figures.firstSeq;
    }
    this.#model.sweep(this.#floor);
    for (const { member, bytes, count } of report.deliveries) {
      const { consumer } = this.#members.find(({ id }) => id === member)!;
      const frames = messagesIn(bytes);
      assertEquals(frames.length, count);
      for (const frame of frames) {
        assert(!this.#model.gone.has(frame.header["seq"] as number), "it is not gone");
        this.#model.delivered(consumer, member, frame, this.#now);
      }
    }
    return report;
  }

  /** What is replayed is what is kept, and the figures say so. */
  #checkReplay(): void {
    // This may drop what became too old since that was last looked for.
    this.#perform([{ kind: "save", stream: NAME }]);
    for (let i = 0; i < 30; i++) {
      this.#perform([]);
      if (this.#engine.dueAt > 0) break;
    }
    const [figures] = this.#engine.figures().filter(({ name }) => name === NAME);
    assert(figures);
    this.#floor = figures.firstSeq;
    assertEquals(figures.lastSeq, this.#model.next - 1);
    this.#model.checkLimits(this.#floor, this.#now);
    const expected = this.#model.kept(this.#floor);
    assertEquals(figures.count, expected.length, "the figures count what is kept");
    assertEquals(this.#replayed(NAME), expected, "what is kept is replayed");
    const lasts = new Set(TOPICS.map((topic) => this.#model.lastOf(topic)));
    const kept = expected.filter((seq) => lasts.has(seq));
    assertEquals(this.#replayed(NAME, "last"), kept, "the last of each topic is replayed");
  }

  #replayed(stream: string, from: "all" | "last" = "all"): number[] {
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
      runs: this.#pick([false, true]),
    };
    while (true) {
      const part = replay.read({ ...place, next })!;
      for (const { header } of messagesIn(part.bytes)) seqs.push(header["seq"] as number);
      if (part.next === next) return seqs;
      next = part.next;
    }
  }

  /** All is worked off: every message is acknowledged, dead, or dropped. */
  #finish(): void {
    for (const consumer of this.#model.consumers) this.#join(consumer);
    for (let round = 0; round < 60; round++) {
      this.#now += 100;
      for (const member of this.#members) {
        this.#perform([{ kind: "hungry", member: member.id }]);
        const { consumer } = member;
        const deliveries = consumer.openAt(this.#now)
          .filter((number) => consumer.open.get(number)!.member === member.id);
        if (deliveries.length === 0) continue;
        const settlement = ackOf(consumer, member.id, deliveries);
        this.#perform([{ kind: "settle", settlement }], () => {
          for (const number of deliveries) consumer.acknowledge(number);
        });
      }
    }
    this.#checkReplay();
    let dead = 0;
    for (const consumer of this.#model.consumers) {
      dead += consumer.dead.size;
      for (const seq of this.#model.kept(this.#floor)) {
        const { topic } = this.#model.messages.get(seq)!;
        if (consumer.settings.topic !== undefined && topic === "orders.eu.late") continue;
        assert(consumer.acked.has(seq) || consumer.dead.has(seq), `${seq} is worked off`);
      }
    }
    assertEquals(this.#replayed("_dead").length, dead, "each dead letter is kept once");
  }

  #pick<T>(from: readonly T[]): T {
    return this.#random.pick(from);
  }
}

/** An acknowledgement that has to be on the disk. */
function ackOf({ name }: ModelConsumer, owner: number, deliveries: readonly number[]): Settlement {
  const ack = { kind: "ack", stream: NAME, consumer: name, owner, deliveries } as const;
  return { ...ack, delayMs: undefined, reason: undefined, durable: true };
}
