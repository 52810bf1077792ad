import { assert, assertEquals } from "@std/assert";
import { connectBroker } from "../../../../lib/pubsub/mod.ts";
import { deadline, until } from "../../../support/deadline.ts";
import { soakSize } from "../../../support/soak_size.ts";
import { op, RawPeer, startBroker } from "../../support.ts";

Deno.test("overlapping filters give a connection each publication once", async () => {
  await using broker = await startBroker();
  using subscriber = await RawPeer.to(broker);
  using publisher = await RawPeer.to(broker);
  for (const topic of ["a.b", "a.*", "a.>", ">", "*.b"]) await subscriber.sub(topic);
  for (let i = 0; i < 20; i++) assertEquals(await publisher.pub("a.b", String(i)), 1);
  for (let i = 0; i < 20; i++) assertEquals((await subscriber.frame()).text(), String(i));
  assertEquals((await subscriber.ask("ping", { id: 1 }))["op"], "pong");
});

Deno.test("every subscriber gets each publisher's topics in the order sent", async () => {
  const count = 3_000;
  await using broker = await startBroker();
  const publishers = await Promise.all([1, 2, 3].map(() => connectBroker(broker.address)));
  const readers = await Promise.all([1, 2, 3, 4].map(async (_, i) => {
    const client = await connectBroker(broker.address);
    // One hears all by a wildcard, the others some topics by name, so that runs differ.
    const filters = i === 0 ? ["t.>"] : [`t.${i - 1}`, `t.${i}`];
    const last = new Map<string, number>();
    let seen = 0;
    for (const filter of filters) {
      await client.subscribe(filter, {
        onMessage(message) {
          const [publisher, number] = message.text().split(" ");
          const key = `${publisher} ${message.topic}`;
          assertEquals(Number(number), (last.get(key) ?? -1) + 1, key);
          last.set(key, Number(number));
          seen++;
        },
      });
    }
    return { client, seen: () => seen, due: i === 0 ? 4 : 2 };
  }));
  await Promise.all(publishers.map(async (client, p) => {
    for (let i = 0; i < count; i++) {
      for (let topic = 0; topic < 4; topic++) void client.publish(`t.${topic}`, `${p} ${i}`);
      if (i % 100 === 0) await client.publish("none");
    }
    await client.drain(30_000);
  }));
  for (const { seen, due } of readers) {
    await until(() => seen() === due * count * 3, `all of ${due * count * 3} came`);
  }
  await Promise.all(readers.map(({ client }) => client.close()));
});

Deno.test("a group shares publications evenly, each to one member, marked with the group", async () => {
  await using broker = await startBroker();
  using publisher = await RawPeer.to(broker);
  using plain = await RawPeer.to(broker);
  const members = await Promise.all([1, 2, 3].map(() => RawPeer.to(broker)));
  await plain.sub("jobs.*");
  for (const member of members) await member.sub("jobs.>", { group: "workers" });
  for (let i = 0; i < 30; i++) assertEquals(await publisher.pub("jobs.x", String(i)), 2);
  const all: number[] = [];
  for (const member of members) {
    for (let i = 0; i < 10; i++) {
      const frame = await member.frame();
      assertEquals([frame.header["group"], frame.header["filter"]], ["workers", "jobs.>"]);
      all.push(Number(frame.text()));
    }
    member.close();
  }
  assertEquals(all.sort((a, b) => a - b), Array.from({ length: 30 }, (_, i) => i));
  for (let i = 0; i < 30; i++) {
    const frame = await plain.frame();
    assertEquals([frame.text(), frame.header["group"]], [String(i), undefined]);
  }
});

Deno.test("a connection gets a publication for itself, and again for each group that picks it", async () => {
  await using broker = await startBroker();
  using peer = await RawPeer.to(broker);
  await peer.sub("a");
  await peer.sub("a", { group: "g" });
  await peer.sub("*", { group: "g" });
  await peer.sub("a", { group: "h" });
  await peer.send(op("pub", { topic: "a" }, "x"));
  const seen = [];
  for (let i = 0; i < 4; i++) {
    const { group, filter } = await peer.header();
    seen.push(`${group} ${filter}`);
  }
  assertEquals(seen.sort(), ["g *", "g a", "h a", "undefined undefined"]);
  await peer.send(op("unsub", { topic: "a", group: "g", id: 3 }));
  assertEquals((await peer.header())["id"], 3);
  await peer.send(op("pub", { topic: "a", id: 4 }, "y"));
  for (let i = 0; i < 3; i++) assertEquals((await peer.header())["op"], "pub");
  assertEquals((await peer.header())["receivers"], 1, "it is one connection");
  using other = await RawPeer.to(broker);
  await other.sub("a", { group: "k" });
  using publisher = await RawPeer.to(broker);
  assertEquals(await publisher.pub("a", "z"), 2);
});

Deno.test("when a member of a group dies mid-stream the others get what follows", async () => {
  await using broker = await startBroker();
  await using publisher = await connectBroker(broker.address);
  using dying = await RawPeer.to(broker);
  await dying.sub("jobs", { group: "g" });
  const seen = new Set<string>();
  const others = await Promise.all([1, 2].map(async () => {
    const client = await connectBroker(broker.address);
    await client.subscribe("jobs", { group: "g", onMessage: (m) => void seen.add(m.text()) });
    return client;
  }));
  for (let i = 0; i < 300; i++) await publisher.publishConfirmed("jobs", `before ${i}`);
  dying.close();
  await until(() => broker.stats().connections === 3, "the broker noticed");
  for (let i = 0; i < 300; i++) {
    assertEquals(await publisher.publishConfirmed("jobs", `after ${i}`), 1);
  }
  await until(() => seen.size >= 500, "the others got their share and all that followed");
  for (let i = 0; i < 300; i++) assert(seen.has(`after ${i}`));
  await Promise.all(others.map((client) => client.close()));
});

Deno.test("hundreds of subscribers on one topic, or thousands, all get it", async () => {
  const count = soakSize(800, 2_000);
  await using broker = await startBroker();
  const peers: RawPeer[] = [];
  for (let i = 0; i < count; i += 100) {
    peers.push(...await Promise.all(Array.from({ length: 100 }, () => RawPeer.to(broker))));
  }
  await Promise.all(peers.map((peer) => peer.sub("a")));
  using publisher = await RawPeer.to(broker);
  assertEquals(await publisher.pub("a", "x".repeat(1_024)), count);
  await deadline(Promise.all(peers.map(async (peer) => {
    assertEquals((await peer.frame()).content.length, 1_024);
    peer.close();
  })));
});
