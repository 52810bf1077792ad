import { assertEquals } from "@std/assert";
import {
  connectBroker,
  FileAuthenticator,
  hashToken,
  parseAuthFile,
  PUBSUB_RIGHTS,
} from "../../../lib/pubsub/mod.ts";
import { quickHash } from "../../support/quick_hash.ts";
import { op, RawPeer, startBroker } from "../support.ts";

const FILE = JSON.stringify({
  users: [{
    name: "alice",
    password: quickHash("secret"),
    publish: { allow: ["orders.>", "_sys.stats"], deny: ["orders.secret.>"] },
    subscribe: { allow: ["orders.>"], deny: ["orders.secret.>"] },
  }],
  tokens: [{ name: "sensor", token: hashToken("t0ken"), publish: { allow: ["temperature.*"] } }],
});

function start(helloTimeoutMs = 10_000) {
  const authenticator = new FileAuthenticator(parseAuthFile(FILE, PUBSUB_RIGHTS));
  return startBroker({ authenticator, helloTimeoutMs });
}

Deno.test("users and tokens may do what the file says", async () => {
  await using broker = await start();
  using alice = await RawPeer.to(broker);
  const welcome = await alice.ask("hello", { id: 1, user: "alice", password: "secret" });
  assertEquals(welcome["op"], "ok");
  assertEquals(broker.connections()[0]!.user, "alice");
  const cases: [string, string, string | undefined][] = [
    ["pub", "orders.eu", undefined],
    ["pub", "orders.secret.x", "forbidden"],
    ["pub", "other", "forbidden"],
    ["pub", "_inbox.anybody.1", undefined],
    ["pub", "_sys.connections", "forbidden"],
    ["sub", "orders.eu", undefined],
    ["sub", "orders.*", undefined],
    ["sub", "orders.>", "forbidden"],
    ["sub", "orders.*.x", "forbidden"],
    ["sub", ">", "forbidden"],
    ["sub", "_inbox.mine.*", "forbidden"],
    ["sub", "_inbox.>", "forbidden"],
    ["sub", "_inbox.*.x", "forbidden"],
  ];
  for (const [name, topic, code] of cases) {
    const answer = await alice.ask(name, { topic, id: 2 });
    if (answer["op"] === "pub") continue;
    assertEquals(answer["code"], code, `${name} ${topic}`);
    if (name === "sub" && code === undefined) await alice.ask("unsub", { topic, id: 3 });
  }
  await using sensor = await connectBroker(broker.address, { credentials: { token: "t0ken" } });
  assertEquals(await sensor.publishConfirmed("temperature.1", "20"), 0);
  const refused = await sensor.subscribe("temperature.1").catch((error) => error.code);
  assertEquals(refused, "forbidden");
});

Deno.test("who is not known is told so and goes, and disturbs nobody", async () => {
  await using broker = await start();
  await using alice = await connectBroker(broker.address, {
    credentials: { user: "alice", password: "secret" },
  });
  const subscription = await alice.subscribe("orders.eu");
  const tries: ReturnType<typeof op>[][] = [
    [
      op("hello", { id: 1, user: "alice", password: "wrong" }),
      op("pub", { topic: "orders.eu" }, "x"),
    ],
    [op("hello", { id: 1, user: "bob", password: "secret" })],
    [op("hello", { id: 1, token: "wrong" })],
    [op("hello", { id: 1 })],
    [op("pub", { topic: "orders.eu", id: 1 }, "x")],
    [op("ping", { id: 1 })],
  ];
  for (const frames of tries) {
    using peer = await RawPeer.to(broker);
    await peer.send(...frames);
    const answer = await peer.header();
    assertEquals([answer["code"], answer["id"]], ["unauthorized", 1]);
    assertEquals((await peer.header())["reason"], "unauthorized");
    assertEquals(await peer.answer(), undefined);
  }
  await alice.publish("orders.eu", "mine");
  assertEquals((await subscription.next()).value!.text(), "mine");
  const failed = await connectBroker(broker.address, { credentials: { token: "no" } })
    .catch((error) => error.code);
  assertEquals(failed, "unauthorized");
});

Deno.test("who says nothing is told to go", async () => {
  await using broker = await start(50);
  using peer = await RawPeer.to(broker);
  assertEquals((await peer.header())["reason"], "unauthorized");
});
