import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  BacklogBudget,
  type SharedBacklog,
} from "../../../../lib/pubsub/broker/delivery/backlog_budget.ts";
import { until } from "../../../support/deadline.ts";
import { op, RawPeer, startBroker } from "../../support.ts";

/** A backlog that gives back exactly what it is asked for. */
class Fake implements SharedBacklog {
  claimedBytes = 0;
  readonly #budget: BacklogBudget;
  constructor(budget: BacklogBudget) {
    this.#budget = budget;
    budget.add(this);
  }
  grow(bytes: number): void {
    this.claimedBytes += bytes;
    this.#budget.count(bytes);
  }
  shrinkTo(bytes: number): void {
    this.#budget.count(bytes - this.claimedBytes);
    this.claimedBytes = bytes;
  }
}

Deno.test("those furthest behind pay: all are cut to one level, and none below it", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 500 }), { minLength: 1, maxLength: 20 }), (sizes) => {
      const budget = new BacklogBudget(1_000);
      const backlogs = sizes.map((size) => {
        const backlog = new Fake(budget);
        backlog.grow(size);
        return backlog;
      });
      const sum = sizes.reduce((total, size) => total + size, 0);
      budget.relieve();
      if (sum <= 1_000) {
        return assertEquals(backlogs.map(({ claimedBytes }) => claimedBytes), sizes);
      }
      assert(Math.abs(budget.usedBytes - 875) < 1e-6, `${budget.usedBytes} bytes`);
      const level = Math.max(...backlogs.map(({ claimedBytes }) => claimedBytes));
      backlogs.forEach(({ claimedBytes }, i) => {
        assert(Math.abs(claimedBytes - Math.min(sizes[i]!, level)) < 1e-6);
      });
    }),
  );
});

Deno.test("of very much that waits only a little is cut at a time, unless several share it", () => {
  const budget = new BacklogBudget(1e9);
  const backlogs = Array.from({ length: 1_000 }, () => new Fake(budget));
  for (const backlog of backlogs) backlog.grow(1_000_001);
  budget.relieve();
  assert(budget.usedBytes > 999_000_000 && budget.usedBytes < 1e9, `${budget.usedBytes} bytes`);
  // What is shared, and free only once it is left out by all: half of what a thousand others claim.
  const shared: SharedBacklog[] = Array.from({ length: 1_000 }, () => {
    const one = {
      claimedBytes: 1e6,
      shrinkTo(bytes: number) {
        one.claimedBytes = bytes;
        const most = Math.max(...shared.map(({ claimedBytes }) => claimedBytes));
        budget.count(most - kept);
        kept = most;
      },
    };
    budget.add(one);
    return one;
  });
  let kept = 1e6;
  budget.count(kept);
  budget.relieve();
  assert(budget.usedBytes > 998_000_000 && budget.usedBytes < 1e9, `${budget.usedBytes} bytes`);
});

Deno.test("subscribers that never read share one budget, and are told what they missed", async () => {
  const maxBacklogBytes = 4_000_000;
  await using broker = await startBroker({
    maxContentBytes: 100_000,
    maxPendingBytes: 2_000_000,
    maxBacklogBytes,
    patienceMs: 10,
  });
  const deaf = await Promise.all(Array.from({ length: 12 }, () => RawPeer.to(broker)));
  for (const peer of deaf) await peer.sub("t");
  using reader = await RawPeer.to(broker);
  await reader.sub("t");
  using publisher = await RawPeer.to(broker);
  const count = 400;
  const content = "x".repeat(20_000);
  let received = 0;
  let backlogBytes = 0;
  for (let i = 0; i < count; i++) {
    await publisher.pub("t", content);
    received += (await reader.header())["op"] === "pub" ? 1 : 0;
    // Beyond the backlogs, each connection has up to 512 KiB on its way to the socket.
    backlogBytes = Math.max(backlogBytes, broker.stats().pendingBytes - 12 * 524_288);
  }
  assertEquals(received, count, "who reads gets all");
  assert(backlogBytes <= maxBacklogBytes, `${backlogBytes} bytes in backlogs`);
  assert(broker.stats().missed > 0);
  for (const peer of deaf) {
    let got = 0;
    let missed = 0;
    while (got + missed < count) {
      const header = await peer.header();
      if (header["op"] === "pub") got++;
      else missed += header["count"] as number;
    }
    assertEquals(got + missed, count);
    peer.close();
  }
});

Deno.test("a subscriber for whom nothing may be left out ends when the memory is needed", async () => {
  await using broker = await startBroker({
    maxContentBytes: 100_000,
    maxPendingBytes: 2_000_000,
    maxBacklogBytes: 1_500_000,
    patienceMs: 10,
  });
  using deaf = await RawPeer.to(broker);
  await deaf.sub("t", { slow: "drop-new" });
  using publisher = await RawPeer.to(broker);
  for (let i = 0; i < 400 && broker.stats().connections === 2; i++) {
    await publisher.send(op("pub", { topic: "t", id: i }, "x".repeat(50_000)));
    await publisher.header();
  }
  await until(() => broker.stats().connections === 1, "the deaf one is gone");
});
