import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import { filterCovers } from "../../../lib/pubsub/protocol/topic.ts";
import { op, RawPeer, startBroker } from "../support.ts";

Deno.test("a connection gets what its subscriptions still want, of its own and of others'", async () => {
  await using broker = await startBroker();
  const subscription = fc.record({
    topic: fc.constantFrom("a", "b", "*", ">"),
    "no-local": fc.option(fc.boolean(), { nil: undefined }),
    max: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
  });
  const publication = fc.record({ own: fc.boolean(), topic: fc.constantFrom("a", "b") });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(subscription, { selector: ({ topic }) => topic, minLength: 1, maxLength: 4 }),
      // Parts are sent at once, so that several are handed out together.
      fc.array(fc.array(publication, { minLength: 1, maxLength: 8 }), { maxLength: 5 }),
      async (subscriptions, parts) => {
        using peer = await RawPeer.to(broker);
        using other = await RawPeer.to(broker);
        const model = subscriptions.map(({ max = Infinity, ...rest }) => ({ ...rest, left: max }));
        for (const { topic, ...fields } of subscriptions) await peer.sub(topic, fields);
        const due: number[] = [];
        let n = 0;
        for (const part of parts) {
          for (const own of [true, false]) {
            const frames = part.filter((one) => one.own === own).map(({ topic }) => {
              n++;
              const wanting = model.filter((one) =>
                one.left > 0 && filterCovers(one.topic, topic) && !(own && one["no-local"])
              );
              for (const one of wanting) one.left--;
              if (wanting.length > 0) due.push(n);
              return encodeFrame(op("pub", { topic, n }));
            });
            await (own ? peer : other).send(...frames, op("ping", { id: 7 }));
            if (!own) await other.header();
            else {
              const before = due.length;
              for (let seen = false; !seen;) {
                const { op: name, n: number } = await peer.header();
                if (name === "pong") seen = true;
                else assertEquals(number, due.shift());
              }
              assertEquals(due.length, Math.max(0, before - before));
            }
          }
        }
        await peer.send(op("ping", { id: 8 }));
        for (
          let header = await peer.header();
          header["op"] !== "pong";
          header = await peer.header()
        ) {
          assertEquals(header["n"], due.shift());
        }
        assertEquals(due, []);
        // What ended is not there any more.
        for (const { topic, left } of model) {
          const answer = await peer.ask("unsub", { topic, id: 9 });
          assertEquals(answer["op"], left > 0 ? "ok" : "error", topic);
        }
      },
    ),
    { numRuns: 60 },
  );
  assertEquals(broker.stats().subscriptions, 0);
});

Deno.test("members of a group that want no more, or nothing of their own, are passed over", async () => {
  await using broker = await startBroker();
  const members = await Promise.all([1, 2, 3].map(() => RawPeer.to(broker)));
  await members[0]!.sub("j", { group: "g", max: 2 });
  await members[1]!.sub("j", { group: "g", "no-local": true });
  using publisher = members[1]!;
  await publisher.send(...[1, 2, 3].map((n) => op("pub", { topic: "j", n })));
  for (const n of [1, 2]) assertEquals((await members[0]!.header())["n"], n);
  assertEquals((await publisher.ask("pub", { topic: "j", id: 1 }))["receivers"], 0);
  await members[2]!.sub("j", { group: "g" });
  assertEquals((await publisher.ask("pub", { topic: "j", id: 1, n: 4 }))["receivers"], 1);
  assertEquals((await members[2]!.header())["n"], 4);
  assertEquals(broker.stats().subscriptions, 2);
  for (const member of members) member.close();
});

Deno.test("retained values are among those that a subscription wants so many of", async () => {
  await using broker = await startBroker();
  using publisher = await RawPeer.to(broker);
  for (let i = 0; i < 3; i++) await publisher.pub(`r.${i}`, "x", { retain: true });
  using subscriber = await RawPeer.to(broker);
  assertEquals(await subscriber.sub("r.*", { max: 2 }), 2);
  for (let i = 0; i < 2; i++) await subscriber.frame();
  assertEquals(await publisher.pub("r.9", "live"), 0);
  assertEquals(await subscriber.sub("r.*", { max: 4 }), 3);
  for (let i = 0; i < 3; i++) await subscriber.frame();
  assertEquals(await publisher.pub("r.9", "live"), 1);
  assertEquals(await publisher.pub("r.9", "late"), 0);
  assertEquals((await subscriber.frame()).text(), "live");
});

Deno.test("unsub with max ends a subscription after so many more", async () => {
  await using broker = await startBroker();
  using subscriber = await RawPeer.to(broker);
  using publisher = await RawPeer.to(broker);
  await subscriber.sub("a");
  await publisher.pub("a", "1");
  await subscriber.frame();
  assertEquals((await subscriber.ask("unsub", { topic: "a", max: 2, id: 1 }))["op"], "ok");
  await publisher.send(...["2", "3", "4"].map((text) => op("pub", { topic: "a" }, text)));
  assertEquals((await subscriber.frame()).text(), "2");
  assertEquals((await subscriber.frame()).text(), "3");
  assertEquals((await subscriber.ask("unsub", { topic: "a", id: 2 }))["code"], "not-subscribed");
  assertEquals(await publisher.pub("a", "5"), 0);
});

Deno.test("what a slow subscriber misses counts among those that it wants", async () => {
  await using broker = await startBroker({ maxContentBytes: 20_000, maxPendingBytes: 100_000 });
  using stopped = await RawPeer.to(broker);
  await stopped.sub("t", { max: 1_500 });
  using publisher = await RawPeer.to(broker);
  const frame = encodeFrame(op("pub", { topic: "t" }, new Uint8Array(10_000)));
  for (let i = 0; i < 200; i++) await publisher.send(...Array<Uint8Array>(10).fill(frame));
  await publisher.ask("ping", { id: 1 });
  let seen = 0;
  while (seen < 1_500) {
    const { op: name, count } = await stopped.header();
    seen += name === "missed" ? count as number : 1;
  }
  assertEquals(seen, 1_500);
  assertEquals((await stopped.ask("ping", { id: 1 }))["op"], "pong");
});
