import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { encodeFrame, type Frame, FrameDecoder } from "../../../../lib/frame/mod.ts";
import { SharedMemory } from "../../../../lib/net/mod.ts";
import { Backlog } from "../../../../lib/pubsub/broker/delivery/backlog.ts";
import { BacklogBudget } from "../../../../lib/pubsub/broker/delivery/backlog_budget.ts";
import { ByteBuffer } from "../../../../lib/frame/mod.ts";
import { Run } from "../../../../lib/pubsub/broker/routing/run.ts";
import type { Subscription } from "../../../../lib/pubsub/broker/routing/subscription.ts";
import type { SlowPolicy } from "../../../../lib/pubsub/protocol/slow_policy.ts";

const MAX_BYTES = 100_000;

/** Numbered publications of 10 KB, as one run. */
function runOf(from: number, count: number): Run {
  const parts = Array.from({ length: count }, (_, i) =>
    encodeFrame({
      header: { op: "pub", topic: "t", n: from + i },
      content: new Uint8Array(10_000),
    }));
  const buffer = new ByteBuffer();
  for (const part of parts) buffer.append(part);
  const bytes = buffer.view().slice();
  const run = new Run();
  run.set(new SharedMemory(bytes), new FrameDecoder().decode(bytes).frames, 0, count);
  return run;
}

function subscriptionWith(slow: SlowPolicy): Subscription {
  return { slow, entry: { filter: "t" }, group: undefined } as unknown as Subscription;
}

/** What a backlog hands out: the numbers, and how many are missing. */
function handOut(backlog: Backlog): { numbers: number[]; missed: number } {
  const buffer = new ByteBuffer();
  backlog.moveTo(buffer, Infinity);
  const frames: readonly Frame[] = new FrameDecoder().decode(buffer.view()).frames;
  const numbers: number[] = [];
  let missed = 0;
  for (const { header } of frames) {
    if (header["op"] === "missed") missed += header["count"] as number;
    else numbers.push(header["n"] as number);
  }
  return { numbers, missed };
}

for (const [slow, kept] of [["drop-oldest", "newest"], ["drop-new", "oldest"]] as const) {
  Deno.test(`of a run larger than the backlog the ${kept} stay with ${slow}`, () => {
    const backlog = new Backlog(MAX_BYTES, new BacklogBudget(Infinity), () => {});
    const subscription = subscriptionWith(slow);
    backlog.addRun(runOf(0, 9), subscription);
    assertLessOrEqual(backlog.bytes, MAX_BYTES);
    backlog.addRun(runOf(9, 13), subscription);
    assertLessOrEqual(backlog.bytes, MAX_BYTES);
    const { numbers, missed } = handOut(backlog);
    assertGreater(numbers.length, 4);
    assertEquals(numbers.length + missed, 22);
    assertEquals(kept === "newest" ? numbers.at(-1) : numbers[0], kept === "newest" ? 21 : 0);
    assert(numbers.every((n, i) => i === 0 || n > numbers[i - 1]!), "in order");
    assert(backlog.empty);
  });
}

Deno.test("a run larger than the backlog ends the connection with disconnect", () => {
  const backlog = new Backlog(MAX_BYTES, new BacklogBudget(Infinity), () => {});
  assertEquals(backlog.addRun(runOf(0, 13), subscriptionWith("disconnect")), -1);
});

Deno.test("what many receivers wait for is in memory once, and costs each little", () => {
  const budget = new BacklogBudget(Infinity);
  const backlogs = Array.from({ length: 100 }, () => new Backlog(4_000_000, budget, () => {}));
  const subscription = subscriptionWith("drop-oldest");
  for (let i = 0; i < 100; i++) {
    const run = runOf(i, 1);
    run.isShared = true;
    for (const backlog of backlogs) assertEquals(backlog.addRun(run, subscription), 1);
    run.clear();
  }
  const { bytes } = backlogs[0]!;
  assertGreater(bytes, 1_000_000);
  // Copied for each it would be a hundred times as much.
  assertLessOrEqual(budget.usedBytes, bytes + 100 * 100 * 128 + 131_072);
  for (const backlog of backlogs) {
    assertEquals(handOut(backlog).numbers.length, 100);
    backlog.close();
  }
  assertLessOrEqual(budget.usedBytes, 3 * 65_536, "chunks that are used again");
});

Deno.test("small runs that follow each other in shared memory become few pieces", () => {
  const budget = new BacklogBudget(Infinity);
  const backlogs = Array.from({ length: 50 }, () => new Backlog(4_000_000, budget, () => {}));
  const subscription = subscriptionWith("drop-oldest");
  const run = new Run();
  const frame = encodeFrame({ header: { op: "pub", topic: "t", n: 1 } });
  for (let i = 0; i < 1_000; i++) {
    run.set(new SharedMemory(frame), new FrameDecoder().decode(frame).frames, 0, 1);
    run.isShared = true;
    for (const backlog of backlogs) backlog.addRun(run, subscription);
    run.clear();
  }
  assertLessOrEqual(budget.usedBytes, 50 * 10 * 128 + 2 * 65_536 + 1_000 * frame.length);
  for (const backlog of backlogs) assertEquals(handOut(backlog).numbers.length, 1_000);
});

/** What happens to backlogs that share memory. */
const STEPS = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant("add" as const),
      frames: fc.integer({ min: 1, max: 4 }),
      isShared: fc.boolean(),
      to: fc.uniqueArray(fc.nat({ max: 3 }), { minLength: 1 }),
    }),
    fc.record({
      do: fc.constant("take" as const),
      from: fc.nat({ max: 3 }),
      bytes: fc.constantFrom(1, 30_000, Infinity),
    }),
    fc.record({ do: fc.constant("close" as const), which: fc.nat({ max: 3 }) }),
  ),
  { maxLength: 60 },
);

Deno.test("backlogs that share memory lose nothing to each other, and give all of it back", () => {
  fc.assert(
    fc.property(STEPS, fc.constantFrom(400_000, Infinity), (steps, maxBytes) => {
      const budget = new BacklogBudget(maxBytes);
      // What may not be left out does not make room for others.
      const other = maxBytes === Infinity ? "drop-new" : "drop-oldest";
      const policies = ["drop-oldest", other, "latest", "drop-oldest"] as const;
      const open = () => policies.map(() => new Backlog(MAX_BYTES, budget, () => {}));
      const backlogs = open();
      const subscriptions = policies.map(subscriptionWith);
      const added = policies.map(() => 0);
      const seen = policies.map(() => 0);
      const last = policies.map(() => -1);
      const take = (i: number, bytes: number) => {
        const buffer = new ByteBuffer();
        backlogs[i]!.moveTo(buffer, bytes);
        for (const { header } of new FrameDecoder().decode(buffer.view()).frames) {
          if (header["op"] === "missed") seen[i]! += header["count"] as number;
          else {
            assertGreater(header["n"] as number, last[i]!, "in order, and whole");
            last[i] = header["n"] as number;
            seen[i]!++;
          }
        }
      };
      let n = 0;
      for (const step of steps) {
        if (step.do === "add") {
          const run = runOf(n, step.frames);
          run.isShared = step.isShared;
          n += step.frames;
          for (const i of step.to) {
            backlogs[i]!.addRun(run, subscriptions[i]!);
            added[i]! += step.frames;
          }
          run.clear();
          // What a run had is used again; whoever needs it has a copy.
          run.memory.bytes.fill(0);
        } else if (step.do === "take") take(step.from, step.bytes);
        else {
          backlogs[step.which]!.close();
          backlogs[step.which] = new Backlog(MAX_BYTES, budget, () => {});
          seen[step.which] = added[step.which]!;
        }
        assertLessOrEqual(budget.usedBytes, maxBytes);
      }
      backlogs.forEach((_, i) => take(i, Infinity));
      assertEquals(seen, added);
      for (const backlog of backlogs) backlog.close();
      assertLessOrEqual(budget.usedBytes, 3 * 65_536);
    }),
    { numRuns: 60 },
  );
});
