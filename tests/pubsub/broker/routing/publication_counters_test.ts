import { assert, assertEquals } from "@std/assert";
import { PublicationCounters } from "../../../../lib/pubsub/broker/routing/publication_counters.ts";
import type { Receiver } from "../../../../lib/pubsub/broker/routing/subscription.ts";
import { Router } from "../../../../lib/pubsub/broker/routing/router.ts";
import { connectBroker } from "../../../../lib/pubsub/mod.ts";
import { op, RawPeer, startBroker } from "../../support.ts";

Deno.test("a filter is counted on while nobody subscribes, and nobody sees that", async () => {
  await using broker = await startBroker();
  using publisher = await RawPeer.to(broker);
  const counted = { topic: "a.*", id: 1, counted: true };
  using first = await RawPeer.to(broker);
  const { count, counter } = await first.ask("sub", counted);
  assertEquals([count, typeof counter], [0, "string"]);
  assertEquals(await publisher.pub("a.x"), 1);
  first.close();
  while (await publisher.pub("a.x") > 0);
  const { published } = broker.stats();
  using second = await RawPeer.to(broker);
  const again = await second.ask("sub", counted);
  assertEquals([again["count"], again["counter"]], [published, counter]);
  await second.ask("unsub", { topic: "a.*", id: 2 });
  assertEquals([broker.stats().filters, broker.stats().subscriptions], [0, 0]);
  assertEquals(await publisher.pub("a.x"), 0);
  await publisher.sub("inbox");
  await publisher.send(op("pub", { topic: "_sys.topics", "reply-to": "inbox" }));
  const { topics } = (await publisher.frame()).json() as { topics: { filter: string }[] };
  assertEquals(topics.map(({ filter }) => filter), ["inbox"]);
});

Deno.test("what gives no number of what was missed is not counted", async () => {
  await using broker = await startBroker();
  using peer = await RawPeer.to(broker);
  for (const fields of [{ group: "g" }, { "no-local": true }, { max: 3 }, { counted: false }]) {
    const answer = await peer.ask("sub", { topic: "a", id: 1, counted: true, ...fields });
    assertEquals([answer["op"], answer["counter"], answer["count"]], ["ok", undefined, undefined]);
  }
});

Deno.test("1,000 filters are counted; one that was not asked for lately makes room for another", () => {
  const router = new Router();
  const counters = new PublicationCounters(router, "e");
  const first = counters.of("t.0", 0)!;
  for (let i = 1; i < 1_000; i++) counters.of(`t.${i}`, 1);
  assertEquals(counters.of("new", 59_999), undefined);
  assertEquals(counters.of("t.0", 59_999), first);
  assert(counters.of("new", 60_001));
  assertEquals([router.filters, counters.idle], [1_000, 1_000]);
  // It is counted anew.
  assert(counters.of("t.1", 70_000)!.counter !== first.counter);
});

Deno.test("a filter to which nobody has subscribed for a quarter of an hour is not counted on", () => {
  const router = new Router();
  const counters = new PublicationCounters(router, "e");
  const used = counters.of("used", 0)!;
  counters.of("idle", 0);
  const receiver = { congested: false, writtenBytes: 0, toldBytes: 0 } as unknown as Receiver;
  const subscription = router.add("used", undefined, "latest", receiver);
  counters.forgetIdle(900_000);
  assertEquals(router.filters, 2);
  counters.forgetIdle(900_001);
  assertEquals([router.filters, counters.idle], [1, 0]);
  // The time begins when the last subscriber goes.
  router.remove(subscription);
  counters.forgetIdle(1_800_001);
  assertEquals(counters.of("used", 1_800_001), used);
  counters.forgetIdle(2_700_002);
  assertEquals([router.filters, counters.idle], [0, 0]);
});

Deno.test("a run that takes long to hand out is counted once", async () => {
  await using broker = await startBroker();
  await using stack = new AsyncDisposableStack();
  const client = stack.use(await connectBroker(broker.address));
  // Far more deliveries than are done in one go.
  const peers = await Promise.all(Array.from({ length: 40 }, () => RawPeer.to(broker)));
  for (const peer of peers) stack.use(peer);
  for (const peer of peers) await peer.sub("t", { counted: true });
  for (let i = 0; i < 500; i++) void client.publish("t", new Uint8Array(2_000));
  await client.flush();
  using late = await RawPeer.to(broker);
  assertEquals((await late.ask("sub", { topic: "t", id: 1, counted: true }))["count"], 500);
});
