/** What is due comes in its time, also where the clock is set back. */
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { StreamEngine } from "../../../../lib/pubsub/broker/streams/sqlite/engine.ts";
import { STREAM_SCHEMA } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
import { migrate } from "../../../../lib/sqlite/schema.ts";
import { appendOrder, publication, UNLIMITED } from "./support.ts";

const NOW = 1_800_000_000_000;
const JUMPS = [1, 999, 3_600_000, 31_536_000_000];
const ON = { stream: "orders", consumer: "c", owner: 1 };
const MEMBER = { ...ON, sid: 1, start: { from: "all" }, prefetch: undefined, runs: false } as const;

/** What somebody waits for, and how long that takes: milliseconds. */
const WAITS: Readonly<Record<string, readonly [(engine: StreamEngine) => void, dueMs: number]>> = {
  "the disk": [(engine) => store(engine), 1_000],
  "an acknowledgement": [(engine) => deliver(engine), 200],
  "a delivery that was put off": [(engine) => {
    const settlement = { ...ON, deliveries: [deliver(engine)], reason: undefined, durable: true };
    const nack = { ...settlement, kind: "nack", delayMs: 100 } as const;
    engine.perform([{ kind: "settle", settlement: nack }], NOW);
  }, 100],
};

function store(engine: StreamEngine): void {
  engine.perform([appendOrder("orders", publication("orders.a", "x"))], NOW);
}

/** @returns the number of the delivery. */
function deliver(engine: StreamEngine): number {
  store(engine);
  const settings = { ackWaitMs: 200 };
  const join = { kind: "join", member: 1, init: { ...MEMBER, settings } } as const;
  const { deliveries } = engine.perform([join, { kind: "hungry", member: 1 }], NOW);
  const [, number] = /"delivery":([0-9]+)/.exec(new TextDecoder().decode(deliveries[0]!.bytes))!;
  return Number(number);
}

function withEngine(use: (engine: StreamEngine, db: DatabaseSync) => void): void {
  using db = new DatabaseSync(":memory:");
  migrate(db, ":memory:", STREAM_SCHEMA);
  const engine = new StreamEngine(db);
  const settings = { ...UNLIMITED, sync: "interval" } as const;
  engine.perform([{ kind: "create", name: "orders", settings }], NOW);
  use(engine, db);
}

for (const [what, [begin, dueMs]] of Object.entries(WAITS)) {
  Deno.test(`who waits for ${what} waits no longer where the clock is set back`, () => {
    for (const jump of JUMPS) {
      withEngine((engine) => {
        begin(engine);
        assertEquals(engine.dueAt, NOW + dueMs);
        engine.perform([{ kind: "hungry", member: 2 }], NOW - jump);
        assertEquals(engine.dueAt, NOW - jump + dueMs, `set back by ${jump} ms`);
      });
    }
  });
}

Deno.test("what is written reaches the disk in its time where the clock is set back", () => {
  for (const jump of JUMPS) {
    withEngine((engine, db) => {
      // Each commit that waits for the disk although nothing in it has to is counted.
      const syncs = () => db.prepare("SELECT value FROM counter WHERE name = 'sync'").get();
      const before = syncs();
      store(engine);
      engine.perform([{ kind: "save", stream: "orders" }], NOW - jump);
      assertEquals(syncs(), before);
      engine.perform([], NOW - jump + 1_000);
      assertEquals(syncs(), { value: Number(before!["value"]) + 1 }, `set back by ${jump} ms`);
    });
  }
});

Deno.test("messages and ids become too old in their time where the clock is set back", () => {
  for (const jump of JUMPS) {
    using db = new DatabaseSync(":memory:");
    migrate(db, ":memory:", STREAM_SCHEMA);
    let engine = new StreamEngine(db);
    let [left, now] = [jump, NOW];
    const at = (ms: number, ...ids: readonly string[]) => {
      now = NOW + ms - left;
      const frames = ids.map((id) => publication("orders.a", "x", { "msg-id": id }));
      const orders = ids.length === 0 ? [] : [appendOrder("orders", ...frames)];
      const [result] = engine.perform(orders, now).results;
      return result && "value" in result ? result.value : result;
    };
    const counted = () => engine.figures()[0]!.count;
    const settings = { ...UNLIMITED, maxAgeMs: 5_000, dedupMs: 2_000 };
    engine.perform([{ kind: "create", name: "orders", settings }], NOW);
    left = 0;
    assertEquals(at(0, "a"), [1]);
    left = jump;
    assertEquals(at(1_000, "a", "b"), [-1, 2], `set back by ${jump} ms`);
    assertEquals(at(1_999 + Math.min(jump, 1_000), "b"), [-2]);
    assertEquals(at(4_500, "b"), [3]);
    // The next process begins with the clock as it is.
    engine.finish(now);
    engine = new StreamEngine(db);
    assertEquals(at(4_600, "b", "c"), [-3, 4]);
    for (let ms = 4_700; ms <= 12_000; ms += 100) at(ms);
    assertEquals(counted(), 0);
    // The clock is set right, before anything else happened.
    left = 0;
    assertEquals(at(12_100, "d"), [5]);
    assertEquals(counted(), 1);
  }
});

Deno.test("times of messages stay in order where the clock is set back", () => {
  withEngine((engine) => {
    for (const jump of [0, ...JUMPS]) {
      const append = appendOrder("orders", publication("orders.a", "x"));
      engine.perform([append, { kind: "save", stream: "orders" }], NOW - jump);
    }
    const join = { kind: "join", member: 1, init: { ...MEMBER, settings: {} } } as const;
    const { deliveries } = engine.perform([join, { kind: "hungry", member: 1 }], NOW + 5);
    const text = new TextDecoder().decode(deliveries[0]!.bytes);
    const times = [...text.matchAll(/"time":([0-9]+)/g)].map(([, time]) => Number(time));
    assertEquals(times.length, 1 + JUMPS.length);
    assert(times.every((time, i) => time >= (times[i - 1] ?? NOW)), times.join());
  });
});
