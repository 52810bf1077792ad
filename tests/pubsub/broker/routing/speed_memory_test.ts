/** The caches of a broker: they are counted, and bounded whatever is published. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FileAuthenticator, hashToken, parseAuthFile } from "../../../../lib/access/mod.ts";
import { encodeFrame, type Frame, FrameDecoder, HeaderCache } from "../../../../lib/frame/mod.ts";
import { PUBSUB_RIGHTS } from "../../../../lib/pubsub/mod.ts";
import { Publications } from "../../../../lib/pubsub/broker/routing/publications.ts";
import { ANONYMOUS } from "../../../../lib/pubsub/broker/routing/rights.ts";
import { Router } from "../../../../lib/pubsub/broker/routing/router.ts";
import { SpeedMemory } from "../../../../lib/pubsub/broker/routing/speed_memory.ts";
import type { Receiver, Subscription } from "../../../../lib/pubsub/broker/routing/subscription.ts";
import { filterCovers } from "../../../../lib/pubsub/protocol/topic.ts";
import { op, RawPeer, startBroker } from "../../support.ts";

const NOBODY_ELSE: Receiver = {
  congested: false,
  writtenBytes: 0,
  toldBytes: 0,
  add: () => 0,
  addGrouped: () => 0,
  completed() {},
  tooSlow() {},
  lost() {},
};

/** A publication, its header the same object for the same topic. */
function publications(cache = new HeaderCache(4_096)) {
  return (topic: string, fields: Record<string, unknown> = {}): Frame => {
    const bytes = encodeFrame(op("pub", { topic, ...fields }));
    return new FrameDecoder({ headerCache: cache }).decode(bytes).frames[0]!;
  };
}

Deno.test("routes stay right and within their memory, whatever comes and goes", async () => {
  const replies = ["_inbox.a.1", "_inbox.a.2", "_inbox.b.1", "_inbox.a", "_inbox.a.1.x"];
  const topics = ["a", "b", "a.b", "b.a", "a.b.c", ...replies];
  const ofInboxes = ["_inbox.>", "_inbox.a.*", "_inbox.a.>", "_inbox.*.1", "_inbox.*.*.x"];
  const filters = [...topics, "*", ">", "a.>", "*.b", "a.*", "*.*.c", ...ofInboxes];
  const step = fc.oneof(
    fc.record({ do: fc.constant("add" as const), filter: fc.constantFrom(...filters) }),
    fc.record({ do: fc.constant("remove" as const), index: fc.nat() }),
    fc.record({ do: fc.constant("publish" as const), topic: fc.constantFrom(...topics) }),
    fc.record({ do: fc.constant("search" as const), topic: fc.constantFrom(...topics) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 80 }),
      fc.constantFrom(0, 1_000, 3_000, 10_000, 1_000_000),
      async (steps, maxBytes) => {
        const memory = new SpeedMemory(maxBytes);
        const router = new Router(memory);
        const known = new Publications(router, ANONYMOUS, memory, () => undefined);
        const frameOf = publications();
        const held: Subscription[] = [];
        for (const each of steps) {
          if (each.do === "add") {
            held.push(router.add(each.filter, undefined, "latest", { ...NOBODY_ELSE }));
          } else if (each.do === "remove") {
            const [subscription] = held.splice(each.index % Math.max(1, held.length), 1);
            if (subscription) router.remove(subscription);
          } else {
            const { topic } = each;
            if (each.do === "search") await router.search(topic);
            const { route } = known.find(frameOf(topic));
            const expected = held.filter(({ entry }) => filterCovers(entry.filter, topic));
            assertEquals(
              new Set(route!.subscriptions.map(({ receiver }) => receiver)),
              new Set(expected.map(({ receiver }) => receiver)),
            );
            // A route that was searched for is there, however large it is.
            if (each.do !== "search") assert(memory.usedBytes <= Math.max(maxBytes, 10_000));
          }
          assert(memory.usedBytes >= 0);
        }
        known.close();
        for (const subscription of held) router.remove(subscription);
        router.remove(router.add(">", undefined, "latest", NOBODY_ELSE));
        assertEquals(memory.usedBytes, 0, "all is given back");
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("a route that was searched for is found, even where there is no memory for it", async () => {
  const router = new Router(new SpeedMemory(0));
  for (let i = 0; i < 6_000; i++) {
    for (const filter of ["a.b", "a.*"]) {
      router.add(filter, undefined, "latest", { ...NOBODY_ELSE });
    }
  }
  assertEquals(router.find("a.b"), undefined);
  await router.search("a.b");
  assertEquals(router.find("a.b")?.subscriptions.length, 12_000);
});

Deno.test("headers of all users take no more than their share, and all go on being served", async () => {
  const users = 8;
  const all = { allow: [">"] };
  const file = {
    tokens: Array.from({ length: users }, (_, i) => ({
      name: `user${i}`,
      token: hashToken(`user${i}`),
      publish: all,
      subscribe: all,
    })),
  };
  const maxMemoryBytes = 32 * 1_048_576;
  const authenticator = new FileAuthenticator(parseAuthFile(JSON.stringify(file), PUBSUB_RIGHTS));
  await using broker = await startBroker({ authenticator, maxMemoryBytes });
  using stack = new DisposableStack();
  const peers = [];
  for (let i = 0; i < users; i++) {
    const peer = stack.use(await RawPeer.to(broker));
    assertEquals((await peer.ask("hello", { id: 1, token: `user${i}` }))["op"], "ok");
    peers.push(peer);
  }
  let most = 0;
  for (let n = 0; n < 900; n += 60) {
    for (const [i, peer] of peers.entries()) {
      const fields = { x: Array(20).fill({}) };
      // Each twice: those that come once only are not all remembered.
      const frames = Array.from(
        { length: 60 },
        (_, k) => op("pub", { topic: `${i}.${n + k}`, ...fields }),
      );
      await peer.send(...frames.flatMap((frame) => [frame, frame]), op("ping", { id: 1 }));
      assertEquals((await peer.header())["op"], "pong");
    }
    most = Math.max(most, broker.stats().speedBytes);
  }
  assert(most > maxMemoryBytes / 64, `something is remembered: ${most}`);
  assert(most <= maxMemoryBytes / 32, `${most}`);
  for (const peer of peers) peer.close();
});
