import { assert, assertEquals } from "@std/assert";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import { until } from "../../support/deadline.ts";
import { op, RawPeer, startBroker } from "../support.ts";

const MIB = 1_048_576;

Deno.test("filters and groups take of one budget, and what ends makes room", async () => {
  await using broker = await startBroker({ maxFilterBytes: 40_000 });
  using greedy = await RawPeer.to(broker);
  const subscribeUntilRefused = async (peer: RawPeer, fields: Record<string, unknown> = {}) => {
    for (let i = 0; i < 1_000; i++) {
      const answer = await peer.ask("sub", { topic: `some.topic.${i}.*`, id: i, ...fields });
      if (answer["op"] === "error") return { count: i, code: answer["code"] };
    }
    throw new Error("never refused");
  };
  const first = await subscribeUntilRefused(greedy);
  assertEquals(first.code, "over-budget");
  assert(first.count > 10 && first.count < 20, `a quarter of the whole: ${first.count}`);
  using other = await RawPeer.to(broker);
  assertEquals((await subscribeUntilRefused(other)).count, first.count, "each has its share");
  using third = await RawPeer.to(broker);
  const grouped = await subscribeUntilRefused(third, { group: "workers" });
  assert(grouped.count < first.count && grouped.code === "over-budget", "groups cost more");
  using fourth = await RawPeer.to(broker);
  await subscribeUntilRefused(fourth);
  using fifth = await RawPeer.to(broker);
  const left = await subscribeUntilRefused(fifth);
  assert(left.count < first.count, "the whole has a bound too");
  await greedy.ask("unsub", { topic: "some.topic.0.*", id: 1 });
  assertEquals((await greedy.ask("sub", { topic: "some.topic.x.*", id: 2 }))["op"], "ok");
  greedy.close();
  await until(() => broker.stats().connections === 4, "the greedy one is gone");
  await until(async () => (await subscribeUntilRefused(fifth)).count > left.count, "there is room");
});

Deno.test("a connection is in so many groups at most", async () => {
  await using broker = await startBroker({ maxMemberships: 3 });
  using peer = await RawPeer.to(broker);
  for (let i = 0; i < 3; i++) await peer.sub("t", { group: `g${i}` });
  const refused = await peer.ask("sub", { topic: "t", group: "g3", id: 1 });
  assertEquals(refused["code"], "too-many-groups");
  assertEquals((await peer.ask("sub", { topic: "t", group: "g0", id: 2 }))["op"], "ok");
  await peer.ask("unsub", { topic: "t", group: "g0", id: 3 });
  await peer.sub("t", { group: "g3" });
});

Deno.test("retained frames wait where they are, and requests wait with them", async () => {
  await using broker = await startBroker();
  using publisher = await RawPeer.to(broker);
  const topics = 10_000;
  const frames = Array.from(
    { length: topics },
    (_, i) => encodeFrame(op("pub", { topic: `t.${i}`, retain: true }, "x".repeat(150))),
  );
  for (let i = 0; i < topics; i += 1_000) await publisher.send(...frames.slice(i, i + 1_000));
  assertEquals((await publisher.ask("ping", { id: 1 }))["op"], "pong");
  const before = broker.stats().pendingBytes;
  using deaf = await RawPeer.to(broker);
  const times = 10;
  const requests = Array.from({ length: times }, (_, i) => op("sub", { topic: ">", id: i }));
  await deaf.send(...requests, op("ping", { id: 99 }));
  await until(() => broker.stats().subscriptions === 1, "the first request is carried out");
  assertEquals((await publisher.ask("ping", { id: 2 }))["op"], "pong");
  const pending = broker.stats().pendingBytes - before;
  assert(pending < 3 * MIB, `${pending} bytes wait, of ${times * topics * 300}`);
  // Who reads at last gets each answer, its frames behind it, and then the next.
  for (let i = 0; i < times; i++) {
    const answer = await deaf.header();
    assertEquals([answer["op"], answer["id"], answer["retained"]], ["ok", i, topics]);
    const seen = new Set<unknown>();
    for (let n = 0; n < topics; n++) seen.add((await deaf.header())["topic"]);
    assertEquals(seen.size, topics);
  }
  assertEquals((await deaf.header())["id"], 99);
});

Deno.test("who does not read its retained frames while all are replaced is ended", async () => {
  await using broker = await startBroker({ maxRetainedBytes: 24 * MIB });
  using publisher = await RawPeer.to(broker);
  const set = async (n: number) => {
    for (let i = 0; i < 40; i++) {
      await publisher.pub(`t.${i}`, String(n).padEnd(500_000), { retain: true });
    }
  };
  await set(0);
  using deaf = await RawPeer.to(broker);
  await deaf.send(op("sub", { topic: "*.none" }), op("sub", { topic: ">", id: 1 }));
  await until(() => broker.stats().subscriptions === 2, "it has subscribed");
  for (let n = 1; n < 5 && broker.stats().connections === 2; n++) await set(n);
  await until(() => broker.stats().connections === 1, "the deaf one is gone");
  using reader = await RawPeer.to(broker);
  assertEquals(await reader.sub("t.*"), 40);
});

Deno.test("unfinished frames take of one budget; who has most is told and ended", async () => {
  await using broker = await startBroker({
    maxContentBytes: 4 * MIB,
    maxPendingBytes: 8 * MIB,
    maxUnfinishedBytes: 6 * MIB,
  });
  const holders = await Promise.all(Array.from({ length: 8 }, () => RawPeer.to(broker)));
  const whole = encodeFrame(op("pub", { topic: "t" }, new Uint8Array(4 * MIB)));
  for (const holder of holders) {
    await holder.send(whole.subarray(0, 1.5 * MIB)).catch(() => {});
  }
  await until(() => broker.stats().connections < 8, "there is not room for all");
  const answers = holders.map(async (holder) => (await holder.header())["code"]);
  assertEquals(await Promise.any(answers), "over-budget");
  using neighbour = await RawPeer.to(broker);
  await neighbour.sub("n");
  await neighbour.send(op("pub", { topic: "n" }, new Uint8Array(3 * MIB)));
  assertEquals((await neighbour.header())["content-length"], 3 * MIB);
  for (const holder of holders) holder.close();
  await Promise.allSettled(answers);
});

Deno.test("all clients of one user share its limits", async () => {
  await using broker = await startBroker({ maxUserSubscriptions: 3, maxUserMemberships: 1 });
  using first = await RawPeer.to(broker);
  using second = await RawPeer.to(broker);
  await first.sub("a");
  await first.sub("b", { group: "workers" });
  const grouped = await second.ask("sub", { topic: "b", group: "workers", id: 1 });
  assertEquals(grouped["code"], "too-many-groups");
  await second.sub("a");
  assertEquals((await second.ask("sub", { topic: "c", id: 1 }))["code"], "too-many-filters");
  first.close();
  await until(() => broker.stats().connections === 1, "the first has left");
  await second.sub("c");
  await second.sub("b", { group: "workers" });
});

Deno.test("what is used is told, and what was refused", async () => {
  await using broker = await startBroker({ maxMemoryBytes: 8 * MIB });
  using peer = await RawPeer.to(broker);
  await peer.sub("some.filter");
  const before = broker.stats();
  assertEquals([before.maxMemoryBytes, before.overBudget], [8 * MIB, 0]);
  assert(before.filterBytes > 100 && before.filterBytes < 2_000);
  let code: unknown;
  for (let i = 0; code === undefined; i++) {
    code = (await peer.ask("sub", { topic: `some.filter.${i}`, id: i }))["code"];
  }
  assertEquals([code, broker.stats().overBudget], ["over-budget", 1]);
});
