/** What a backlog leaves out is told exactly, in bounded memory, a bounded part of it at a time. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { ByteBuffer, encodeFrame, FrameDecoder } from "../../../../lib/frame/mod.ts";
import { SharedMemory } from "../../../../lib/net/mod.ts";
import { Backlog } from "../../../../lib/pubsub/broker/delivery/backlog.ts";
import { BacklogBudget } from "../../../../lib/pubsub/broker/delivery/backlog_budget.ts";
import { Run } from "../../../../lib/pubsub/broker/routing/run.ts";
import type { Subscription } from "../../../../lib/pubsub/broker/routing/subscription.ts";
import type { SlowPolicy } from "../../../../lib/pubsub/protocol/slow_policy.ts";

const MAX_BYTES = 20_000;

function subscribe(filter: string, slow: SlowPolicy): Subscription {
  return { slow, entry: { filter } } as Subscription;
}

/** Filters that match the same topics, as a route has them: a new object each time. */
function setOf(overlapping: readonly Subscription[]): Subscription {
  return { ...overlapping[0]!, overlapping };
}

/** A publication that says which one it is. */
function publication(n: number, bytes: number): Run {
  const header = { op: "pub", topic: `t${n % 3}`, n };
  const frame = encodeFrame({ header, content: new Uint8Array(bytes) });
  const run = new Run();
  run.set(new SharedMemory(frame), new FrameDecoder().decode(frame).frames, 0, 1);
  return run;
}

/** What comes of a backlog: the numbers of publications, and how many are told as missed, by filter. */
class Reader {
  readonly numbers: number[] = [];
  readonly missed = new Map<string, number>();
  readonly #backlog: Backlog;

  constructor(backlog: Backlog) {
    this.#backlog = backlog;
  }

  /** @returns How many bytes came. */
  read(limit: number): number {
    const buffer = new ByteBuffer();
    this.#backlog.moveTo(buffer, limit);
    for (const { header } of new FrameDecoder().decode(buffer.view()).frames) {
      const { op } = header;
      const [topic, count, n] = [
        header["topic"] as string,
        Number(header["count"]),
        Number(header["n"]),
      ];
      if (op === "missed") this.missed.set(topic, (this.missed.get(topic) ?? 0) + count);
      else if (op === "pub") this.numbers.push(n);
    }
    return buffer.length;
  }
}

Deno.test("each publication is delivered, or told as missed by each filter that matched it", () => {
  const filters = 40;
  const action = fc.oneof(
    fc.record({
      filters: fc.uniqueArray(fc.nat(filters - 1), { minLength: 1, maxLength: 30 }),
      bytes: fc.constantFrom(0, 500, 3_000),
      isLost: fc.boolean(),
    }),
    fc.constant("answer" as const),
    fc.record({ limit: fc.constantFrom(1, 1_000, 10_000) }),
    fc.record({ shrink: fc.constantFrom(0, 5_000) }),
  );
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom<SlowPolicy>("drop-oldest", "drop-new", "latest"), {
        minLength: filters,
        maxLength: filters,
      }),
      fc.array(action, { maxLength: 120 }),
      (policies, actions) => {
        const subscriptions = policies.map((slow, i) => subscribe(`f${i}`, slow));
        const budget = new BacklogBudget(Infinity);
        const backlog = new Backlog(MAX_BYTES, budget, () => {});
        const reader = new Reader(backlog);
        const matched: string[][] = [];
        for (const action of actions) {
          if (action === "answer") backlog.addControl(encodeFrame({ header: { op: "ok" } }));
          else if ("limit" in action) reader.read(action.limit);
          else if ("shrink" in action) backlog.shrinkTo(action.shrink);
          else {
            const those = action.filters.map((i) => subscriptions[i]!);
            const subscription = those.length === 1 ? those[0]! : setOf(those);
            if (action.isLost) backlog.leaveOut(subscription, 1, 0, "lost");
            else backlog.addRun(publication(matched.length, action.bytes), subscription);
            matched.push(those.map(({ entry }) => entry.filter));
          }
        }
        while (!backlog.empty) reader.read(10_000);
        const delivered = new Set(reader.numbers);
        assertEquals(delivered.size, reader.numbers.length);
        const due = new Map<string, number>();
        for (const [n, those] of matched.entries()) {
          if (delivered.has(n)) continue;
          for (const filter of those) due.set(filter, (due.get(filter) ?? 0) + 1);
        }
        assertEquals(reader.missed, due);
        backlog.close();
        assertEquals(budget.usedBytes, 0);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("what very many filters have missed is told in parts", () => {
  const backlog = new Backlog(MAX_BYTES, new BacklogBudget(Infinity), () => {});
  const filters = 5_000;
  for (let i = 0; i < filters; i++) {
    backlog.leaveOut(subscribe(`a.long.filter.with.the.number.${i}`, "drop-new"), 1, 100);
  }
  backlog.addControl(encodeFrame({ header: { op: "ok" } }));
  const reader = new Reader(backlog);
  while (!backlog.empty) assertLessOrEqual(reader.read(10_000), 11_000);
  assertEquals(reader.missed.size, filters);
});

Deno.test("what is left out takes little memory, in however many places and whatever sets of filters", () => {
  const budget = new BacklogBudget(Infinity);
  const backlog = new Backlog(MAX_BYTES, budget, () => {});
  const filters = Array.from({ length: 2_000 }, (_, i) => subscribe(`f${i}`, "drop-new"));
  const sets = Array.from({ length: 500 }, (_, i) => i);
  for (let place = 0; place < 30; place++) {
    for (const filter of filters) backlog.leaveOut(filter, 1, 100);
    for (const _ of sets) backlog.leaveOut(setOf(filters.slice(0, 100)), 1, 100);
    backlog.addControl(encodeFrame({ header: { op: "ok" } }));
  }
  // A tally of each filter in a few places, and not in each of them.
  assertLessOrEqual(budget.usedBytes, 2_500_000);
  const reader = new Reader(backlog);
  while (!backlog.empty) reader.read(100_000);
  assertEquals(reader.missed.get("f0"), 30 * (1 + sets.length));
  assertEquals(reader.missed.get("f1999"), 30);
});

Deno.test("who is told of very much that was left out pays where there is no memory", () => {
  let ended = 0;
  const budget = new BacklogBudget(1_000_000);
  const one = new Backlog(MAX_BYTES, budget, () => ended++);
  const other = new Backlog(MAX_BYTES, budget, () => assert(false, "the other has little"));
  other.addRun(publication(0, 1_000), subscribe("t", "drop-new"));
  for (let i = 0; ended === 0 && i < 20_000; i++) {
    one.leaveOut(subscribe(`f${i}`, "drop-new"), 1, 100);
  }
  assert(ended > 0);
});

Deno.test("a set of filters counts for each publication that waits and has it alone", () => {
  const filters = Array.from({ length: 256 }, (_, i) => subscribe(`f${i}`, "drop-oldest"));
  const same = new Backlog(1_000_000, new BacklogBudget(Infinity), () => {});
  const others = new Backlog(1_000_000, new BacklogBudget(Infinity), () => {});
  const set = setOf(filters);
  for (let n = 0; n < 100; n++) {
    same.addRun(publication(n, 0), set);
    others.addRun(publication(n, 0), setOf(filters));
  }
  assertLessOrEqual(same.bytes, 50_000);
  assert(others.bytes > 400_000, `${others.bytes} B`);
  while (!others.empty) others.moveTo(new ByteBuffer(), 10_000);
  assertEquals(others.bytes, 0);
});
