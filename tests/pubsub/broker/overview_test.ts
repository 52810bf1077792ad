/** The broker at one glance: what is told, and to whom. */
import { assert, assertEquals } from "@std/assert";
import { connectBroker, openStreamStore, Principal, serveBroker } from "../../../lib/pubsub/mod.ts";
import { until } from "../../support/deadline.ts";
import { Scratch } from "../../support/scratch.ts";
import { RawPeer, startBroker } from "../support.ts";

Deno.test("overview() tells the connections for which most waits, topics, streams and consumers", async () => {
  using scratch = new Scratch();
  await using streams = await openStreamStore(scratch.path);
  await using broker = await serveBroker("127.0.0.1:0", { streams });
  await using client = await connectBroker(broker.address, { name: "one" });
  await using other = await connectBroker(broker.address, { name: "two" });
  await client.subscribe("a.*", { group: "workers", onMessage() {} });
  await other.subscribe("a.*", { onMessage() {} });
  await client.streams.create("S", { topics: ["s.>"] });
  await client.streams.create("T", { topics: ["t.>"] });
  await client.publishStored("s.1", "x");
  const consumption = client.consume("S", "c", { onMessage() {} });
  await until(async () => (await client.streams.consumers("S")).length === 1);
  const overview = await broker.overview(1);
  assert(!("code" in overview));
  assertEquals(overview.connections?.length, 1);
  assertEquals(overview.topics, [{ filter: "a.*", subscribers: 1, groups: { workers: 1 } }]);
  assertEquals(overview.stats.connections, 2);
  const told = overview.streams?.map(({ stream, consumers }) => [
    stream.name,
    stream.count,
    consumers.map(({ consumer }) => consumer),
  ]);
  assertEquals(told, [["S", 1, ["c"]], ["T", 0, []]]);
  const figures = async (principal: Principal) => {
    const overview = await broker.overview(10, principal);
    if ("code" in overview) return overview.code;
    const { connections, topics, streams } = overview;
    return [
      connections?.length,
      topics?.length,
      streams?.map(({ stream, consumers }) => `${stream.name}${consumers.length}`).join(),
    ];
  };
  const who = (publish: string[], streams: string[] = []) =>
    new Principal("ada", {
      publish: { allow: publish, deny: [] },
      streams: { allow: streams, deny: [] },
    });
  assertEquals(await figures(who([">"])), "forbidden");
  assertEquals(await figures(who(["_sys.stats"])), [undefined, undefined, ""]);
  assertEquals(await figures(who(["_sys.*"], ["S:read"])), [2, 1, "S0"]);
  assertEquals(await figures(who(["_sys.stats", "_sys.topics"], ["*:consume"])), [
    undefined,
    1,
    "S1,T0",
  ]);
  await consumption.stop();
});

Deno.test("overview() puts those first for whom most waits", async () => {
  await using broker = await startBroker();
  using quick = await RawPeer.to(broker);
  using slow = await RawPeer.to(broker);
  using publisher = await RawPeer.to(broker);
  await quick.sub("other");
  await slow.sub("t");
  const content = new Uint8Array(500_000);
  for (let i = 0; i < 30; i++) await publisher.send({ header: { op: "pub", topic: "t" }, content });
  await publisher.ask("ping", { id: 9 });
  const overview = await broker.overview(1);
  assert(!("code" in overview));
  const [first] = overview.connections!;
  assert(first!.pendingBytes > 0 || first!.missed > 0, JSON.stringify(first));
  assertEquals(overview.streams, undefined);
});
