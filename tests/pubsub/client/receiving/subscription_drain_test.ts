import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { dial } from "../../../../lib/net/mod.ts";
import {
  type BrokerClient,
  type ByteDuplex,
  type ClientSubscription,
  connectBroker,
  type SubscribeOptions,
} from "../../../../lib/pubsub/mod.ts";
import { deadline, pause, until } from "../../../support/deadline.ts";
import { startBroker } from "../../support.ts";
import { codeOf, FAST, restart } from "../support.ts";

/** What another subscription to the same filter does while one is drained. */
const OTHERS = ["none", "none", "none", "stays", "drains", "unsubscribes"] as const;

/** A subscription, and what came to it. */
async function collect(
  client: BrokerClient,
  topic: string,
  way: "callback" | "slow" | "loop",
  options: SubscribeOptions,
): Promise<{ subscription: ClientSubscription; texts: string[]; ended: Promise<void> }> {
  const texts: string[] = [];
  const onMessage = way === "loop" ? undefined : (message: { text(): string }) => {
    texts.push(message.text());
    return way === "slow" && texts.length % 50 === 0 ? pause(0) : undefined;
  };
  const subscription = await client.subscribe(topic, { ...options, onMessage });
  const read = async () => {
    for await (const message of subscription) texts.push(message.text());
  };
  return { subscription, texts, ended: way === "loop" ? read() : Promise.resolve() };
}

Deno.test("a drained subscription gets all that the broker has counted it for, and no more", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  await using publisher = await connectBroker(broker.address);
  let runs = 0;
  const property = fc.asyncProperty(
    fc.constantFrom("callback" as const, "slow" as const, "slow" as const, "loop" as const),
    fc.constantFrom(...OTHERS),
    fc.constantFrom(undefined, "group"),
    fc.constantFrom(1, 8, undefined),
    fc.integer({ min: 0, max: 400 }),
    fc.integer({ min: 0, max: 400 }),
    async (way, others, group, maxQueued, before, meanwhile) => {
      const topic = `t${runs++}`;
      // With another one that is not full the client reads on, and leaves out what is too much.
      const options = { group, maxQueuedMessages: others === "none" ? maxQueued : undefined };
      const drained = await collect(client, topic, way, options);
      const other = others === "none" ? undefined : await collect(client, topic, way, options);
      const publish = (count: number) =>
        Array.from({ length: count }, (_, i) => publisher.publishConfirmed(topic, `${i}`));
      const first = publish(before);
      // What was published last may be on its way to the client.
      if (before > 0) await first.at(-1);
      const ends = [drained.subscription.drain()];
      if (others === "drains") ends.push(other!.subscription.drain());
      if (others === "unsubscribes") ends.push(other!.subscription.unsubscribe());
      const receivers = await Promise.all([...first, ...publish(meanwhile)]);
      await deadline(Promise.all([...ends, drained.ended]));
      if (others === "stays") await other!.subscription.drain();
      await other?.ended;
      assertEquals(drained.subscription.missed, 0);
      const due = receivers.filter((count) => count > 0).length;
      const [came, elsewhere = 0] = [drained.texts.length, other?.texts.length];
      // Of a group's messages each goes to one of them. Who just unsubscribes loses some.
      if (group !== undefined && others === "unsubscribes") assert(came + elsewhere <= due);
      else if (group !== undefined) assertEquals(came + elsewhere, due);
      else if (others !== "stays") assertEquals(came, due);
      if (group === undefined && (others === "stays" || others === "drains")) {
        assertEquals(elsewhere, due);
        assertEquals(drained.texts, other!.texts.slice(0, came));
      }
      assertEquals(await publisher.publishConfirmed(topic), 0);
    },
  );
  await fc.assert(property, { numRuns: 30, endOnFailure: true });
});

Deno.test("a drain that takes too long ends as unsubscribing does: what came before is still called with", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  const gate = Promise.withResolvers<void>();
  const texts: string[] = [];
  const subscription = await client.subscribe("t", {
    async onMessage(message) {
      await gate.promise;
      texts.push(message.text());
    },
  });
  for (const text of ["a", "b"]) void client.publish("t", text);
  await client.flush();
  assertEquals(await codeOf(subscription.drain(30)), "timed-out");
  assertEquals(await client.publishConfirmed("t", "c"), 0);
  gate.resolve();
  await deadline(subscription.taken);
  assertEquals(texts, ["a", "b"]);
  assertEquals(
    await codeOf(subscription.drain(-1)),
    "RangeError: Cannot use -1 as timeoutMs: give a number of milliseconds from 0, or Infinity",
  );
});

Deno.test("a drain is over when the connection is lost, the client closed, or nothing there", async () => {
  const first = await startBroker();
  let [cut, isMuted] = [() => {}, false];
  const target = async (signal: AbortSignal): Promise<ByteDuplex> => {
    const conn = await dial(first.address, { signal });
    cut = () => conn.close();
    return {
      read: (into) => conn.read(into),
      write: (bytes) => isMuted ? Promise.resolve(bytes.length) : conn.write(bytes),
      close: cut,
    };
  };
  await using client = await connectBroker(target, { reconnect: FAST });
  const [lost, closed, idle] = await Promise.all(["a", "b", "c"].map((t) => client.subscribe(t)));
  isMuted = true;
  const ends = codeOf(lost!.drain());
  cut();
  assertEquals(await ends, "disconnected");
  await first[Symbol.asyncDispose]();
  await until(() => client.state === "reconnecting");
  // Nothing is on its way.
  assertEquals(await codeOf(idle!.drain()), "done");
  isMuted = false;
  await using second = await restart(first);
  await until(() => second.stats().subscriptions === 1, "only the other one is there again");
  isMuted = true;
  const last = codeOf(closed!.drain());
  await client.close();
  assertEquals(await last, "closed");
  assertEquals(await codeOf(closed!.drain()), "done");
});
