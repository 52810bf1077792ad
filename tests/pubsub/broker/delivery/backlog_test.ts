import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
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
