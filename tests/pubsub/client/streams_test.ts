import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import fc from "fast-check";
import { ContentStreamError, type StreamedFrame } from "../../../lib/frame/mod.ts";
import { dial } from "../../../lib/net/mod.ts";
import { type BrokerClient, type ByteDuplex, connectBroker } from "../../../lib/pubsub/mod.ts";
import { contentStream, type Step, STREAM_KINDS } from "../../support/content_streams.ts";
import { deadline, until } from "../../support/deadline.ts";
import { RawPeer, startBroker } from "../support.ts";
import { codeOf, FAST } from "./support.ts";

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A content of so many bytes, from a stream. */
function streamed(length: number, steps: Iterable<Step>): StreamedFrame {
  return { header: { "content-length": length }, content: contentStream(steps).stream };
}

/** The failure of a publication, which must be that of its stream. */
async function streamError(promise: Promise<unknown>): Promise<ContentStreamError> {
  const error = await deadline(promise.then(() => undefined, (error) => error));
  assertInstanceOf(error, ContentStreamError);
  return error;
}

Deno.test("a content from a stream of any kind arrives whole, as its header says", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  const subscription = await client.subscribe("t");
  for (const kind of STREAM_KINDS) {
    const { stream } = contentStream(["he", "", "llo"].map(bytesOf), kind);
    const header = { "content-length": 5, "content-encoding": "ascii", topic: "no", op: "no" };
    const content = { header, content: stream };
    const options = { contentType: "text/x", fields: { n: 1 }, retain: true };
    assertEquals(await client.publishConfirmed("t", content, options), 1);
    const message = (await deadline(subscription.next())).value!;
    assertEquals([message.text(), message.topic], ["hello", "t"]);
    assertEquals(message.header["content-type"], "text/x");
    assertEquals(message.header["content-encoding"], "ascii");
    assertEquals([message.header["n"], message.header["retain"]], [1, true]);
  }
  await client.publish("t", streamed(0, []));
  assertEquals((await deadline(subscription.next())).value!.content.length, 0);
});

Deno.test("publications keep their order, streams or not, also those made without a connection", async () => {
  const sizes = fc.array(
    fc.record({ streamed: fc.boolean(), size: fc.integer({ min: 0, max: 100_000 }) }),
    { minLength: 1, maxLength: 12 },
  );
  await using broker = await startBroker();
  await fc.assert(
    fc.asyncProperty(sizes, fc.boolean(), async (publications, lost) => {
      let cut = () => {};
      const gate = Promise.withResolvers<void>();
      let first = true;
      const target = async (signal: AbortSignal): Promise<ByteDuplex> => {
        if (!first) await gate.promise;
        first = false;
        const conn = await dial(broker.address, { signal });
        cut = () => conn.close();
        return conn;
      };
      await using client = await connectBroker(target, { reconnect: FAST });
      await using reader = await connectBroker(broker.address);
      const subscription = await reader.subscribe("t");
      if (lost) {
        cut();
        await until(() => client.state === "reconnecting");
      }
      const sent = publications.map(({ streamed, size }, i) => {
        const bytes = new Uint8Array(size).fill(i);
        if (!streamed) return client.publish("t", bytes);
        const half = size >> 1;
        const { stream } = contentStream([bytes.subarray(0, half), bytes.subarray(half)]);
        return client.publish("t", { header: { "content-length": size }, content: stream });
      });
      gate.resolve();
      await deadline(Promise.all(sent));
      for (const [i, { size }] of publications.entries()) {
        const { content } = (await deadline(subscription.next())).value!;
        assertEquals(content.length, size);
        assert(content.every((byte) => byte === i));
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("a stream is read as the connection takes it, and what waits behind it has a bound", async () => {
  await using broker = await startBroker({ maxContentBytes: 1e9, maxPendingBytes: 2e9 });
  let write = (bytes: Uint8Array): Promise<number> => Promise.resolve(bytes.length);
  const go = Promise.withResolvers<void>();
  const target = async (): Promise<ByteDuplex> => {
    const conn = await dial(broker.address);
    write = (bytes) => conn.write(bytes);
    return {
      read: (into) => conn.read(into),
      write: (bytes) => write(bytes),
      close: () => conn.close(),
    };
  };
  await using client = await connectBroker(target, {
    maxBufferedBytes: 1_000_000,
    reconnect: false,
  });
  const unstopped = write;
  write = async (bytes) => {
    await go.promise;
    return await unstopped(bytes);
  };
  const chunk = new Uint8Array(65_536);
  const source = contentStream(Array(1_600).fill(chunk));
  const header = { "content-length": 1_600 * chunk.length };
  const sent = client.publishConfirmed("t", { header, content: source.stream });
  await until(() => source.given > 0);
  const codes: Promise<string>[] = [];
  for (let i = 0; i < 2_000; i++) codes.push(codeOf(client.publish("u", "x".repeat(1_000))));
  assertEquals(await codes.at(-1), "buffer-full");
  assert(client.bufferedBytes < 1_010_000);
  assert(source.given < 1_000_000, `${source.given} bytes were read`);
  go.resolve();
  assertEquals(await deadline(sent), 0);
  assertEquals(source.given, 1_600 * chunk.length);
  const results = await Promise.all(codes);
  const done = results.filter((code) => code === "done").length;
  assert(done > 300 && done < 1_000, `${done} had room`);
  await until(() => broker.stats().published === 1 + done);
});

Deno.test("a stream that fails before anything is sent fails its publication alone", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address, { reconnect: false });
  const subscription = await client.subscribe("t");
  const cases: [StreamedFrame, string][] = [
    [streamed(3, []), "too-short"],
    [streamed(0, [bytesOf("x")]), "too-long"],
    [streamed(1, [bytesOf("xy")]), "too-long"],
    [streamed(3, [new Error("no")]), "failed"],
  ];
  for (const [content, code] of cases) {
    const before = client.publish("t", "before");
    const failing = streamError(client.publish("t", content));
    const after = client.publish("t", "after");
    assertEquals((await failing).code, code);
    await deadline(Promise.all([before, after]));
    for (const text of ["before", "after"]) {
      assertEquals((await deadline(subscription.next())).value!.text(), text);
    }
  }
  const confirmed = streamError(client.publishConfirmed("t", streamed(3, [])));
  assertEquals((await confirmed).code, "too-short");
  assertEquals(client.state, "connected");
});

Deno.test("a stream that fails in the middle of its frame costs the connection, and is published by nobody", async () => {
  await using broker = await startBroker();
  using reader = await RawPeer.to(broker);
  await reader.sub("t");
  const half = new Uint8Array(10_000);
  const cases: [number, Step[], string][] = [
    [30_000, [half, half], "too-short"],
    [15_000, [half, half], "too-long"],
    [30_000, [half, new Error("no")], "failed"],
    [30_000, [half, "hang"], "timed-out"],
  ];
  for (const [length, steps, code] of cases) {
    const states: unknown[] = [];
    await using client = await connectBroker(broker.address, {
      reconnect: FAST,
      streamTimeoutMs: 50,
      onState: ({ state, reason }) => states.push(state, reason),
    });
    const failing = streamError(client.publishConfirmed("t", streamed(length, steps)));
    await Promise.resolve();
    const behind = codeOf(client.publish("t", "behind"));
    const error = await failing;
    assertEquals(error.code, code);
    assertEquals(await behind, "disconnected");
    await until(() => states.length >= 4);
    assertEquals(states.slice(0, 4), ["connected", undefined, "reconnecting", error]);
    await until(() => client.state === "connected");
    assertEquals(await client.publishConfirmed("t", "next"), 1);
    assertEquals((await reader.frame()).text(), "next");
  }
});

Deno.test("a stream that is not sent is cancelled, whatever the reason", async () => {
  await using broker = await startBroker({ maxContentBytes: 1_000 });
  const connect = (options = {}) => connectBroker(broker.address, { reconnect: false, ...options });
  const refused =
    (length: number, topic = "t", end?: (client: BrokerClient) => Promise<unknown>) =>
    async (client: BrokerClient) => {
      const source = contentStream(["hang"]);
      const content = { header: { "content-length": length }, content: source.stream };
      const code = codeOf(client.publishConfirmed(topic, content));
      if (end) await end(client);
      const result = await code;
      await until(() => source.cancelled.length === 1);
      return result;
    };
  const closing = (client: BrokerClient) => client.close();
  const cases: [(client: BrokerClient) => Promise<string>, RegExp][] = [
    [refused(1_001), /^frame-too-large$/],
    [refused(3, "t.*"), /^bad-topic$/],
    [refused(-1), /^TypeError: .*the number -1/],
    [refused(1.5), /^TypeError: .*the number 1\.5/],
    [refused(NaN), /^TypeError: .*the number NaN/],
    [refused(undefined as unknown as number), /^TypeError: .*undefined/],
    [refused(3, "t", closing), /^(closed|disconnected)$/],
  ];
  for (const [run, expected] of cases) {
    await using client = await connect();
    const code = await run(client);
    assert(expected.test(code), code);
  }
  await using client = await connect();
  await client.drain();
  assertEquals(await refused(3)(client), "closed");
  // Behind another stream, and without a connection.
  await using second = await connect({ reconnect: { firstMs: 60_000 } });
  const sources = [1, 2, 3].map(() => contentStream(["hang"]));
  const codes = sources.map(({ stream }) =>
    codeOf(second.publish("t", { header: { "content-length": 3 }, content: stream }))
  );
  await second.close();
  assertEquals(await Promise.all(codes), ["disconnected", "disconnected", "disconnected"]);
  for (const { cancelled } of sources) assertEquals(cancelled.length, 1);
});

Deno.test("a stream that somebody reads already is refused", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  const { stream } = contentStream([bytesOf("abc")]);
  stream.getReader();
  const content = { header: { "content-length": 3 }, content: stream };
  assert((await codeOf(client.publish("t", content))).startsWith("TypeError"));
  assertEquals(await client.publishConfirmed("t"), 0);
});

Deno.test("requests and replies may be streams", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  await client.subscribe("double", {
    onMessage: (message) => message.respond(streamed(6, [message.content, message.content])),
  });
  const reply = await client.request("double", streamed(3, [bytesOf("abc")]));
  assertEquals(new TextDecoder().decode(reply.content), "abcabc");
});

Deno.test("what follows a stream that broke its connection goes out on the next one", async () => {
  await using broker = await startBroker();
  await using reader = await connectBroker(broker.address);
  const subscription = await reader.subscribe("t");
  await using client = await connectBroker(broker.address, { reconnect: FAST });
  const followers: readonly ((client: BrokerClient, text: string) => Promise<unknown>)[] = [
    (client, text) => client.publish("t", text),
    (client, text) => client.publishConfirmed("t", text),
    (client, text) => client.publish("t", streamed(text.length, [bytesOf(text)])),
    (client, text) => client.publishConfirmed("t", streamed(text.length, [bytesOf(text)])),
  ];
  for (const [i, follow] of followers.entries()) {
    await streamError(client.publish("t", streamed(100_000, [new Uint8Array(70_000)])));
    // It is not known yet that the connection is lost; a request would not get its reply on another.
    const asked = codeOf(client.request("t", "a request"));
    await deadline(follow(client, `${i}`));
    const { content } = (await deadline(subscription.next())).value!;
    assertEquals(content, bytesOf(`${i}`));
    assertEquals(await asked, "disconnected");
  }
});
