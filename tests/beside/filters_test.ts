/** Whoever subscribes to much, or asks about it, holds up no other client of the broker. */
import { assert, assertEquals } from "@std/assert";
import { until } from "../support/deadline.ts";
import { latenciesBeside, ownWork } from "../support/neighbour.ts";
import { soakSize } from "../support/soak_size.ts";
import { ask, asker } from "../pubsub/broker/system_asker.ts";
import { op, RawPeer, startBroker } from "../pubsub/support.ts";

/** Of a topic that all filters match which have it with wildcards in some places. */
const TOKENS = soakSize(14, 16);

/** How many filters are asked of. */
const FILTERS = soakSize(30_000, 100_000);

Deno.test("filters that all match one topic delay no other, however they come and go", async () => {
  await using broker = await startBroker();
  using attacker = await RawPeer.to(broker);
  const filters = Array.from(
    { length: 2 ** TOKENS },
    (_, i) => Array.from({ length: TOKENS }, (_, bit) => (i >> bit) & 1 ? "*" : "a").join("."),
  );
  const topic = Array(TOKENS).fill("a").join(".");
  for (let n = 0; n < filters.length; n += 1_024) {
    await attacker.send(
      ...filters.slice(n, n + 1_024).map((filter) => op("sub", { topic: filter })),
    );
  }
  assertEquals((await attacker.ask("ping", { id: 1 }))["op"], "pong");
  using neighbour = await RawPeer.to(broker);
  await latenciesBeside(async () => {
    await neighbour.pub("other");
  }, async () => {
    for (let i = 0; i < 3; i++) {
      assert(await attacker.ask("sub", { topic: "*.x", id: 1 }));
      await attacker.send(op("pub", { topic, id: 2 }));
      const headers = [await attacker.header(), await attacker.header()];
      assertEquals(headers.map((header) => header["op"]).sort(), ["ok", "pub"]);
      assert(await attacker.ask("unsub", { topic: "*.x", id: 3 }));
    }
  }, { everyMs: 2, work: ownWork, tries: 3 });
  attacker.close();
  await until(() => broker.stats().subscriptions === 0);
});

Deno.test("who asks of many filters and connections delays no other", async () => {
  await using broker = await startBroker();
  const peers = await Promise.all(Array.from({ length: 300 }, () => RawPeer.to(broker)));
  using peer = await asker(broker);
  for (let n = 0; n < FILTERS; n += 1_000) {
    await peer.send(...Array.from({ length: 1_000 }, (_, i) => op("sub", { topic: `t.${n + i}` })));
  }
  assertEquals((await peer.ask("ping", { id: 3 }))["op"], "pong");
  using neighbour = await RawPeer.to(broker);
  const ping = async () => void await neighbour.ask("ping", { id: 1 });
  await latenciesBeside(ping, async () => {
    for (let i = 0; i < 10; i++) {
      const { topics } = await ask(peer, "_sys.topics", '{"limit":1000}');
      assertEquals((topics as unknown[]).length, 1_000);
      const { connections } = await ask(peer, "_sys.connections", '{"limit":1000}');
      assertEquals((connections as unknown[]).length, 302);
    }
  }, { everyMs: 2, work: ownWork, tries: 3 });
  for (const one of peers) one.close();
});
