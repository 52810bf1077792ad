/** A client works off a stream. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ConsumedMessage, PubSubError } from "../../../lib/pubsub/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
import { storedTests } from "./kept_orders.ts";

const storedTest = storedTests("work on a stream");

storedTest("consume() works off each message once where all goes well", async ({ client }) => {
  for (let i = 1; i <= 20; i++) await client.publishStored("orders.a", `${i}`);
  const seen: string[] = [];
  const busy = { now: 0, most: 0 };
  const consumption = client.consume("orders", "billing", {
    concurrency: 4,
    async onMessage(message) {
      busy.most = Math.max(busy.most, ++busy.now);
      await client.flush();
      busy.now--;
      seen.push(message.text());
    },
  });
  await until(() => seen.length === 20, "all is worked off");
  await consumption.stop();
  await consumption.finished;
  assertEquals(new Set(seen).size, 20);
  assertEquals(busy.most, 4);
  const { pending, unacked, members } = await client.streams.consumer("orders", "billing");
  assertEquals([pending, unacked, members], [0, 0, 0]);
});

storedTest(
  "what a handler throws for comes again, then goes to the dead letters, and back",
  async ({ client, errors }) => {
    await client.publishStored("orders.a", "poison");
    await client.publishStored("orders.a", "fine");
    const attempts: number[] = [];
    let isMended = false;
    const done: string[] = [];
    const consumption = client.consume("orders", "billing", {
      maxAttempts: 3,
      onMessage(message) {
        if (message.text() === "poison" && !isMended) {
          attempts.push(message.attempt);
          throw new Error("cannot");
        }
        done.push(message.text());
      },
    });
    const dead = client.replay("_dead", { filter: "_dead.orders.billing" });
    await until(
      async () => (await client.streams.consumer("orders", "billing")).dead === 1,
      "dead",
    );
    const letter = (await dead.next()).value!;
    assertEquals(letter.text(), "poison");
    assertEquals((letter.header["dead"] as { reason: string }).reason, "cannot");
    assertEquals([attempts, done], [[1, 2, 3], ["fine"]]);
    assertEquals(errors.map(String), Array(3).fill("Error: cannot"));
    isMended = true;
    assertEquals(await client.streams.redrive("orders", "billing"), 1);
    await until(() => done.length === 2, "it was worked off");
    await dead.return();
    await consumption.stop();
    assertEquals((await client.streams.consumer("orders", "billing")).dead, 0);
  },
);

storedTest(
  "messages can be given back and kept open, and stale ones are told",
  async ({ client, restart }) => {
    await client.publishStored("orders.a", "1");
    const consumption = client.consume("orders", "c", { ackWaitMs: 60_000 });
    const next = async (): Promise<ConsumedMessage> =>
      (await deadline(consumption.next(), "a message")).value!;
    const first = await next();
    await first.working();
    await first.nack({ delayMs: 1 });
    const second = await next();
    assertEquals([second.attempt, second.seq, second.consumer], [2, 1, "c"]);
    await restart();
    assertEquals((await assertRejects(() => second.ack(), PubSubError)).code, "stale-ack");
    const third = await next();
    assertEquals(third.text(), "1");
    // Both are in one request, of which the broker says that it has one of them twice.
    await Promise.all([third.ack(), third.ack()]);
    assertEquals((await assertRejects(() => third.ack(), PubSubError)).code, "stale-ack");
    await client.streams.deleteConsumer("orders", "c");
    assertEquals((await assertRejects(next, PubSubError)).code, "no-consumer");
  },
);

storedTest("a consumption that is stopped twice ends for both", async ({ client }) => {
  await client.publishStored("orders.a", "1");
  const worked = Promise.withResolvers<void>();
  const consumption = client.consume("orders", "c", { onMessage: () => worked.resolve() });
  await worked.promise;
  // Its acknowledgement is not answered yet.
  await Promise.all([consumption.stop(), consumption.stop()]);
  await consumption.finished;
});

storedTest("a client that drains finishes what its handlers have begun", async ({ client }) => {
  await client.publishStored("orders.a", "1");
  await client.publishStored("orders.a", "2");
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const consumption = client.consume("orders", "c", {
    async onMessage() {
      begun.resolve();
      await goOn.promise;
    },
  });
  await begun.promise;
  const drained = client.drain();
  goOn.resolve();
  await drained;
  await consumption.finished;
  assert(client.state === "closed");
});

storedTest(
  "what a handler has not begun goes back as it was, however often it is told to end",
  async ({ client }) => {
    for (let i = 1; i <= 12; i++) await client.publishStored("orders.a", `${i}`);
    const begun: string[] = [];
    const stops: Promise<void>[] = [];
    const first = client.consume("orders", "c", {
      concurrency: 4,
      maxAttempts: 1,
      onMessage(message) {
        begun.push(message.text());
        for (let i = 0; i < 2; i++) stops.push(first.stop());
      },
    });
    await deadline(first.finished);
    await deadline(Promise.all(stops));
    assertEquals(begun, ["1"]);
    const rest: string[] = [];
    for await (const message of client.consume("orders", "c")) {
      assertEquals(message.attempt, 1);
      rest.push(message.text());
      await message.ack();
      if (rest.length === 11) break;
    }
    assertEquals(new Set([...begun, ...rest]).size, 12);
  },
);

storedTest(
  "what ends a consumption is told once: to `finished`, or where nobody looks there to onError",
  async ({ client, errors }) => {
    const consume = (name: string) => client.consume("orders", name, { onMessage() {} });
    consume("unwatched");
    const watched = assertRejects(() => consume("watched").finished, PubSubError);
    await until(async () => (await client.streams.consumers("orders")).length === 2, "they joined");
    await client.streams.delete("orders");
    await deadline(watched);
    await until(() => errors.length > 0, "it is told");
    await client.flush();
    assertEquals(errors.map((error) => (error as PubSubError).code), ["no-consumer"]);
  },
);
