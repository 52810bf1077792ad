/** Which broker a client connects to, when, and as whom. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { listen, type TcpAddress } from "../../../lib/net/mod.ts";
import {
  type ClientStateChange,
  connectBroker,
  FileAuthenticator,
  hashToken,
  parseAuthFile,
  PUBSUB_RIGHTS,
  serveBroker,
} from "../../../lib/pubsub/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
import { startBroker } from "../support.ts";
import { codeOf, FAST, restart } from "./support.ts";

Deno.test("the first connection waits for a broker, where that is wanted", async () => {
  const gone = await startBroker();
  await gone[Symbol.asyncDispose]();
  const changes: ClientStateChange[] = [];
  const connecting = connectBroker(gone.address, {
    waitOnFirstConnect: true,
    reconnect: FAST,
    onState: (change) => void changes.push(change),
  });
  await until(() => changes.length >= 3);
  for (const { state, reason, retryMs } of changes) {
    assertEquals(state, "connecting");
    assert(reason instanceof Error && retryMs! <= FAST.longestMs);
  }
  await using _broker = await restart(gone);
  await using client = await deadline(connecting);
  assertEquals(await client.publishConfirmed("t"), 0);
  assertEquals(changes.at(-1)!.state, "connected");
});

Deno.test("waiting for a broker ends by a signal, and by a refusal", async () => {
  const gone = await startBroker();
  await gone[Symbol.asyncDispose]();
  const abort = new AbortController();
  const options = { waitOnFirstConnect: true, reconnect: FAST, signal: abort.signal };
  const waiting = connectBroker(gone.address, {
    ...options,
    onState: ({ state }) => state === "connecting" && abort.abort(new Error("enough")),
  });
  await assertRejects(() => deadline(waiting), Error, "enough");
  await using broker = await startBroker({ authenticator: tokens("other") });
  const refused = connectBroker(broker.address, { waitOnFirstConnect: true, reconnect: FAST });
  assertEquals(await codeOf(refused), "unauthorized");
});

Deno.test("of several servers the next is tried, at first and when a connection is lost", async () => {
  const gone = await startBroker();
  await gone[Symbol.asyncDispose]();
  const one = await startBroker();
  await using two = await startBroker();
  await using client = await connectBroker([gone.address, one.address, two.address], {
    reconnect: FAST,
  });
  const seen: string[] = [];
  await client.subscribe("t", { onMessage: (message) => void seen.push(message.text()) });
  assertEquals(one.stats().connections, 1);
  await one[Symbol.asyncDispose]();
  await until(() => two.stats().subscriptions === 1);
  await client.publishConfirmed("t", "on the other");
  await until(() => seen.length === 1);
  await assertRejects(() => connectBroker([]), TypeError, "empty");
  const none = connectBroker([gone.address, one.address], { reconnect: false });
  await assertRejects(() => deadline(none));
});

/** Knows clients by these tokens only. */
function tokens(...known: readonly string[]): FileAuthenticator {
  const all = known.map((token) => ({
    name: token,
    token: hashToken(token),
    publish: { allow: [">"] },
    subscribe: { allow: [">"] },
  }));
  return new FileAuthenticator(parseAuthFile(JSON.stringify({ tokens: all }), PUBSUB_RIGHTS));
}

Deno.test("a function is asked for credentials before each connection", async () => {
  const first = await startBroker({ authenticator: tokens("first") });
  let asked = 0;
  await using client = await connectBroker(first.address, {
    reconnect: FAST,
    credentials: () => Promise.resolve({ token: ["first", "second"][asked++]! }),
  });
  await first[Symbol.asyncDispose]();
  await using second = await serveBroker(await listen(first.address as TcpAddress), {
    authenticator: tokens("second"),
  });
  await until(() => client.state === "connected" && asked > 1);
  assertEquals(await client.publishConfirmed("t"), 0);
  const failing = () => Promise.reject(new Error("no token"));
  await assertRejects(
    () => deadline(connectBroker(second.address, { credentials: failing })),
    Error,
    "no token",
  );
  const never = () => new Promise<never>(() => {});
  const late = connectBroker(second.address, { credentials: never, connectTimeoutMs: 30 });
  assertEquals(await codeOf(late), "timed-out");
});
