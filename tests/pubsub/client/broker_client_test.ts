import { assert, assertEquals, assertRejects } from "@std/assert";
import { listen, type TcpAddress } from "../../../lib/net/mod.ts";
import {
  type BrokerClientOptions,
  connectBroker,
  duplexOf,
  type SubscribeOptions,
} from "../../../lib/pubsub/mod.ts";
import { deadline } from "../../support/deadline.ts";
import { startBroker } from "../support.ts";
import { codeOf } from "./support.ts";

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

Deno.test("undefined stands for the default of every option", async () => {
  await using broker = await startBroker();
  const options: { [K in keyof Required<BrokerClientOptions>]: undefined } = {
    name: undefined,
    credentials: undefined,
    will: undefined,
    reconnect: undefined,
    waitOnFirstConnect: undefined,
    connectTimeoutMs: undefined,
    maxBufferedBytes: undefined,
    maxQueuedMessages: undefined,
    maxQueuedBytes: undefined,
    maxContentBytes: undefined,
    streamTimeoutMs: undefined,
    onState: undefined,
    onError: undefined,
    signal: undefined,
  };
  await using client = await connectBroker(broker.address, { ...options, tls: undefined });
  const none: { [K in keyof Required<SubscribeOptions>]: undefined } = {
    group: undefined,
    slow: undefined,
    noLocal: undefined,
    max: undefined,
    maxQueuedMessages: undefined,
    maxQueuedBytes: undefined,
    onMessage: undefined,
    onMessages: undefined,
    onMissed: undefined,
  };
  const subscription = await client.subscribe("t", none);
  const plain = {
    retain: undefined,
    replyTo: undefined,
    contentType: undefined,
    fields: { extra: undefined },
  };
  await client.publish("t", undefined, plain);
  assertEquals(
    await client.publishConfirmed("t", undefined, { ...plain, timeoutMs: undefined }),
    1,
  );
  for (const _ of [1, 2]) {
    const { header } = (await deadline(subscription.next())).value!;
    assertEquals([header["content-length"], header["content-type"]], [0, "text/plain"]);
    assert(!("extra" in header) && !("retain" in header) && !("reply-to" in header));
  }
  const limits = { ...plain, timeoutMs: undefined };
  assertEquals(await codeOf(client.request("nobody", undefined, limits)), "no-receivers");
  await client.drain(undefined);
});

Deno.test("json() has the type that the caller expects", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  const subscription = await client.subscribe("t");
  await client.publish("t", '{"n":[1,2]}');
  const { n } = (await deadline(subscription.next())).value!.json<{ n: number[] }>();
  assertEquals(n[1], 2);
});

Deno.test("a content-type among the fields counts, where the option does not say otherwise", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  const subscription = await client.subscribe("t");
  const fields = { "content-type": "text/html", topic: "elsewhere", op: "bye", "reply-to": "u" };
  await client.publish("t", "<p>", { fields });
  await client.publish("t", "{}", { fields, contentType: "text/json" });
  for (const type of ["text/html", "text/json"]) {
    const { value } = await deadline(subscription.next());
    assertEquals([value?.header["content-type"], value?.topic, value?.replyTo], [
      type,
      "t",
      undefined,
    ]);
  }
});
