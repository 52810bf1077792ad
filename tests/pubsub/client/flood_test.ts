/** Programs that get more publications than they can take, and take them slowly or not at all. */
import { assert, assertEquals } from "@std/assert";
import {
  type Broker,
  type BrokerClient,
  connectBroker,
  type MissedPublications,
  SLOW_POLICIES,
} from "../../../lib/pubsub/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
import { RawPeer, startBroker } from "../support.ts";
import { codeOf } from "./support.ts";
import { soakSize } from "../../support/soak_size.ts";

const CONTENT = new Uint8Array(1_000);

/** So many confirmations the callback gets. */
const HANDLED = soakSize(6, 30);

/** Publishes without end until it is told to stop; tells how many it published. */
async function flood(broker: Broker, topic: string, most = Infinity) {
  const peer = await RawPeer.to(broker);
  let stopped = false;
  let count = 0;
  const done = (async () => {
    while (!stopped && count < most) {
      await peer.send({ header: { op: "pub", topic }, content: CONTENT });
      count++;
    }
    await peer.ask("ping", { id: 1 });
  })();
  // A broker that has the publisher wait is closed by the test.
  done.catch(() => {});
  return {
    async [Symbol.asyncDispose]() {
      stopped = true;
      await done.catch(() => {});
      peer.conn.close();
    },
    get count() {
      return count;
    },
    done,
  };
}

for (const slow of SLOW_POLICIES) {
  Deno.test(`with ${slow}, a callback gets its confirmations under a flood`, async () => {
    await using broker = await startBroker({ allowBlock: true });
    await using client = await connectBroker(broker.address, {
      maxQueuedBytes: 100_000,
      onError: () => {},
    });
    let handled = 0;
    const subscription = await client.subscribe("in", {
      slow,
      onMessage: async () => {
        await client.publishConfirmed("out");
        handled++;
      },
    });
    await using _flood = await flood(broker, "in");
    const ends = slow === "disconnect";
    await until(() => handled > HANDLED || ends && subscription.ended, `with ${slow}`);
    await client.close();
    await broker[Symbol.asyncDispose]();
  });
}

Deno.test("a subscription that nobody iterates over stops nothing else", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address, {
    maxQueuedMessages: 20,
    onError: () => {},
  });
  const idle = await client.subscribe("in");
  const both = await client.subscribe("in", { onMessage: () => {} });
  {
    await using _flood = await flood(broker, "in");
    await both.unsubscribe();
    const stopped = () => broker.connections().some(({ pendingBytes }) => pendingBytes > 100_000);
    await until(stopped, "the client stops reading");
    assertEquals(await deadline(client.publishConfirmed("nobody")), 0);
    const seen = Promise.withResolvers<void>();
    const other = await deadline(client.subscribe("other", { onMessage: () => seen.resolve() }));
    assertEquals(await deadline(client.publishConfirmed("other")), 1);
    await deadline(seen.promise);
    await client.subscribe("ask", { onMessage: (message) => message.respond("answer") });
    assertEquals((await deadline(client.request("ask"))).text(), "answer");
    await deadline(other.unsubscribe());
    await deadline(client.flush());
    await deadline(idle.unsubscribe());
  }
  let waiting = 0;
  for await (const _ of idle) waiting++;
  assertEquals(waiting, 20);
  assert(idle.missed > 0);
  await deadline(client.drain());
});

Deno.test("what one subscription leaves out is told to it, and the others get it", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  const told: MissedPublications[] = [];
  const small = await client.subscribe("a.x", {
    maxQueuedMessages: 10,
    onMissed: (missed) => void told.push(missed),
  });
  let received = 0;
  for (const filter of ["a.*", "a.>", "a.>"]) {
    await client.subscribe(filter, { onMessage: () => void received++ });
  }
  {
    await using publisher = await flood(broker, "a.x", 2_000);
    await deadline(publisher.done);
  }
  await until(() => received === 3 * 2_000, "the others get all");
  await small.unsubscribe();
  let taken = 0;
  for await (const _ of small) taken++;
  assertEquals([taken, small.missed], [10, 1_990]);
  const [{ filter, count, bytes, reason }] = told as [MissedPublications];
  assertEquals([filter, count, reason], ["a.x", 1_990, "slow"]);
  assert(bytes! > 1_990 * CONTENT.length);
});

/** Receives slowly all that one publisher sends as fast as it can. */
async function receiveSlowly(client: BrokerClient, count: number): Promise<number> {
  const done = Promise.withResolvers<void>();
  let received = 0;
  const subscription = await client.subscribe("in", {
    maxQueuedBytes: 50_000,
    onMessage: async () => {
      if (++received % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      if (received + subscription.missed >= count) done.resolve();
    },
  });
  await done.promise;
  return received;
}

Deno.test("one publisher flat out loses nothing to one slow callback: the client does not read", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  const received = receiveSlowly(client, 10_000);
  await until(() => broker.stats().subscriptions === 1);
  await using _flood = await flood(broker, "in", 10_000);
  assertEquals(await deadline(received), 10_000);
});

Deno.test("with disconnect a subscription ends when more waits than may, and says so", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  const idle = await client.subscribe("in", { slow: "disconnect", maxQueuedMessages: 5 });
  await client.subscribe("other", { onMessage: () => {} });
  {
    await using publisher = await flood(broker, "in", 50);
    await deadline(publisher.done);
    await until(() => idle.ended);
  }
  let taken = 0;
  const failure = await codeOf((async () => {
    for await (const _ of idle) taken++;
  })());
  assertEquals([failure, taken], ["slow-consumer", 5]);
  assertEquals(await client.publishConfirmed("in"), 0);
});

Deno.test("onMessages gets arrays in order, one call after the other", async () => {
  await using broker = await startBroker();
  const errors: unknown[] = [];
  await using client = await connectBroker(broker.address, {
    onError: (error) => void errors.push(error),
  });
  const seen: string[] = [];
  const sizes: number[] = [];
  await client.subscribe("in", {
    maxQueuedMessages: 100,
    onMessages(messages) {
      sizes.push(messages.length);
      // The array is the program's.
      for (const message of messages.splice(0)) seen.push(message.text());
      if (sizes.length === 2) throw new Error("told");
      return sizes.length === 3 ? new Promise((resolve) => setTimeout(resolve, 20)) : undefined;
    },
  });
  const publisher = await connectBroker(broker.address);
  for (let turn = 0; turn < 20; turn++) {
    for (let i = 0; i < 10; i++) void publisher.publish("in", String(turn * 10 + i));
    await publisher.flush();
  }
  await until(() => seen.length === 200);
  assertEquals(seen, Array.from({ length: 200 }, (_, i) => String(i)));
  assert(sizes.some((size) => size > 1), String(sizes));
  assertEquals(errors.map(String), ["Error: told"]);
  await publisher.close();
});
