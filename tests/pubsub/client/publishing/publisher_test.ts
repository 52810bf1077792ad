import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { listen, type TcpAddress } from "../../../../lib/net/mod.ts";
import { connectBroker, PubSubError } from "../../../../lib/pubsub/mod.ts";
import { deadline, until } from "../../../support/deadline.ts";
import { RawPeer, startBroker } from "../../support.ts";
import { codeOf } from "../support.ts";

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

Deno.test("a content that is neither text nor bytes is refused before a byte is written", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address, { reconnect: false });
  const subscription = await client.subscribe("t");
  const wrong: [unknown, string][] = [
    [JSON.parse('{"a":1}'), "an object"],
    [[1, 2], "an array"],
    [null, "null"],
    [5, "the number 5"],
    [0, "the number 0"],
    [true, "the boolean true"],
    [7n, "a bigint"],
    [() => "x", "a function"],
    [new ArrayBuffer(3), "an object of the class ArrayBuffer"],
    [new DataView(new ArrayBuffer(3)), "an object of the class DataView"],
    [new Uint16Array(3), "an object of the class Uint16Array"],
    [new String("x"), "an object of the class String"],
    [{ length: 3 }, "an object"],
  ];
  for (const [content, what] of wrong) {
    const any = content as string;
    const calls = [
      () => client.publish("t", any),
      () => client.publish("t", any, { retain: true }),
      () => client.publishConfirmed("t", any),
      () => client.request("t", any),
    ];
    for (const call of calls) {
      const error = await assertRejects(call, TypeError);
      assertStringIncludes(error.message, what);
    }
  }
  await client.publish("t", "ask", { replyTo: "r" });
  const asked = (await deadline(subscription.next())).value!;
  const error = await assertRejects(() => asked.respond({} as string), TypeError);
  assertStringIncludes(error.message, "an object");
  for (const options of [{ contentType: 5 as unknown as string }, { fields: { n: 7n } }]) {
    await assertRejects(() => client.publish("t", "x", options), TypeError);
  }
  // The connection is whole, and nothing of all this went over it.
  assertEquals(await client.publishConfirmed("t", "last"), 1);
  assertEquals((await deadline(subscription.next())).value!.text(), "last");
  assertEquals(broker.stats().published, 2);
  assertEquals(broker.stats().retained, 0);
});
