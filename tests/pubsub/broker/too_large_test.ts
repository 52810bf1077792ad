import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import { op, RawPeer, startBroker } from "../support.ts";

Deno.test("a client is told of publications larger than it takes, where they would stand", async () => {
  await using broker = await startBroker({ maxPendingBytes: 1_200_000 });
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 40 }),
      fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 60 }),
      fc.constantFrom({}, { group: "g" }),
      async (limit, sizes, fields) => {
        using subscriber = await RawPeer.to(broker);
        using publisher = await RawPeer.to(broker);
        await subscriber.ask("hello", { id: 1, "max-content-length": limit });
        await subscriber.sub("a.*", fields);
        if (!("group" in fields)) await subscriber.sub(">");
        const frames = sizes.map((size, n) =>
          encodeFrame(op("pub", { topic: `a.${n % 2}`, n }, new Uint8Array(size)))
        );
        await publisher.send(...frames);
        for (const [n, size] of sizes.entries()) {
          if (size <= limit) {
            assertEquals((await subscriber.header())["n"], n);
            continue;
          }
          for (const topic of "group" in fields ? ["a.*"] : ["a.*", ">"]) {
            const missed = await subscriber.header();
            assertEquals(
              [missed["op"], missed["reason"], missed["count"], missed["bytes"]],
              ["missed", "too-large", 1, frames[n]!.length],
            );
            assertEquals(typeof missed["topic"], typeof topic);
          }
        }
        assertEquals((await subscriber.ask("ping", { id: 9 }))["op"], "pong");
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("what is too large for a client that is behind is counted, and takes no memory", async () => {
  await using broker = await startBroker({ maxContentBytes: 20_000, maxPendingBytes: 100_000 });
  using stopped = await RawPeer.to(broker);
  await stopped.ask("hello", { id: 1, "max-content-length": 10_000 });
  await stopped.sub("t");
  using publisher = await RawPeer.to(broker);
  const small = encodeFrame(op("pub", { topic: "t" }, new Uint8Array(10_000)));
  const large = encodeFrame(op("pub", { topic: "t" }, new Uint8Array(10_001)));
  const count = 1_500;
  for (let i = 0; i < count; i += 10) {
    await publisher.send(...Array.from({ length: 10 }, (_, j) => j < 5 ? small : large));
  }
  await publisher.ask("ping", { id: 1 });
  let tooLarge = 0;
  let slow = 0;
  let received = 0;
  while (tooLarge + slow + received < count) {
    const header = await stopped.header();
    if (header["op"] === "pub") received++;
    else if (header["reason"] === "too-large") tooLarge += header["count"] as number;
    else slow += header["count"] as number;
  }
  assertEquals([tooLarge, received + slow], [count / 2, count / 2]);
  assertEquals(broker.stats().missed, tooLarge + slow);
});

Deno.test("a retained value that is too large is told, and not counted among those that follow", async () => {
  await using broker = await startBroker();
  using publisher = await RawPeer.to(broker);
  await publisher.pub("r.1", "x".repeat(10), { retain: true });
  await publisher.pub("r.2", "x".repeat(11), { retain: true });
  await publisher.pub("r.3", "x".repeat(12), { retain: true });
  using subscriber = await RawPeer.to(broker);
  await subscriber.ask("hello", { id: 1, "max-content-length": 10 });
  assertEquals(await subscriber.sub("r.*"), 1);
  const missed = await subscriber.header();
  assertEquals([missed["op"], missed["topic"], missed["reason"], missed["count"]], [
    "missed",
    "r.*",
    "too-large",
    2,
  ]);
  assertEquals((await subscriber.header())["topic"], "r.1");
  assertEquals((await subscriber.ask("ping", { id: 9 }))["op"], "pong");
});
