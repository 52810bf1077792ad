import { assert, assertEquals } from "@std/assert";
import { dial } from "../../../../lib/net/mod.ts";
import {
  BrokerClient,
  type ByteDuplex,
  type ClientState,
  connectBroker,
} from "../../../../lib/pubsub/mod.ts";
import { deadline, pause, until } from "../../../support/deadline.ts";
import { RawPeer, startBroker } from "../../support.ts";
import { codeOf, FAST, restart } from "../support.ts";
import { soakSize } from "../../../support/soak_size.ts";

Deno.test("after a restart of the broker a client goes on with all its subscriptions", async () => {
  const broker = await startBroker();
  const states: ClientState[] = [];
  await using client = await connectBroker(broker.address, {
    reconnect: FAST,
    onState: ({ state }) => void states.push(state),
  });
  const seen: string[] = [];
  await client.subscribe("a.>", { onMessage: (message) => void seen.push(message.text()) });
  const grouped = await client.subscribe("b", { group: "g" });
  await broker.drain();
  await until(() => client.state === "reconnecting");
  const sent = [client.publish("a.x", "waited 1"), client.publish("a.x", "waited 2")];
  const confirmed = client.publishConfirmed("b", "waited 3");
  const late = client.subscribe("late");
  assert(client.bufferedBytes > 0);
  await using second = await restart(broker);
  await deadline(Promise.all(sent));
  assertEquals(await deadline(confirmed), 1);
  assertEquals((await grouped.next()).value!.text(), "waited 3");
  await until(() => seen.length === 2);
  assertEquals(seen, ["waited 1", "waited 2"]);
  await client.publish("late", "x");
  assertEquals((await (await late).next()).value!.text(), "x");
  assertEquals(second.stats().connections, 1);
  assertEquals(states[0], "connected");
  assert(states.includes("reconnecting"));
  assertEquals(states.at(-1), "connected");
});

/** Come back at about the same time, a multiple of 100. */
const CLIENTS = soakSize(300, 1_000);

Deno.test("hundreds of clients come back after a restart", async () => {
  const broker = await startBroker();
  const clients: BrokerClient[] = [];
  let seen = 0;
  for (let i = 0; i < CLIENTS; i += 100) {
    clients.push(
      ...await Promise.all(Array.from({ length: 100 }, async () => {
        const client = await connectBroker(broker.address, {
          reconnect: { firstMs: 200, longestMs: 2_000 },
        });
        await client.subscribe("all", { onMessage: () => void seen++ });
        return client;
      })),
    );
  }
  await broker[Symbol.asyncDispose]();
  await until(() => clients.every(({ state }) => state === "reconnecting"));
  await using second = await restart(broker);
  await until(() => second.stats().subscriptions === CLIENTS, "all are back");
  assert(second.stats().accepted < 1.5 * CLIENTS, "few had to try twice");
  using publisher = await RawPeer.to(second);
  assertEquals(await publisher.pub("all", "x"), CLIENTS);
  await until(() => seen === CLIENTS);
  await Promise.all(clients.map((client) => client.close()));
});

Deno.test("what is subscribed to, and not any more, during a greeting is right after it", async () => {
  await using broker = await startBroker();
  let cut = () => {};
  // What comes takes a while, so that a greeting does.
  const target = async (signal: AbortSignal): Promise<ByteDuplex> => {
    const conn = await dial(broker.address, { signal });
    cut = () => conn.close();
    return {
      async read(into) {
        const count = await conn.read(into);
        await pause(30);
        return count;
      },
      write: (bytes) => conn.write(bytes),
      close: cut,
    };
  };
  await using client = await connectBroker(target, { reconnect: { firstMs: 1, longestMs: 1 } });
  await using other = await connectBroker(broker.address);
  const numbers = Array.from({ length: 12 }, (_, i) => i);
  const ended = await Promise.all(numbers.map((i) => client.subscribe(`old.${i}`)));
  cut();
  await until(() => client.state === "reconnecting", "the connection is lost");
  const steps: Promise<unknown>[] = [];
  for (const i of numbers) {
    steps.push(client.subscribe(`new.${i}`), ended[i]!.unsubscribe());
    await pause(10);
  }
  await deadline(Promise.all(steps));
  const receivers = (prefix: string) =>
    Promise.all(numbers.map((i) => other.publishConfirmed(`${prefix}.${i}`)));
  assertEquals(await receivers("new"), numbers.map(() => 1));
  assertEquals(await receivers("old"), numbers.map(() => 0));
});

Deno.test("what the broker refuses is told to who subscribed, also after a reconnection", async () => {
  const first = await startBroker();
  await using client = await connectBroker(first.address, { reconnect: FAST });
  await first[Symbol.asyncDispose]();
  await until(() => client.state === "reconnecting", "the connection is lost");
  const refused = codeOf(client.subscribe("_sys.x"));
  const taken = client.subscribe("a");
  await using _broker = await restart(first);
  assertEquals(await refused, "forbidden");
  assertEquals(await client.publishConfirmed("a"), 1);
  assertEquals((await (await taken).next()).value!.topic, "a");
});
