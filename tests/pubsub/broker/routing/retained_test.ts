import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Retained } from "../../../../lib/pubsub/broker/routing/retained.ts";
import { filterCovers } from "../../../../lib/pubsub/protocol/topic.ts";
import { connectBroker } from "../../../../lib/pubsub/mod.ts";
import { until } from "../../../support/deadline.ts";
import { op, RawPeer, startBroker } from "../../support.ts";

Deno.test("the last retained frame of a topic is handed to later subscribers, unchanged", async () => {
  await using broker = await startBroker();
  using publisher = await RawPeer.to(broker);
  await publisher.pub("room.1", "20", { retain: true });
  await publisher.pub("room.1", "21", { retain: true, extra: [1] });
  await publisher.pub("room.1", "99");
  await publisher.pub("room.2", "5", { retain: true });
  await publisher.pub("hall", "7", { retain: true });
  for (
    const [filter, texts] of [
      ["room.1", ["21"]],
      ["room.*", ["21", "5"]],
      [">", ["21", "5", "7"]],
      [
        "none",
        [],
      ],
    ] as [string, string[]][]
  ) {
    using subscriber = await RawPeer.to(broker);
    assertEquals(await subscriber.sub(filter), texts.length, filter);
    const frames = [];
    for (const _ of texts) frames.push(await subscriber.frame());
    assertEquals(frames.map((frame) => frame.text()).sort(), texts);
    assertEquals(frames.every(({ header }) => header["retain"] === true), true);
  }
  await publisher.pub("room.1", "", { retain: true });
  using subscriber = await RawPeer.to(broker);
  assertEquals(await subscriber.sub("room.*"), 1);
  assertEquals(broker.stats().retained, 2);
});

Deno.test("retained frames have a bound, and whoever passes it is told", async () => {
  await using broker = await startBroker({ maxRetainedBytes: 2_500 });
  using publisher = await RawPeer.to(broker);
  await publisher.pub("a", "x".repeat(1_000), { retain: true });
  const refused = await publisher.ask(
    "pub",
    { topic: "b", retain: true, id: 1 },
    "x".repeat(1_000),
  );
  assertEquals([refused["op"], refused["code"]], ["error", "retained-full"]);
  await publisher.pub("a", "y".repeat(1_100), { retain: true });
  assertEquals(broker.stats().retained, 1);
});

Deno.test("between retained and live there is no gap and no double, under load", async () => {
  await using broker = await startBroker();
  await using publisher = await connectBroker(broker.address);
  let stop = false;
  let sent = 0;
  const publishing = (async () => {
    while (!stop) {
      for (let i = 0; i < 50; i++) void publisher.publish("n", String(++sent), { retain: true });
      await publisher.publish("other");
    }
  })();
  await until(() => sent > 100);
  for (let round = 0; round < 20; round++) {
    using subscriber = await RawPeer.to(broker);
    const retained = await subscriber.sub("n");
    assertEquals(retained, 1);
    let last = Number((await subscriber.frame()).text());
    for (let i = 0; i < 200; i++) {
      const next = Number((await subscriber.frame()).text());
      assertEquals(next, last + 1);
      last = next;
    }
  }
  stop = true;
  await publishing;
});

Deno.test("many retained frames reach a subscriber whole, however large they are together", async () => {
  await using broker = await startBroker({ maxContentBytes: 100_000, maxPendingBytes: 200_000 });
  using publisher = await RawPeer.to(broker);
  for (let i = 0; i < 100; i++) {
    await publisher.pub(`big.${i}`, "x".repeat(50_000), { retain: true });
  }
  using subscriber = await RawPeer.to(broker);
  await subscriber.send(op("sub", { topic: "big.*", id: 1 }), op("ping", { id: 2 }));
  assertEquals((await subscriber.header())["retained"], 100);
  for (let i = 0; i < 100; i++) assertEquals((await subscriber.frame()).content.length, 50_000);
  assertEquals((await subscriber.header())["id"], 2);
});

Deno.test("a walk in steps finds what is retained when it ends, whatever happened meanwhile", () => {
  const topic = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 })
    .map((tokens) => tokens.join("."));
  fc.assert(
    fc.property(
      fc.array(topic, { maxLength: 30 }),
      fc.array(fc.tuple(topic, fc.boolean(), fc.nat({ max: 3 })), { maxLength: 30 }),
      fc.constantFrom(">", "a.>", "*.b.>", "*.*", "a", "a.b"),
      (before, changes, filter) => {
        const retained = new Retained(Infinity);
        const model = new Map<string, number>();
        let value = 0;
        const set = (name: string) => {
          model.set(name, ++value);
          retained.set(name, new Uint8Array(new Uint32Array([value]).buffer));
        };
        before.forEach(set);
        const walk = retained.walk(filter);
        for (const [name, add, steps] of changes) {
          walk.step(steps);
          if (add) set(name);
          else {
            model.delete(name);
            retained.clear(name);
          }
        }
        while (!walk.step(2));
        const found = walk.end().frames.map((bytes) => new Uint32Array(bytes.slice().buffer)[0]!);
        const expected = [...model].filter(([name]) => filterCovers(filter, name));
        assertEquals(
          found.sort((a, b) => a - b),
          expected.map(([, number]) => number).sort((a, b) => a - b),
        );
        // Who asks for the same gets the same, until something changes.
        const again = () => retained.again(filter)?.frames;
        assertEquals(again()?.length, expected.length);
        assertEquals(retained.again(`${filter}.other`), undefined);
        set("x");
        assertEquals(again(), undefined);
        retained.walk(filter).end();
        assertEquals(again(), undefined, "that look was not over");
        for (const name of model.keys()) retained.clear(name);
        assertEquals([retained.size, retained.bytes], [0, 0]);
      },
    ),
    { numRuns: 300 },
  );
});
