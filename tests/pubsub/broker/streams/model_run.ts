/**
 * A run of random operations on an engine, with crashes and failing commits, beside the model.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type {
  ConsumerSettings,
  StreamSettings,
} from "../../../../lib/pubsub/broker/streams/stream_store.ts";
import type { StoreOrder } from "../../../../lib/pubsub/broker/streams/sqlite/orders.ts";
import { Random } from "../../../soak/random.ts";
import { type Model, ModelConsumer } from "./model.ts";
import { ackOf, ModelledEngine, NAME, TOPICS } from "./modelled_engine.ts";
import { appendOrder, publication, UNLIMITED } from "./support.ts";

const STEPS = 60;

/** Runs one sequence of operations; throws where the engine broke a promise. */
export function runModel(seed: number): void {
  using run = new ModelRun(seed);
  run.run();
}

class ModelRun implements Disposable {
  readonly #random: Random;
  readonly #engine: ModelledEngine;
  readonly #model: Model;
  #body = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
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
    this.#engine = new ModelledEngine(this.#random, settings, consumers);
    this.#model = this.#engine.model;
  }

  run(): void {
    for (let i = 0; i < STEPS; i++) {
      this.#step();
      this.#engine.now += this.#pick([0, 1, 7, 20, 60]);
      if (i % 8 === 0) this.#engine.checkReplay();
    }
    this.#engine.finish();
  }

  #step(): void {
    const at = this.#random.next();
    if (at < 0.3) return this.#append();
    if (at < 0.5) return this.#take();
    if (at < 0.72) return this.#settle();
    if (at < 0.77) return this.#joinOrLeave();
    if (at < 0.82) return this.#engine.crash();
    if (at < 0.9) return this.#fail();
    if (at < 0.93) return this.#purge();
    if (at < 0.96) this.#engine.now += 250;
    this.#engine.perform([]);
  }

  #append(): void {
    const count = this.#pick([1, 1, 2, 4, 6]);
    const sent = Array.from({ length: count }, () => {
      const topic = this.#pick(TOPICS);
      const id = this.#pick([undefined, "m1", "m2", "m3", "m4"]);
      // Where limits drop messages, a topic's last may be gone, and so it may be by a purge.
      const { keep, maxCount, maxAgeMs } = this.#model.settings;
      const isKnown = keep === "limits" && maxCount === Infinity && maxAgeMs === Infinity &&
        this.#model.purged === 1 && !this.#model.gone.has(this.#model.lastOf(topic));
      const expected = isKnown && this.#random.next() < 0.3
        ? this.#model.lastOf(topic) + this.#pick([0, 0, 1])
        : undefined;
      return { topic, id, expected, body: `body ${++this.#body}` };
    });
    const frames = sent.map(({ topic, id, expected, body }) =>
      publication(topic, body, { "msg-id": id, "expect-seq": expected })
    );
    this.#engine.perform([appendOrder(NAME, ...frames)], ([result]) => {
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
      const duplicate = this.#model.duplicateOf(id, this.#engine.now);
      if (duplicate !== undefined) return assertEquals(outcome, -duplicate, "a duplicate");
      if (expected !== undefined && expected !== this.#model.lastOf(topic)) {
        assert(typeof outcome === "object" && outcome.code === "wrong-seq", "a wrong seq");
        return;
      }
      assert(typeof outcome === "number" && outcome > 0, `stored: ${JSON.stringify(outcome)}`);
      this.#model.stored(outcome, topic, body, id, this.#engine.now);
      stored++;
    });
    this.#model.largestRun = Math.max(this.#model.largestRun, stored);
    this.#model.trim();
  }

  #take(): void {
    const member = this.#pick(this.#engine.members);
    if (member) this.#engine.perform([{ kind: "hungry", member: member.id }]);
  }

  #settle(): void {
    const member = this.#pick(this.#engine.members);
    if (member === undefined) return;
    const { consumer } = member;
    const mine = consumer.openAt(this.#engine.now).filter((n) =>
      consumer.open.get(n)!.member === member.id
    );
    const others = consumer.openAt(this.#engine.now).filter((n) => !mine.includes(n));
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
    const { results: [result] } = this.#engine.perform([{ kind: "settle", settlement }], () => {
      for (const number of deliveries.filter(isAccepted)) {
        if (kind === "ack") consumer.acknowledge(number);
        else if (kind === "working") {
          consumer.open.get(number)!.until = this.#engine.now + consumer.settings.ackWaitMs;
        } else consumer.giveBack(number, this.#engine.now + (delayMs ?? backoffs.get(number)!));
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
    const member = this.#engine.members.length > 2 ? this.#pick(this.#engine.members) : undefined;
    if (member === undefined) {
      return this.#engine.join(this.#pick(this.#model.consumers as ModelConsumer[]));
    }
    this.#engine.members.splice(this.#engine.members.indexOf(member), 1);
    const { id, consumer } = member;
    // What it acknowledges last, in the same commit, counts.
    const [last] = consumer.openAt(this.#engine.now).filter((n) =>
      consumer.open.get(n)!.member === id
    );
    const orders: StoreOrder[] = last === undefined
      ? []
      : [{ kind: "settle", settlement: ackOf(consumer, id, [last]) }];
    orders.push({ kind: "leave", member: id, counted: true });
    this.#engine.perform(orders, () => {
      if (last !== undefined) consumer.acknowledge(last);
      for (const [number, open] of member.consumer.open) {
        if (open.member === member.id && open.until > this.#engine.now) {
          member.consumer.giveBack(number, 0);
        }
      }
    });
  }

  /** The disk is full: nothing of what is asked is done. */
  #fail(): void {
    // What SQLite keeps for later has to be used up first.
    this.#engine.db.exec("VACUUM");
    const pages = this.#engine.db.prepare("PRAGMA page_count").get()?.["page_count"];
    this.#engine.db.exec(`PRAGMA max_page_count = ${pages}`);
    const member = this.#engine.members.find(({ consumer }) =>
      consumer.openAt(this.#engine.now).length > 0
    );
    const orders: StoreOrder[] = [
      appendOrder(NAME, publication(TOPICS[0]!, "x".repeat(100_000))),
    ];
    if (member) {
      const [number] = member.consumer.openAt(this.#engine.now)
        .filter((each) => member.consumer.open.get(each)!.member === member.id);
      if (number !== undefined) {
        const settlement = ackOf(member.consumer, member.id, [number]);
        orders.push({ kind: "settle", settlement });
      }
    }
    // With this one the journal is not asked, and the second try fails too: what is acknowledged has
    // to be taken back.
    orders.push({ kind: "retain", topic: "t", frame: new Uint8Array(100_000) });
    const { results } = this.#engine.perform(orders);
    this.#engine.db.exec("PRAGMA max_page_count = 1000000");
    for (const result of results) {
      assert("failure" in result, "a full disk is told");
      assertEquals(result.failure.code, "storage-full");
    }
    this.#engine.perform([]);
  }

  #purge(): void {
    const beforeSeq = Math.max(1, this.#model.next - this.#pick([0, 1, 3]));
    const topic = this.#pick([undefined, "orders.eu"]);
    this.#engine.perform([{ kind: "purge", name: NAME, beforeSeq, topic }], () => {
      if (topic === undefined) {
        this.#model.purged = Math.max(this.#model.purged, beforeSeq);
      }
    });
    for (let i = 0; i < 30 && this.#engine.dueAt === 0; i++) this.#engine.perform([]);
    // Until it is done, what is purged may still be delivered.
    for (const [seq, message] of this.#model.messages) {
      if (seq < beforeSeq && (topic === undefined || message.topic === topic)) {
        this.#model.gone.add(seq);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#engine[Symbol.dispose]();
  }

  #pick<T>(from: readonly T[]): T {
    return this.#random.pick(from);
  }
}
