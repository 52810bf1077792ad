/** Who publishes an id waits while those of before the start are read; others do not. */
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openStreamStore } from "../../../../lib/pubsub/mod.ts";
import { StreamEngine } from "../../../../lib/pubsub/broker/streams/sqlite/engine.ts";
import type { StoreReport } from "../../../../lib/pubsub/broker/streams/sqlite/orders.ts";
import { STREAM_SCHEMA } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
import { migrate } from "../../../../lib/sqlite/schema.ts";
import { Scratch } from "../../../support/scratch.ts";
import { appendOrder, frameOf, publication, UNLIMITED } from "./support.ts";

const NOW = 1_000_000;
/** In rows of 500 as they are written, so many that they are not read in one go. */
const IDS = 15_000;
const ROW = 500;

/** Notes ids as a process before would have. */
function writeIds(db: DatabaseSync, now: number): void {
  const insert = db.prepare("INSERT INTO recent_id VALUES (1, ?, ?, ?)");
  for (let first = 1; first < IDS; first += ROW) {
    const ids = Array.from({ length: ROW }, (_, i) => [`id ${first + i}`, first + i]);
    insert.run(first + ROW - 1, now, JSON.stringify(ids));
  }
  db.exec(`UPDATE stream SET next = ${IDS + 1}, floor = ${IDS + 1}, time = ${now} WHERE id = 1`);
}

/** An engine whose first stream has ids that are not read yet. */
function engineWithIds(db: DatabaseSync): StreamEngine {
  migrate(db, ":memory:", STREAM_SCHEMA);
  const streams = ["orders", "other"].map((name) => (
    { kind: "create", name, settings: { ...UNLIMITED, topics: [`${name}.>`] } } as const
  ));
  new StreamEngine(db).perform(streams, NOW);
  writeIds(db, NOW);
  return new StreamEngine(db);
}

const withId = (id: string) => publication("orders.a", id, { "msg-id": id });
const other = appendOrder("other", publication("other.a", "x"));

/** What orders are answered with, at once and later, once nothing is to be done at once any more. */
function untilDone(engine: StreamEngine, ...orders: Parameters<StreamEngine["perform"]>[0]) {
  const reports: StoreReport[] = [engine.perform(orders, NOW)];
  while (engine.dueAt === 0 && reports.length < 100) reports.push(engine.perform([], NOW));
  const late = new Map(reports.flatMap((report) => report.late.map((l) => [l.number, l.result])));
  const results = reports[0]!.results.map((r) => "later" in r ? late.get(r.later) : r);
  return { results, first: reports[0]!.results, count: reports.length };
}

Deno.test("publications with ids wait until the ids are read, in their order, and no others do", () => {
  using db = new DatabaseSync(":memory:");
  const engine = engineWithIds(db);
  const known = appendOrder("orders", withId(`id ${IDS}`), withId("new"));
  const { results: [waits, stored] } = engine.perform([known, other], NOW);
  assert(waits && "later" in waits);
  assertEquals(stored, { value: [1] });
  // The memory is used again.
  known.frames.fill(0);
  const plain = appendOrder("orders", publication("orders.a", "plain"), withId("new"));
  const done = untilDone(engine, plain, other);
  assert("later" in done.first[0]!, "what comes behind does not overtake");
  assertEquals(done.results, [{ value: [IDS + 2, -(IDS + 1)] }, { value: [2] }]);
  assert(done.count > 1, "the ids were read a part at a time");
  const frames = db.prepare("SELECT frames FROM run WHERE stream = 1 ORDER BY first").all()
    .map(({ frames }) => frameOf((frames as Uint8Array).slice(0)).text());
  assertEquals(frames[0], "new");
  // From here on they are known.
  assertEquals(engine.perform([appendOrder("orders", withId("id 1"))], NOW).results, [
    { value: [-1] },
  ]);
});

Deno.test("what waits for ids is answered where its stream is deleted, or they are damaged", () => {
  {
    using db = new DatabaseSync(":memory:");
    const engine = engineWithIds(db);
    const order = appendOrder("orders", withId("new"));
    const { results: [result] } = untilDone(engine, order, { kind: "delete", name: "orders" });
    assert(result && "failure" in result);
    assertEquals(result.failure.code, "no-stream");
  }
  using db = new DatabaseSync(":memory:");
  const engine = engineWithIds(db);
  db.exec(`UPDATE recent_id SET ids = 'no ids' WHERE last > ${IDS / 2}`);
  const order = appendOrder("orders", withId("new"));
  const reports = [engine.perform([order], NOW)];
  while (engine.dueAt === 0) reports.push(engine.perform([], NOW));
  assertEquals(reports.at(-1)!.failure?.code, "storage-failed");
  assertEquals(engine.perform([order], NOW).results.map((r) => "failure" in r), [true]);
});

Deno.test("a store that is closed answers what waits for ids before", async () => {
  using scratch = new Scratch();
  const folder = scratch.at("store");
  {
    await using store = await openStreamStore(folder);
    await store.create("orders", UNLIMITED);
  }
  {
    using db = new DatabaseSync(`${folder}/socktool.db`);
    writeIds(db, Date.now());
  }
  const answers: unknown[] = [];
  {
    await using store = await openStreamStore(folder);
    for (const id of ["id 7", "new"]) {
      store.append("orders", frameOf(withId(id)), 1, (answer) => answers.push(answer));
    }
  }
  assertEquals(answers, [{ seq: 7, duplicate: true }, { seq: IDS + 1, duplicate: false }]);
});
