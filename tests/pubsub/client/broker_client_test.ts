import { assert, assertEquals, assertRejects } from "@std/assert";
import { dial, listen } from "../../../lib/net/mod.ts";
import type { TcpAddress } from "../../../lib/net/mod.ts";
import {
  Backoff,
  type Broker,
  BrokerClient,
  type ByteDuplex,
  type ClientState,
  connectBroker,
  duplexOf,
  PubSubError,
  serveBroker,
} from "../../../lib/pubsub/mod.ts";
import { deadline, pause, until } from "../../support/deadline.ts";
import { RawPeer, startBroker } from "../support.ts";

const FAST = { firstMs: 20, longestMs: 100 };

/** Another broker on the port of one that has ended. */
async function restart(broker: Broker): Promise<Broker> {
  return serveBroker(await listen(broker.address as TcpAddress));
}

function codeOf(promise: Promise<unknown>): Promise<string> {
  return deadline(promise.then(() => "done", (error) => error.code ?? String(error)));
}

Deno.test("a client publishes, subscribes, asks and answers", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address, { name: "one" });
  const subscription = await client.subscribe("a.*");
  await client.publish("a.b", "text", { fields: { trace: 7 }, contentType: "text/x" });
  await client.publish("a.c", Uint8Array.of(1, 2));
  assertEquals(await client.publishConfirmed("nobody"), 0);
  const first = (await subscription.next()).value!;
  assertEquals([first.text(), first.header["trace"], first.header["content-type"]], [
    "text",
    7,
    "text/x",
  ]);
  assertEquals((await subscription.next()).value!.content, Uint8Array.of(1, 2));
  await client.subscribe("double", {
    onMessage: (message) => message.respond(message.text().repeat(2)),
  });
  const replies = await Promise.all(["x", "y"].map((text) => client.request("double", text)));
  assertEquals(replies.map((reply) => reply.text()), ["xx", "yy"]);
  assertEquals(await codeOf(client.request("nobody")), "no-receivers");
  await client.subscribe("silent", { onMessage: () => {} });
  assertEquals(await codeOf(client.request("silent", "", { timeoutMs: 50 })), "timed-out");
  assertEquals(await codeOf(client.publish("a.*")), "bad-topic");
  assertEquals(await codeOf(client.subscribe("a.>.b")), "bad-filter");
  assertEquals(await codeOf(client.subscribe("_inbox.*")), "forbidden");
  await subscription.unsubscribe();
  assertEquals(await client.publishConfirmed("a.b"), 0);
  await client.drain();
  assertEquals(client.state, "closed");
  assertEquals(await codeOf(client.publish("a.b")), "closed");
  assertEquals(await codeOf(client.subscribe("a.b")), "closed");
});

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

Deno.test("what waits for a connection has a bound, and who passes it is told", async () => {
  const broker = await startBroker();
  await using client = await connectBroker(broker.address, {
    reconnect: { firstMs: 60_000, longestMs: 60_000 },
    maxBufferedBytes: 10_000,
  });
  await broker.drain();
  await until(() => client.state === "reconnecting");
  const results: Promise<string>[] = [];
  for (let i = 0; i < 20; i++) results.push(codeOf(client.publish("a", "x".repeat(1_000))));
  assertEquals(await results[19], "buffer-full");
  assert(client.bufferedBytes <= 10_000);
  assertEquals(await codeOf(client.publishConfirmed("a", "x".repeat(5_000))), "buffer-full");
  await client.close();
  const codes = await Promise.all(results);
  assert(codes.every((code) => code === "closed" || code === "buffer-full"), String(codes));
  // 1,000 bytes of content and some 110 of header each.
  assert([8, 9].includes(codes.filter((code) => code === "closed").length));
});

Deno.test("nothing resolves as confirmed or sent that was not", async () => {
  // A broker that takes the connection and then never reads again.
  using listener = await listen({ transport: "tcp", hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const starting = connectBroker(listener.address, { reconnect: false, connectTimeoutMs: 300 });
  const failure = await deadline(starting.then(() => undefined, (error) => error));
  assert(failure instanceof PubSubError);
  assertEquals(failure.code, "timed-out");
  (await accepted).close();

  await using broker = await startBroker();
  // A connection whose socket takes no large write any more.
  const target = async () => {
    const conn = await Deno.connect(broker.address as TcpAddress);
    const stuck = Promise.withResolvers<number>();
    return {
      read: (into: Uint8Array) => conn.read(into),
      write: (bytes: Uint8Array) => bytes.length < 10_000 ? conn.write(bytes) : stuck.promise,
      close() {
        conn.close();
        stuck.reject(new Error("closed"));
      },
    };
  };
  await using client = await connectBroker(target, { reconnect: false });
  const sent = codeOf(client.publish("a", "x".repeat(100_000)));
  const confirmed = codeOf(client.publishConfirmed("a"));
  await until(() => client.bufferedBytes > 100_000);
  await broker[Symbol.asyncDispose]();
  assertEquals(await confirmed, "disconnected");
  assertEquals(await sent, "disconnected");
  await deadline(client.finished);
  assertEquals(client.state, "closed");
});

Deno.test("the first connection is tried once; a signal ends it", async () => {
  const broker = await startBroker();
  await broker.drain();
  await assertRejects(() => connectBroker(broker.address));
  const abort = new AbortController();
  using listener = await listen({ transport: "tcp", hostname: "127.0.0.1", port: 0 });
  const starting = connectBroker(listener.address, { signal: abort.signal });
  const conn = await listener.accept();
  abort.abort(new Error("enough"));
  await assertRejects(() => deadline(starting), Error, "enough");
  conn.close();
});

Deno.test("a program that takes no messages is a slow subscriber, with bounded memory", async () => {
  await using broker = await startBroker({ maxPendingBytes: 1_200_000 });
  await using client = await connectBroker(broker.address, { maxQueuedBytes: 50_000 });
  let missed = 0;
  const subscription = await client.subscribe("a", {
    onMissed: ({ count }) => void (missed += count),
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

Deno.test("a client works over any streams of bytes", async () => {
  await using broker = await startBroker();
  const target = async () => {
    const conn = await Deno.connect(broker.address as TcpAddress);
    return duplexOf(conn);
  };
  await using client = await connectBroker(target);
  const subscription = await client.subscribe("a");
  const content = "x".repeat(200_000);
  assertEquals(await client.publishConfirmed("a", content), 1);
  assertEquals((await subscription.next()).value!.text(), content);
  await client.drain();
});

Deno.test("back-off doubles its bound and spreads evenly below it", () => {
  const highest = new Backoff({ firstMs: 100, longestMs: 1_000 }, () => 0.999_999);
  const waits = Array.from({ length: 6 }, () => Math.round(highest.next()));
  assertEquals(waits, [100, 200, 400, 800, 1_000, 1_000]);
  highest.reset();
  assertEquals(Math.round(highest.next()), 100);
  const spread = new Backoff({ firstMs: 1_000 });
  const first = Array.from({ length: 200 }, () => (spread.reset(), spread.next()));
  assert(Math.min(...first) < 200 && Math.max(...first) > 800);
});

Deno.test("a thousand clients come back after a restart", async () => {
  const broker = await startBroker();
  const clients: BrokerClient[] = [];
  let seen = 0;
  for (let i = 0; i < 1_000; i += 100) {
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
  await until(() => second.stats().subscriptions === 1_000, "all are back");
  assert(second.stats().accepted < 1_500, "few had to try twice");
  using publisher = await RawPeer.to(second);
  assertEquals(await publisher.pub("all", "x"), 1_000);
  await until(() => seen === 1_000);
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

Deno.test("the broker tells what is subscribed to, and by how many", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  const peers = await Promise.all([1, 2, 3, 4].map(() => RawPeer.to(broker)));
  for (const peer of peers) await peer.sub("a.b");
  for (const peer of peers.slice(1)) await peer.sub("jobs.*", { group: "workers" });
  await peers[0]!.sub("jobs.*");
  await peers[0]!.sub("x.>");
  await peers[0]!.sub("x.*.y");
  const told = async (content: string) => (await client.request("_sys.topics", content)).json();
  const filters = [
    { filter: "a.b", subscribers: 4, groups: {} },
    { filter: "jobs.*", subscribers: 1, groups: { workers: 3 } },
  ];
  assertEquals(await told('{"limit":2}'), { topics: filters });
  const { topics } = await told("") as { topics: { filter: string }[] };
  assertEquals(topics.slice(0, 2), filters);
  const others = topics.slice(2).map(({ filter }) => filter).filter((name) => name[0] !== "_");
  assertEquals(others.sort(), ["x.*.y", "x.>"]);
  assertEquals(await told('{"limit":0}'), { topics: [] });
  for (const peer of peers) peer.close();
});

Deno.test("a content that the broker does not take is refused to its publisher", async () => {
  await using broker = await startBroker({ maxContentBytes: 1_000 });
  await using client = await connectBroker(broker.address);
  for (const content of ["x".repeat(1_001), "é".repeat(501), new Uint8Array(1_001)]) {
    assertEquals(await codeOf(client.publish("a", content)), "frame-too-large");
    assertEquals(await codeOf(client.publishConfirmed("a", content)), "frame-too-large");
  }
  for (const content of ["x".repeat(1_000), "é".repeat(500), new Uint8Array(1_000)]) {
    assertEquals(await client.publishConfirmed("a", content), 0);
  }
  using peer = await RawPeer.to(broker);
  const { op, code, id } = await peer.ask("pub", { topic: "a", id: 7 }, "x".repeat(1_001));
  assertEquals([op, code, id], ["error", "frame-too-large", 7]);
});
