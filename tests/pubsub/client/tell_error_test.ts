import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { redirectErrors } from "../../../lib/base/report.ts";
import { connectBroker, PubSubError } from "../../../lib/pubsub/mod.ts";
import { errorTeller } from "../../../lib/pubsub/client/tell_error.ts";
import { until } from "../../support/deadline.ts";
import { startBroker } from "../support.ts";
import { codeOf, FAST, restart } from "./support.ts";

Deno.test("errors go to onError, and where there is none or it throws to the reporter", () => {
  const reported: string[] = [];
  using _ = redirectErrors((error, what) => reported.push(`${what}: ${error}`));
  const told: unknown[] = [];
  errorTeller((error) => void told.push(error))("one", "It failed");
  assertEquals([told, reported], [["one"], []]);
  errorTeller(undefined)("two", "It failed");
  assertEquals(reported.splice(0), ["It failed: two"]);
  errorTeller(() => {
    throw "worse";
  })("three", "It failed");
  assertEquals(reported, ["It failed: three", "The callback onError failed: worse"]);
});

Deno.test("a refused publication that nobody waits for is told of", async () => {
  await using broker = await startBroker();
  const reported: string[] = [];
  using _ = redirectErrors((error, what) => reported.push(`${what}: ${error}`));
  const told: unknown[] = [];
  await using loud = await connectBroker(broker.address, { onError: (error) => told.push(error) });
  await using silent = await connectBroker(broker.address);
  for (const client of [loud, silent]) await client.publish("_other.x", "x");
  await until(() => told.length === 1 && reported.length === 1);
  assert(told[0] instanceof PubSubError);
  assertEquals(told[0].code, "forbidden");
  assertStringIncludes(reported[0]!, "The broker refused a publication: PubSubError");
  // One that is waited for is told of by its promise alone.
  assertEquals(await codeOf(silent.publishConfirmed("_other.x")), "forbidden");
  assertEquals(await codeOf(silent.subscribe("_sys.x")), "forbidden");
  assertEquals([told.length, reported.length], [1, 1]);
});

Deno.test("a client whose callbacks fall silent for good says so, unless the program is told anyway", async () => {
  const reported: string[] = [];
  using _ = redirectErrors((error, what) => reported.push(`${what}: ${error}`));
  const broker = await startBroker();
  const states: unknown[] = [];
  const told: unknown[] = [];
  const connect = (options = {}) => connectBroker(broker.address, { reconnect: false, ...options });
  const silent = await connect();
  const loud = await connect({ onError: (error: unknown) => told.push(error) });
  const watching = await connect({ onState: (change: unknown) => states.push(change) });
  const iterating = await connect();
  const closed = await connect();
  for (const client of [silent, loud, watching, closed]) {
    await client.subscribe("t", { onMessage: () => {} });
  }
  // The inbox of requests has a callback too, but whoever made a request is told by its promise.
  assertEquals(await codeOf(iterating.request("nobody")), "no-receivers");
  const subscription = await iterating.subscribe("t");
  await closed.close();
  await broker[Symbol.asyncDispose]();
  for (const client of [silent, loud, watching, iterating]) {
    assert(await client.finished instanceof Error);
  }
  assertEquals(reported.length, 1);
  assertStringIncludes(reported[0]!, "The client lost its broker for good");
  assertEquals(told.length, 1);
  assertEquals(states.length, 2);
  assertEquals(await codeOf(subscription.next()), "closed");
});

Deno.test("a subscription that is not permitted any more is told of", async () => {
  const reported: string[] = [];
  using _ = redirectErrors((error, what) => reported.push(`${what}: ${error}`));
  const first = await startBroker({ allowBlock: true });
  await using client = await connectBroker(first.address, { reconnect: FAST });
  await client.subscribe("t", { slow: "block", onMessage: () => {} });
  const iterated = await client.subscribe("u", { slow: "block" });
  await first[Symbol.asyncDispose]();
  await using _second = await restart(first);
  await until(() => reported.length === 1);
  assertStringIncludes(reported[0]!, "The subscription to t ended: PubSubError");
  assertEquals(await codeOf(iterated.next()), "forbidden");
  assertEquals(await client.publishConfirmed("t"), 0);
});
