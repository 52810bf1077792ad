/** What a store does for its consumers in one commit is bounded, and connections take turns. */
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { newStreamSettings } from "../../../../lib/pubsub/mod.ts";
import { StreamEngine } from "../../../../lib/pubsub/broker/streams/sqlite/engine.ts";
import type {
  StoreOrder,
  StoreReport,
} from "../../../../lib/pubsub/broker/streams/sqlite/orders.ts";
import { STREAM_SCHEMA } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
import type {
  ConsumerFigures,
  ConsumerSettings,
  StreamSettings,
} from "../../../../lib/pubsub/broker/streams/stream_store.ts";
import { migrate } from "../../../../lib/sqlite/schema.ts";
import { appendOrder, messagesIn, publication } from "./support.ts";

/** A store with one stream, and its consumers, each with a member of the same number. */
class Place implements Disposable {
  readonly #db = new DatabaseSync(":memory:");
  readonly #engine: StreamEngine;
  readonly #streams = new Map<number, string>();
  now = 1_000_000;

  constructor() {
    migrate(this.#db, ":memory:", STREAM_SCHEMA);
    this.#engine = new StreamEngine(this.#db);
  }

  perform(...orders: readonly StoreOrder[]): StoreReport {
    return this.#engine.perform(orders, this.now);
  }

  create(
    name: string,
    topics: readonly string[],
    settings: StreamSettings = newStreamSettings([`${name}.>`]),
  ): void {
    this.perform({ kind: "create", name, settings });
    this.perform(appendOrder(name, ...topics.map((topic) => publication(`${name}.${topic}`, ""))));
    while (this.isDue) this.perform();
  }

  join(member: number, stream: string, owner: number, settings: Partial<ConsumerSettings>): void {
    const init = { stream, consumer: `c${member}`, owner, sid: 1, settings, runs: true };
    const start = { from: "all" } as const;
    this.#streams.set(member, stream);
    this.perform({ kind: "join", member, init: { ...init, start, prefetch: undefined } });
  }

  figures(member: number): ConsumerFigures {
    const stream = this.#streams.get(member)!;
    const which = { only: `c${member}` };
    const [result] = this.perform({ kind: "consumers", stream, which }).results;
    return (result as { value: ConsumerFigures[] }).value[0]!;
  }

  /** Whether something is to be done at once. */
  get isDue(): boolean {
    return this.#engine.dueAt <= this.now;
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

const hungry = (member: number): StoreOrder => ({ kind: "hungry", member });

const count = ({ deliveries }: StoreReport, member: number): number =>
  deliveries.filter((each) => each.member === member).reduce((sum, each) => sum + each.count, 0);

/** Consumers of the first connection; that of the other one has the next number. */
const MANY = 30;

const numbers = (length: number) => Array.from({ length }, (_, i) => i);

Deno.test("consumers that look for what is not there are served a little in each commit", () => {
  using place = new Place();
  place.create("big", numbers(5_000).map((i) => `t${i}`));
  place.create("small", ["a"]);
  for (const i of numbers(MANY)) place.join(i, "big", 1, { topic: "big.*.y" });
  place.join(MANY, "small", 2, {});
  const report = place.perform(...numbers(MANY).map(hungry));
  assertEquals(report.deliveries, []);
  const positions = () => {
    const [result] = place.perform({ kind: "consumers", stream: "big", which: {} }).results;
    return (result as { value: ConsumerFigures[] }).value.map(({ position }) => position - 1);
  };
  const looked = positions().reduce((sum, each) => sum + each, 0);
  assert(looked < MANY * 500, `${looked} messages were looked at`);
  assertEquals(count(place.perform(hungry(MANY)), MANY), 1);
  while (place.isDue) place.perform();
  assertEquals(positions(), numbers(MANY).map(() => 5_000));
});

Deno.test("consumers of one connection that have much to get delay another's by one of them", () => {
  using place = new Place();
  place.create("big", numbers(20_000).map(() => "t"));
  place.create("small", numbers(100).map(() => "a"));
  for (const i of numbers(MANY)) place.join(i, "big", 1, { maxUnacked: 10_000 });
  place.join(MANY, "small", 2, {});
  place.perform(...numbers(MANY).map(hungry));
  // Those of the first wait for more as soon as they have got something.
  const report = place.perform(...numbers(MANY).map(hungry), hungry(MANY));
  const [first, second] = report.deliveries.map(({ member }) => member);
  assert(first === MANY || second === MANY, `${first} and ${second} came first`);
  assert(report.deliveries.length < MANY, "all were served in one commit");
});

Deno.test("dead letters are made a few in each commit, all in the end, and counted as they come and go", () => {
  using place = new Place();
  place.create("big", numbers(1_000).map(() => "t"));
  place.join(0, "big", 1, { maxUnacked: 10_000, ackWaitMs: 100, maxAttempts: 1 });
  assertEquals(place.figures(0).dead, 0);
  for (const _ of numbers(2)) place.perform(hungry(0));
  place.now += 100;
  const letters = () => place.perform().deadLetters.length;
  let all = letters();
  assert(all > 0 && all < 500, `${all} dead letters in one commit`);
  while (place.isDue) all += letters();
  assertEquals(all, 1_000);
  assertEquals([place.figures(0).dead, place.figures(0).unacked], [1_000, 0]);
  const purge = (beforeSeq: number | undefined, topic: string | undefined) => {
    place.perform({ kind: "purge", name: "_dead", beforeSeq, topic });
    while (place.isDue) place.perform();
    return place.figures(0).dead;
  };
  assertEquals(purge(101, undefined), 900);
  assertEquals(purge(301, "_dead.big.*"), 700);
  // One comes again, and is done with.
  place.perform({ kind: "redrive", stream: "big", consumer: "c0" });
  const [redelivered] = place.perform(hungry(0)).deliveries;
  const [first] = messagesIn(redelivered!.bytes);
  const deliveries = [first!.header["delivery"] as number];
  const done = { stream: "big", consumer: "c0", owner: 1, deliveries, durable: false };
  const settlement = { ...done, kind: "ack", delayMs: undefined, reason: undefined } as const;
  place.perform({ kind: "settle", settlement });
  assertEquals(place.figures(0).dead, 699);
});

Deno.test("all consumers together take a bounded number of messages, and each may take some", () => {
  using place = new Place();
  place.create("big", numbers(10_000).map(() => "t"));
  for (const i of numbers(MANY)) place.join(i, "big", 1, { maxUnacked: 10_000, ackWaitMs: 1e9 });
  for (let taken = -1, before = -2; taken > before;) {
    before = taken;
    place.perform(...numbers(MANY).map(hungry));
    taken = numbers(MANY).reduce((sum, i) => sum + place.figures(i).unacked, 0);
  }
  const taken = numbers(MANY).map((i) => place.figures(i).unacked);
  const sum = taken.reduce((a, b) => a + b, 0);
  assert(sum > 100_000 && sum < 150_000, `${sum} messages are taken`);
  assert(Math.min(...taken) >= 16, `one has ${Math.min(...taken)}`);
  place.join(MANY, "big", 2, {});
  assertEquals(count(place.perform(hungry(MANY)), MANY), 16);
});

Deno.test("consumers that come and go have what others are done with looked for twice, not each time", () => {
  using place = new Place();
  const settings = { ...newStreamSettings(["big.>"]), keep: "until-acked" } as const;
  place.create("big", numbers(5_000).map((i) => `t${i}`), settings);
  place.join(0, "big", 1, { maxUnacked: 10_000 });
  place.join(1, "big", 1, { topic: "big.t1.>" });
  const init = { stream: "big", owner: 2, sid: 1, settings: {}, start: { from: "all" } } as const;
  const orders = numbers(60).flatMap((i): StoreOrder[] => [
    {
      kind: "join",
      member: 100 + i,
      init: { ...init, consumer: `x${i}`, prefetch: undefined, runs: true },
    },
    { kind: "delete-consumer", stream: "big", consumer: `x${i}` },
  ]);
  place.perform(...orders);
  let commits = 1;
  for (; place.isDue; commits++) place.perform();
  assert(commits < 20, `it took ${commits} commits`);
  // The first consumer is done with all, which is dropped once the one that is not has gone.
  place.join(2, "big", 1, {});
  const deliveries: number[] = [];
  while (deliveries.length < 5_000) {
    const bytes = place.perform(hungry(0)).deliveries[0]?.bytes;
    if (bytes === undefined) continue;
    deliveries.push(...messagesIn(bytes).map(({ header }) => header["delivery"] as number));
  }
  const done = { stream: "big", consumer: "c0", owner: 1, deliveries, durable: false };
  const settlement = { ...done, kind: "ack", delayMs: undefined, reason: undefined } as const;
  const [acknowledged] = place.perform({ kind: "settle", settlement }).results;
  assertEquals(acknowledged, { value: undefined });
  let kept: number | undefined;
  for (const consumer of ["c2", "c1"]) {
    const report = place.perform({ kind: "delete-consumer", stream: "big", consumer });
    kept = report.changed.at(-1)?.count ?? kept;
    while (place.isDue) kept = place.perform().changed.at(-1)?.count ?? kept;
  }
  assertEquals(kept, 0);
});

Deno.test("what is too old is looked for in a few streams in each commit, and in all within a second", () => {
  using place = new Place();
  const settings = (name: string) => ({ ...newStreamSettings([`${name}.>`]), maxAgeMs: 500 });
  const names = numbers(100).map((i) => `s${i}`);
  for (const name of names) place.create(name, ["a"], settings(name));
  place.now += 2_000;
  const dropped = () => place.perform().changed.filter((each) => each.count === 0).length;
  const first = dropped();
  assert(first > 0 && first < 50, `it was dropped of ${first} streams in one commit`);
  let all = first;
  while (place.isDue) all += dropped();
  assertEquals(all, 100);
});
