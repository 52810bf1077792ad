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
