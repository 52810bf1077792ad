/** What is written about messages now and then is written in the end, and found out after a crash. */
import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { StreamEngine } from "../../../../lib/pubsub/broker/streams/sqlite/engine.ts";
import { STREAM_SCHEMA } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
import { migrate } from "../../../../lib/sqlite/schema.ts";
import { engineOver, MemoryFile } from "./journal_support.ts";
import { appendOrder, publication, UNLIMITED } from "./support.ts";

const STREAMS = Array.from({ length: 10 }, (_, i) => `s${i}`);

Deno.test("streams for which nothing comes any more are written too, a few in each commit", () => {
  using db = new DatabaseSync(":memory:");
  migrate(db, ":memory:", STREAM_SCHEMA);
  const engine = new StreamEngine(db);
  let now = 1_000_000;
  for (const name of STREAMS) {
    const settings = { ...UNLIMITED, topics: [name] };
    engine.perform([{ kind: "create", name, settings }], now);
  }
  const append = (name: string, id?: string) => {
    const frames = publication(name, "x", { "msg-id": id });
    const { results: [result] } = engine.perform(
      [appendOrder(name, frames)],
      ++now,
    );
    return (result as { value: unknown }).value;
  };
  const written = () =>
    db.prepare("SELECT name FROM stream WHERE next > 1").all().map(({ name }) => name);
  for (const name of STREAMS) assertEquals(append(name, "id"), [1]);
  assertEquals(written(), [], "nothing is written at once");
  now += 1_000;
  const counts = [2, 3, 4].map((seq) => {
    assertEquals(append("s0"), [seq]);
    return written().length;
  });
  assertEquals(counts, [5, 9, 10]);
  const again = new StreamEngine(db);
  assertEquals(again.figures().map(({ lastSeq }) => lastSeq), [
    4,
    ...STREAMS.slice(1).map(() => 1),
  ]);
  const frames = publication("s5", "x", { "msg-id": "id" });
  const order = appendOrder("s5", frames);
  assertEquals(again.perform([order], now).results, [{ value: [-1] }]);
});

Deno.test("a purge that takes several commits is answered when the disk has it", () => {
  using db = new DatabaseSync(":memory:");
  migrate(db, ":memory:", STREAM_SCHEMA);
  const engine = engineOver(db, new MemoryFile());
  engine.perform([{ kind: "create", name: "orders", settings: UNLIMITED }], 1);
  // It has no row yet.
  engine.perform([appendOrder("orders", publication("orders.a", "x"))], 1);
  for (const topic of [undefined, "orders.*"]) {
    const purge = { kind: "purge", name: "orders", beforeSeq: undefined, topic } as const;
    let { late } = engine.perform([purge], 1);
    let commits = 1;
    for (; late.length === 0; commits++) late = engine.perform([], 1).late;
    assertEquals(commits > 1, true);
    assertEquals(db.prepare("PRAGMA synchronous").get(), { synchronous: 2 });
    engine.perform([appendOrder("orders", publication("orders.a", "x"))], 1);
  }
});
