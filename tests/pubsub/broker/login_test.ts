import { assert, assertEquals } from "@std/assert";
import {
  type Credentials,
  FileAuthenticator,
  parseAuthFile,
  Principal,
} from "../../../lib/access/mod.ts";
import { QueueFullError } from "../../../lib/base/fair_queue.ts";
import { redirectErrors } from "../../../lib/base/report.ts";
import { PUBSUB_RIGHTS } from "../../../lib/pubsub/mod.ts";
import { until } from "../../support/deadline.ts";
import { quickHash } from "../../support/quick_hash.ts";
import { op, RawPeer, startBroker } from "../support.ts";

const FILE = JSON.stringify({
  users: [{ name: "ali", password: quickHash("secret"), publish: { allow: [">"] } }],
});

function start() {
  return startBroker({ authenticator: new FileAuthenticator(parseAuthFile(FILE, PUBSUB_RIGHTS)) });
}

async function login(peer: RawPeer, password = "secret", user = "ali") {
  return await peer.ask("hello", { id: 1, user, password });
}

/** How long a right login takes behind 400 wrong ones of clients that left, and how long it may take. */
async function loginBehindWrongOnes(): Promise<{ readonly ms: number; readonly limitMs: number }> {
  await using broker = await start();
  using first = await RawPeer.to(broker);
  const begunAt = performance.now();
  assertEquals((await login(first, "wrong"))["code"], "unauthorized");
  const checkMs = performance.now() - begunAt;
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
  await until(() => broker.stats().connections <= 2, "those that left are gone");
  return { ms, limitMs: Math.max(100, 10 * checkMs) };
}

Deno.test("wrong logins of clients that left delay a right one by a few checks", async () => {
  // On a busy machine it may take longer by chance.
  let took = await loginBehindWrongOnes();
  for (let tries = 1; took.ms >= took.limitMs && tries < 4; tries++) {
    took = await loginBehindWrongOnes();
  }
  assert(took.ms < took.limitMs, `${took.ms} ms of ${took.limitMs}`);
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

Deno.test("why an authenticator fails is for the operator; the client may say hello again", async () => {
  const reported: string[] = [];
  using _ = redirectErrors((error, what) => reported.push(`${what}: ${error}`));
  const user = new Principal("ali", { publish: { allow: [">"], deny: [] } });
  const authenticator = {
    authenticate({ token }: Credentials) {
      if (token === "thrown") throw new Error("a secret");
      return token === "full"
        ? Promise.reject(new QueueFullError("of secrets"))
        : token === "right"
        ? Promise.resolve(user)
        : Promise.reject(new Error("another secret"));
    },
  };
  await using broker = await startBroker({ authenticator });
  using peer = await RawPeer.to(broker);
  for (const token of ["thrown", "rejected"]) {
    const { op, code, message, ...rest } = await peer.ask("hello", { id: 1, token });
    assertEquals([op, code, rest["retry-after-ms"]], ["error", "unavailable", 1_000]);
    assert(!String(message).includes("secret"), String(message));
  }
  assertEquals(reported, [
    "The authenticator failed: Error: a secret",
    "The authenticator failed: Error: another secret",
  ]);
  assertEquals((await peer.ask("hello", { id: 2, token: "right" }))["op"], "ok");
  using late = await RawPeer.to(broker);
  assertEquals((await late.ask("hello", { id: 1, token: "full" }))["code"], "over-budget");
  assertEquals((await late.header())["reason"], "over-budget");
  assertEquals(reported.length, 2);
});

Deno.test("a client whose login is not checked in time is not told that it is unknown", async () => {
  const checking = Promise.withResolvers<undefined>();
  const authenticator = { authenticate: () => checking.promise };
  await using broker = await startBroker({ authenticator, helloTimeoutMs: 50 });
  using silent = await RawPeer.to(broker);
  using waiting = await RawPeer.to(broker);
  await waiting.send(op("hello", { id: 1, token: "t" }));
  assertEquals((await silent.header())["reason"], "unauthorized");
  assertEquals((await waiting.header())["code"], "over-budget");
  assertEquals((await waiting.header())["reason"], "over-budget");
  checking.resolve(undefined);
  assertEquals(await waiting.answer(), undefined);
});
