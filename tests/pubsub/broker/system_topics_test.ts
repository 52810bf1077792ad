import { assertEquals } from "@std/assert";
import { FileAuthenticator, hashToken, parseAuthFile } from "../../../lib/access/mod.ts";
import { connectBroker, PUBSUB_RIGHTS } from "../../../lib/pubsub/mod.ts";
import { op, RawPeer, startBroker } from "../support.ts";
import { ask, asker } from "./system_asker.ts";

Deno.test("topics are told with the most subscribers first, and nobody's inbox", async () => {
  await using broker = await startBroker();
  using peer = await asker(broker);
  using other = await RawPeer.to(broker);
  for (const filter of ["a", "b.*", "b.>"]) await peer.sub(filter);
  for (const filter of ["b.*", "_inbox.other.>"]) await other.sub(filter);
  await other.sub("a", { group: "workers" });
  await other.sub("a", { group: "others" });
  const { topics } = await ask(peer, "_sys.topics", '{"limit":2}');
  assertEquals(topics, [
    { filter: "a", subscribers: 1, groups: { workers: 1, others: 1 } },
    { filter: "b.*", subscribers: 2, groups: {} },
  ]);
  const all = (await ask(peer, "_sys.topics")).topics as { filter: string }[];
  assertEquals(all.map(({ filter }) => filter), ["a", "b.*", "b.>"]);
});

Deno.test("no inbox is told where clients of NATS wait for replies: everybody may publish there", async () => {
  const rights = {
    publish: { allow: ["told", "_sys.topics"] },
    subscribe: { allow: ["told", "_INBOX.>", "_INBOX_shop.*"] },
  };
  const table = parseAuthFile(
    JSON.stringify({ tokens: [{ name: "shop", token: hashToken("shop"), ...rights }] }),
    PUBSUB_RIGHTS,
  );
  await using broker = await startBroker({ authenticator: new FileAuthenticator(table) });
  using peer = await RawPeer.to(broker);
  await peer.ask("hello", { id: 1, token: "shop" });
  for (const filter of ["told", "_INBOX.x1.5", "_INBOX.>", "_INBOX_shop.*"]) await peer.sub(filter);
  await peer.send(op("pub", { topic: "_sys.topics", "reply-to": "told" }));
  const told = (await peer.frame()).json();
  assertEquals(told, { topics: [{ filter: "told", subscribers: 1, groups: {} }] });
});

Deno.test("an answer has a bound, whatever limit is asked for", async () => {
  await using broker = await startBroker();
  using peer = await asker(broker);
  for (let i = 0; i < 3_000; i++) await peer.send(op("sub", { topic: `t.${i}` }));
  for (let i = 0; i < 150; i++) await peer.send(op("sub", { topic: "t.0", group: `g${i}` }));
  const { topics } = await ask(peer, "_sys.topics", '{"limit":1000000}');
  const list = topics as { groups: Record<string, number>; "more-groups"?: number }[];
  assertEquals(list.length, 1_000);
  assertEquals([Object.keys(list[0]!.groups).length, list[0]!["more-groups"]], [100, 50]);
});

Deno.test("an answer goes only where who asked may publish", async () => {
  await using broker = await startBroker();
  using peer = await RawPeer.to(broker);
  await peer.sub("news");
  const answer = await peer.ask("pub", { topic: "_sys.stats", "reply-to": "_other.x", id: 1 });
  assertEquals([answer["op"], answer["code"]], ["error", "forbidden"]);
  await peer.send(op("pub", { topic: "_sys.stats", "reply-to": "news" }));
  const told = (await peer.frame()).json() as Record<string, unknown>;
  assertEquals(told["connections"], 1);
});

Deno.test("the broker tells what is subscribed to, and by how many", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  const peers = await Promise.all([1, 2, 3, 4].map(() => RawPeer.to(broker)));
  for (const peer of peers) await peer.sub("a.b");
  for (const peer of peers.slice(1)) await peer.sub("jobs.*", { group: "workers" });
  await peers[0]!.sub("jobs.*");
  await peers[0]!.sub("x.>");
  await peers[0]!.sub("x.*.y");
  const told = async (content: string) => (await client.request("_sys.topics", content)).json();
  const filters = [
    { filter: "a.b", subscribers: 4, groups: {} },
    { filter: "jobs.*", subscribers: 1, groups: { workers: 3 } },
  ];
  assertEquals(await told('{"limit":2}'), { topics: filters });
  const { topics } = await told("") as { topics: { filter: string }[] };
  assertEquals(topics.slice(0, 2), filters);
  const others = topics.slice(2).map(({ filter }) => filter).filter((name) => name[0] !== "_");
  assertEquals(others.sort(), ["x.*.y", "x.>"]);
  assertEquals(await told('{"limit":0}'), { topics: [] });
  for (const peer of peers) peer.close();
});
