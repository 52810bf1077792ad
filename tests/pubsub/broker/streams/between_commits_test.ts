/** What begins, ends or fails between two commits of a store. */
import { assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { newStreamSettings, openStreamStore, StreamError } from "../../../../lib/pubsub/mod.ts";
import { Catalog } from "../../../../lib/pubsub/broker/streams/sqlite/catalog.ts";
import { Deliveries } from "../../../../lib/pubsub/broker/streams/sqlite/deliveries.ts";
import { StreamEngine } from "../../../../lib/pubsub/broker/streams/sqlite/engine.ts";
import { Jobs } from "../../../../lib/pubsub/broker/streams/sqlite/jobs.ts";
import { Replay } from "../../../../lib/pubsub/broker/streams/sqlite/replay.ts";
import { STREAM_SCHEMA } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
import { StoreStreamReader } from "../../../../lib/pubsub/broker/streams/sqlite/store_reader.ts";
import { Tables } from "../../../../lib/pubsub/broker/streams/sqlite/tables.ts";
import { migrate } from "../../../../lib/sqlite/schema.ts";
import { deadline } from "../../../support/deadline.ts";
import { Scratch } from "../../../support/scratch.ts";
import { appendOrder, framesIn, publication, UNLIMITED } from "./support.ts";

const PLACE = { stream: "orders", sid: 1, runs: false, topic: undefined };

function openDatabase(): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  migrate(db, ":memory:", STREAM_SCHEMA);
  return db;
}

Deno.test("who reads the last of each topic also gets what was stored a moment before it began", () => {
  using db = openDatabase();
  const engine = new StreamEngine(db);
  let now = 1_000_000;
  const perform = (...orders: Parameters<StreamEngine["perform"]>[0]) =>
    engine.perform(orders, ++now);
  const append = (topic: string, content: string) =>
    perform(appendOrder("orders", publication(topic, content)));
  perform({ kind: "create", name: "orders", settings: UNLIMITED });
  append("orders.a", "a1");
  append("orders.b", "b1");
  perform({ kind: "save", stream: "orders" });
  // That these are the last of their topics is not written yet.
  append("orders.a", "a2");
  append("orders.c", "c1");
  const replay = new Replay(db);
  let place = { ...PLACE, ...replay.begin("orders", { from: "last" })! };
  const texts: string[] = [];
  while (place.next <= 4) {
    const part = replay.read(place)!;
    texts.push(...framesIn(part.bytes).map((frame) => frame.text()));
    place = { ...place, next: part.next };
  }
  assertEquals(texts, ["a1", "b1", "a2", "c1"]);
});

Deno.test("a purge that a failed commit was to go on with goes on where it was", () => {
  using db = openDatabase();
  const tables = new Tables(db);
  const jobs = new Jobs(tables);
  const catalog = new Catalog(tables, new Deliveries(tables), jobs);
  let now = 1_000_000;
  const commit = (orders: Parameters<Catalog["carryOut"]>[0][], fails = false) => {
    now++;
    tables.begin();
    db.exec("BEGIN");
    for (const order of orders) catalog.carryOut(order, now);
    const done = jobs.step(now, true);
    tables.save(now);
    db.exec(fails ? "ROLLBACK" : "COMMIT");
    if (fails) tables.rollBack();
    else tables.committed();
    return done.length;
  };
  commit([{ kind: "create", name: "orders", settings: UNLIMITED }]);
  // Each has a row of its own, and more of them are not looked through in one commit.
  for (let i = 0; i < 10; i++) commit([appendOrder("orders", publication("orders.a", `${i}`))]);
  const purge = { name: "orders", beforeSeq: undefined, topic: "orders.a" };
  assertEquals(commit([{ kind: "purge", ...purge }]), 0);
  assertEquals(commit([], true), 1);
  assertEquals(tables.byName.get("orders")!.count, 2);
  assertEquals(commit([]), 1);
  assertEquals(tables.byName.get("orders")!.count, 0);
});

Deno.test("a reader gets nothing of a stream that took the place of its own", async () => {
  const reading = Promise.withResolvers<Awaited<ReturnType<Replay["read"]>>>();
  const givenBack: Uint8Array[] = [];
  const reader = new StoreStreamReader(
    {
      reader: {
        read: () => ({ part: reading.promise, giveUp() {} }),
        giveBack: (bytes: Uint8Array) => givenBack.push(bytes),
      } as unknown as ConstructorParameters<typeof StoreStreamReader>[0]["reader"],
      lastSeq: () => 1,
      readableSeq: () => 1,
      save: () => Promise.resolve(),
      closed: () => {},
    },
    { ...PLACE, next: 1, lastUntil: 0 },
    1,
  );
  const read = assertRejects(() => reader.read(), StreamError, "was deleted");
  reader.deleted();
  const bytes = publication("orders.a", "of another one");
  reading.resolve({ bytes, count: 1, missed: 0, next: 2 });
  await read;
  assertEquals(givenBack, [bytes]);
});

Deno.test("who joins a consumer that is deleted in the same commit is told", async () => {
  using scratch = new Scratch();
  await using store = await openStreamStore(scratch.at("store"));
  await store.create("orders", newStreamSettings(["orders.>"]));
  const init = { stream: "orders", consumer: "c", owner: 1, sid: 1, settings: {} };
  const joining = store.join({ ...init, start: { from: "all" }, prefetch: 1, runs: false });
  const deleting = store.deleteConsumer("orders", "c");
  const member = await joining;
  await deleting;
  const error = await deadline(assertRejects(() => member.take(), StreamError), "an end", 5_000);
  assertEquals(error.code, "no-consumer");
});

Deno.test("what only a consumer got that is gone is not kept, also after a crash", () => {
  for (const isCrashed of [false, true]) {
    for (const first of [["a"], ["a", "b"]]) {
      using db = openDatabase();
      let engine = new StreamEngine(db);
      let now = 1_000_000;
      const perform = (...orders: Parameters<StreamEngine["perform"]>[0]) =>
        engine.perform(orders, now += 2_000);
      const join = (name: string) => {
        const settings = { topic: `orders.${name}` };
        const init = { ...PLACE, consumer: name, owner: 1, settings, prefetch: 1 };
        perform({ kind: "join", member: 1, init: { ...init, start: { from: "all" } } });
      };
      const count = () => engine.figures()[0]!.count;
      const settings = { ...UNLIMITED, keep: "until-acked" } as const;
      perform({ kind: "create", name: "orders", settings });
      for (const name of first) join(name);
      const frames = ["a", "b", "c"].map((name) => publication(`orders.${name}`, name));
      perform(appendOrder("orders", ...frames));
      for (let i = 0; i < 3; i++) perform();
      assertEquals(count(), first.length, "nobody gets the others");
      // It is gone before anything of it was dropped.
      perform({ kind: "delete-consumer", stream: "orders", consumer: "a" });
      if (isCrashed) engine = new StreamEngine(db);
      if (first.length === 1) {
        for (let i = 0; i < 3; i++) perform();
        assertEquals(count(), 1, "without a consumer all is kept");
        join("b");
      }
      for (let i = 0; i < 3; i++) perform();
      assertEquals(count(), first.length - 1);
    }
  }
});
