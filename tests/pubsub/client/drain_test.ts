import { assert, assertEquals } from "@std/assert";
import { dial } from "../../../lib/net/mod.ts";
import { type ByteDuplex, type ClientState, connectBroker } from "../../../lib/pubsub/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
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
