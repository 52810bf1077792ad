import { assert, assertEquals } from "@std/assert";
import { FileAuthenticator, hashPassword, parseAuthFile } from "../../../lib/access/mod.ts";
import { PUBSUB_RIGHTS } from "../../../lib/pubsub/mod.ts";
import { until } from "../../support/deadline.ts";
import { op, RawPeer, startBroker } from "../support.ts";

const FILE = JSON.stringify({
  users: [{ name: "ali", password: await hashPassword("secret"), publish: { allow: [">"] } }],
});

function start() {
  return startBroker({ authenticator: new FileAuthenticator(parseAuthFile(FILE, PUBSUB_RIGHTS)) });
}

async function login(peer: RawPeer, password = "secret", user = "ali") {
  return await peer.ask("hello", { id: 1, user, password });
}

Deno.test("wrong logins of clients that left delay a right one by a few checks", async () => {
  await using broker = await start();
  using first = await RawPeer.to(broker);
  const start0 = performance.now();
  assertEquals((await login(first, "wrong"))["code"], "unauthorized");
  const checkMs = performance.now() - start0;
  for (let i = 0; i < 400; i++) {
    const peer = await RawPeer.to(broker);
    await peer.send(op("hello", { id: 1, user: `nobody${i}`, password: "wrong" }));
    peer.close();
  }
  using right = await RawPeer.to(broker);
  const startedAt = performance.now();
  let answer = await login(right);
  // Before the broker has noticed that they left, the queue of their address may be full.
  while (answer["code"] === "over-budget") {
    using again = await RawPeer.to(broker);
    answer = await login(again);
  }
  const ms = performance.now() - startedAt;
  assertEquals(answer["op"], "ok");
  assert(ms < Math.max(100, 10 * checkMs), `${ms} ms, one check took ${checkMs} ms`);
  await until(() => broker.stats().connections <= 2, "those that left are gone");
});

Deno.test("a client that says no more than hello gets its answer", async () => {
  await using broker = await start();
  for (const [password, expected] of [["secret", "ok"], ["wrong", "error"]] as const) {
    using peer = await RawPeer.to(broker);
    await peer.send(op("hello", { id: 1, user: "ali", password }));
    await peer.closeWrite();
    assertEquals((await peer.header())["op"], expected);
  }
});

Deno.test("requests sent with the hello are carried out once it is accepted", async () => {
  await using broker = await start();
  using peer = await RawPeer.to(broker);
  await peer.send(
    op("hello", { id: 1, user: "ali", password: "secret" }),
    op("pub", { topic: "t", id: 2 }),
    op("ping", { id: 3 }),
  );
  await peer.send(op("ping", { id: 4 }));
  const answers = [];
  for (let i = 0; i < 4; i++) answers.push(await peer.header());
  assertEquals(answers.map(({ op, id }) => [op, id]), [["ok", 1], ["ok", 2], ["pong", 3], [
    "pong",
    4,
  ]]);
});
