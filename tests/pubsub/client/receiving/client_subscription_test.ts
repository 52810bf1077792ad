import { assert, assertEquals } from "@std/assert";
import { connectBroker } from "../../../../lib/pubsub/mod.ts";
import { deadline, until } from "../../../support/deadline.ts";
import { RawPeer, startBroker } from "../../support.ts";
import { makeSubscription } from "../support.ts";

Deno.test("leaving a loop ends the subscription; two of one filter are two", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  await client.publish("a", "kept", { retain: true });
  const first = await client.subscribe("a");
  const second = await client.subscribe("a");
  assertEquals([first.retained, second.retained], [1, 1]);
  for await (const message of first) {
    assert(message.retained);
    break;
  }
  assertEquals(await client.publishConfirmed("a", "live"), 1);
  assertEquals((await second.next()).value!.text(), "kept");
  assertEquals((await second.next()).value!.text(), "live");
  assertEquals((await first.next()).done, true);
});

Deno.test("a program that takes no messages is a slow subscriber, with bounded memory", async () => {
  await using broker = await startBroker({ maxPendingBytes: 1_200_000 });
  await using client = await connectBroker(broker.address, { maxQueuedBytes: 50_000 });
  let missed = 0;
  const subscription = await client.subscribe("a", {
    onMissed: ({ count }) => void (missed += count ?? NaN),
  });
  using publisher = await RawPeer.to(broker);
  const count = 3_000;
  for (let i = 0; i < count; i++) {
    await publisher.send({ header: { op: "pub", topic: "a" }, content: new Uint8Array(10_000) });
  }
  await publisher.ask("ping", { id: 1 });
  let taken = 0;
  while (taken + missed < count) {
    await deadline(subscription.next());
    taken++;
    // The last of what was missed is told before the next message, or when asked for that.
    if (broker.connections()[0]!.missed + taken === count) break;
  }
  await until(() => broker.connections()[0]!.missed > 0);
  assert(taken < count);
});

Deno.test("a callback that throws is told of, and called again with what comes next", async () => {
  await using broker = await startBroker({ maxPendingBytes: 1_200_000 });
  const errors: unknown[] = [];
  await using client = await connectBroker(broker.address, {
    onError: (error) => void errors.push(error),
    onState: () => {
      throw new Error("state");
    },
  });
  assertEquals(errors.map(String), ["Error: state"]);
  const seen: string[] = [];
  await client.subscribe("t", {
    onMessage: (message) => {
      seen.push(message.text());
      throw new Error(`sync ${message.text()}`);
    },
  });
  const late = await client.subscribe("t", {
    onMessage: async (message) => {
      await Promise.resolve();
      throw new Error(`async ${message.text()}`);
    },
  });
  for (const text of ["1", "2"]) await client.publish("t", text);
  await until(() => errors.length === 5);
  assertEquals(seen, ["1", "2"]);
  assertEquals(errors.slice(1).map(String).sort(), [
    "Error: async 1",
    "Error: async 2",
    "Error: sync 1",
    "Error: sync 2",
  ]);
  await late.unsubscribe();
});

Deno.test("onMissed may throw: the messages go on", async () => {
  const errors: unknown[] = [];
  const { subscription } = makeSubscription({
    onMissed: ({ count }) => {
      throw new Error(`${count} missed`);
    },
  }, { tellError: (error) => void errors.push(error) });
  subscription.pushMissed("slow", 3, 10);
  subscription.end();
  assertEquals((await subscription.next()).done, true);
  assertEquals([subscription.missed, errors.map(String)], [3, ["Error: 3 missed"]]);
});

Deno.test("a callback may use the subscription, also for what comes with it", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  await client.publish("t", "kept", { retain: true });
  await client.publishConfirmed("u", "kept", { retain: true });
  const seen: string[] = [];
  const subscription = await client.subscribe("t", {
    onMessage: async (message) => {
      seen.push(message.text());
      await subscription.unsubscribe();
    },
  });
  await deadline(subscription.taken);
  const [first, second] = await Promise.all(["t", "u"].map((filter) =>
    client.subscribe(filter, {
      onMessages: (messages) =>
        void seen.push(`${messages.length} ${first!.retained} ${second!.retained}`),
    })
  ));
  await until(() => seen.length === 3);
  assertEquals(seen, ["kept", "1 1 1", "1 1 1"]);
  assertEquals(await client.publishConfirmed("t"), 1);
});
