/** Streams and consumers have a bound, and many messages cost no memory. */
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { migrate } from "../../../../lib/sqlite/schema.ts";
import { StreamEngine } from "../../../../lib/pubsub/broker/streams/sqlite/engine.ts";
import type { StoreOrder } from "../../../../lib/pubsub/broker/streams/sqlite/orders.ts";
import { STREAM_SCHEMA } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
import { newStreamSettings, openStreamStore } from "../../../../lib/pubsub/mod.ts";
import { script, ServerProgram } from "../../../support/programs.ts";
import { Scratch } from "../../../support/scratch.ts";
import { appendOrder, frameOf, publication } from "./support.ts";

const STREAMS = 100;
const CONSUMERS_EACH = 1_000;

Deno.test("100,000 consumers are refused from the bound on, and those that are there work", () => {
  using db = new DatabaseSync(":memory:");
  migrate(db, ":memory:", STREAM_SCHEMA);
  const engine = new StreamEngine(db);
  let member = 0;
  const outcomes = new Map<string, number>();
  for (let i = 0; i < STREAMS; i++) {
    const stream = `s${i}`;
    const settings = newStreamSettings([`s${i}.>`]);
    const orders: StoreOrder[] = [{ kind: "create", name: stream, settings }];
    for (let c = 0; c <= CONSUMERS_EACH; c++) {
      const init = { stream, consumer: `c${c}`, owner: ++member, sid: 1, settings: {} };
      const start = { from: "all" } as const;
      orders.push({
        kind: "join",
        member,
        init: { ...init, start, prefetch: undefined, runs: true },
      });
    }
    for (const result of engine.perform(orders, 1).results.slice(1)) {
      const outcome = "failure" in result ? result.failure.message : "joined";
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  }
  assertEquals(Object.fromEntries(outcomes), {
    joined: 10_000,
    "A stream may have 1000 consumers": 10,
    "A store may have 10000 consumers": 90 * (CONSUMERS_EACH + 1),
  });
  const { results, deliveries } = engine.perform([
    appendOrder("s0", publication("s0.a", "x")),
    { kind: "hungry", member: 1 },
  ], 2);
  assertEquals(results[0], { value: [1] });
  assertEquals(deliveries.map(({ member, count }) => [member, count]), [[1, 1]]);
});

/** All of them in memory would be 45 MB. */
const MESSAGES = 100_000;
const BATCH = 2_000;

Deno.test({
  name: "a broker holds what it knows of a stream, not its messages",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using scratch = new Scratch();
    const folders = [scratch.at("empty"), scratch.at("full")];
    for (const folder of folders) {
      await using store = await openStreamStore(folder);
      await store.create("orders", { ...newStreamSettings(["orders.>"]), sync: "interval" });
      if (folder !== folders[1]) continue;
      const frame = frameOf(publication("orders.a", "x".repeat(320)));
      for (let i = 0; i < MESSAGES; i += BATCH) {
        for (let j = 0; j < BATCH; j++) store.append("orders", frame, 1);
        await store.room(1, 0);
      }
    }
    const memory: number[] = [];
    for (const folder of folders) {
      const args = script("cmd/broker.ts", "127.0.0.1:0", "--store", folder);
      await using broker = await ServerProgram.start(args);
      const status = await Deno.readTextFile(`/proc/${broker.pid}/status`);
      memory.push(Number(/RssAnon:\s+(\d+) kB/.exec(status)![1]) * 1_024);
    }
    const more = memory[1]! - memory[0]!;
    assert(more < 20_000_000, `${more} bytes more than with an empty stream`);
  },
});
