import { assert, assertEquals, assertRejects } from "@std/assert";
import { dial } from "../../../lib/net/mod.ts";
import {
  type ByteDuplex,
  type ClientState,
  connectBroker,
  PubSubError,
  type PubSubMessage,
} from "../../../lib/pubsub/mod.ts";
import { deadline, pause, until } from "../../support/deadline.ts";
import { startBroker } from "../support.ts";
import { codeOf, FAST, restart } from "./support.ts";

Deno.test("draining sends what waits, and hands out what has come", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  await using other = await connectBroker(broker.address);
  const mine = await client.subscribe("mine");
  const theirs = await other.subscribe("theirs");
  for (let i = 0; i < 100; i++) void client.publish("theirs", String(i));
  await other.publishConfirmed("mine", "last");
  await deadline(client.drain());
  assertEquals(client.state, "closed");
  assertEquals(await client.finished, undefined);
  for (let i = 0; i < 100; i++) {
    assertEquals((await deadline(theirs.next())).value!.text(), String(i));
  }
  assertEquals((await mine.next()).value!.text(), "last");
  assertEquals((await mine.next()).done, true);
  await until(() => broker.connections().length === 1);
});

Deno.test("draining without a connection waits for the next", async () => {
  const first = await startBroker();
  await using client = await connectBroker(first.address, { reconnect: FAST });
  await first[Symbol.asyncDispose]();
  await until(() => client.state === "reconnecting");
  const sent = client.publish("t", "x");
  const drained = client.drain();
  await using second = await restart(first);
  await deadline(Promise.all([sent, drained]));
  assertEquals(second.stats().published, 1);
});

Deno.test("a drain that takes too long is timed-out, and closes the client", async () => {
  const broker = await startBroker();
  await using client = await connectBroker(broker.address, { reconnect: { firstMs: 60_000 } });
  await broker[Symbol.asyncDispose]();
  await until(() => client.state === "reconnecting");
  const sent = codeOf(client.publish("t", "x"));
  assertEquals(await codeOf(client.drain(30)), "timed-out");
  assertEquals(await sent, "closed");
  assertEquals(client.state, "closed");
  assertEquals(await codeOf(client.drain()), "timed-out");
});

Deno.test("a connection that is lost while draining is not made again", async () => {
  await using broker = await startBroker();
  const states: ClientState[] = [];
  let cut = () => {};
  let muted = false;
  const target = async (signal: AbortSignal): Promise<ByteDuplex> => {
    const conn = await dial(broker.address, { signal });
    cut = () => conn.close();
    return {
      read: (into) => conn.read(into),
      // The broker gets nothing of what draining asks.
      write: (bytes) => muted ? Promise.resolve(bytes.length) : conn.write(bytes),
      close: cut,
    };
  };
  await using client = await connectBroker(target, {
    reconnect: FAST,
    onState: ({ state }) => states.push(state),
  });
  await client.subscribe("t");
  muted = true;
  const drained = codeOf(client.drain());
  await until(() => client.state === "draining");
  assertEquals(await codeOf(client.publish("t")), "closed");
  cut();
  assertEquals(await drained, "disconnected");
  assert(await client.finished instanceof Error);
  assertEquals(states, ["connected", "draining", "closed"]);
});

Deno.test("requests that came are replied to while draining, by callbacks and by loops", async () => {
  for (const way of ["callback", "parallel", "loop"] as const) {
    await using broker = await startBroker();
    await using asker = await connectBroker(broker.address);
    const server = await connectBroker(broker.address);
    let came = 0;
    const answer = async (message: PubSubMessage) => {
      await pause(10);
      await message.respond(`reply to ${message.text()}`);
    };
    const runs: Promise<void>[] = [];
    const subscription = await server.subscribe("ask", {
      onMessage: way === "loop" ? undefined : (message) => {
        came++;
        const run = answer(message);
        runs.push(run);
        return way === "callback" ? run : undefined;
      },
    });
    if (way === "loop") {
      void (async () => {
        for await (const message of subscription) await answer(message);
      })();
    }
    const texts = ["1", "2", "3", "4", "5"];
    const replies = Promise.all(texts.map((text) => asker.request("ask", text)));
    await until(() => broker.stats().published === 5);
    // What runs in the background is the program's to wait for.
    if (way === "parallel") {
      // What comes after it is unsubscribed is for nobody.
      await until(() => came === 5);
      await subscription.unsubscribe();
      await Promise.all(runs);
    }
    const drained = server.drain();
    await until(() => server.state !== "connected");
    assertEquals(await codeOf(server.publish("t")), "closed");
    await deadline(drained);
    const expected = texts.map((text) => `reply to ${text}`);
    assertEquals((await deadline(replies)).map((reply) => reply.text()), expected, way);
    assert(came <= 5);
  }
});

Deno.test("a request that nobody replies to does not hold up a drain, once it is done with", async () => {
  await using broker = await startBroker();
  await using asker = await connectBroker(broker.address);
  const server = await connectBroker(broker.address);
  const gate = Promise.withResolvers<void>();
  await server.subscribe("ask", { onMessage: () => gate.promise });
  const idle = await server.subscribe("ask");
  const asked = codeOf(asker.request("ask", "", { timeoutMs: 200 }));
  await until(() => broker.stats().published === 1);
  const drained = server.drain();
  let isDrained = false;
  void drained.then(() => isDrained = true);
  assertEquals(await asked, "timed-out");
  assertEquals(isDrained, false);
  gate.resolve();
  await deadline(drained);
  assertEquals((await idle.next()).value!.topic, "ask");
});

Deno.test("a drain that is given up tells what it waited for; the first limit counts", async () => {
  await using broker = await startBroker();
  const client = await connectBroker(broker.address);
  await client.subscribe("ask", { onMessage: () => new Promise(() => {}) });
  await client.publishConfirmed("ask", "", { replyTo: "answers" });
  const patient = assertRejects(() => client.drain(60_000), PubSubError);
  const error = await deadline(assertRejects(() => client.drain(30), PubSubError));
  assertEquals(
    error.message,
    "The client could not be drained in 30 ms: requests that the program is not done with: 1",
  );
  assertEquals((await patient).message, error.message);
  assertEquals(await client.finished, error);
});

Deno.test("a drain beside close() rejects with closed", async () => {
  await using broker = await startBroker();
  const client = await connectBroker(broker.address);
  await client.subscribe("t");
  const drained = codeOf(client.drain());
  await client.close();
  assertEquals(await drained, "closed");
  assertEquals(await client.finished, undefined);
});

Deno.test("a drain whose last bytes the socket does not take is timed-out", async () => {
  await using broker = await startBroker();
  let stuck = false;
  const target = async (signal: AbortSignal): Promise<ByteDuplex> => {
    const conn = await dial(broker.address, { signal });
    const closed = Promise.withResolvers<number>();
    return {
      read: (into) => conn.read(into),
      write: (bytes) => stuck ? closed.promise : conn.write(bytes),
      close() {
        conn.close();
        closed.reject(new Error("closed"));
      },
    };
  };
  const client = await connectBroker(target);
  stuck = true;
  assertEquals(await codeOf(client.drain(30)), "timed-out");
  assertEquals(client.state, "closed");
});
