import { assert, assertEquals, assertInstanceOf, assertLess } from "@std/assert";
import { ContentStreamError, type StreamedFrame } from "../../../lib/frame/mod.ts";
import {
  type ReplyInit,
  type RequestServeOptions,
  serveRequests,
} from "../../../lib/request/mod.ts";
import type { Server } from "../../../lib/net/mod.ts";
import {
  bytes,
  type ContentStream,
  contentStream,
  EARLY_FAILURES,
  FAILURES,
  type Step,
  STREAM_KINDS,
} from "../../support/content_streams.ts";
import { deadline, pause, until } from "../../support/deadline.ts";
import { listenLocally, RawClient, Recorder } from "../../support/peers.ts";

/** A server that answers with streams of these steps, of which `length` bytes are announced. */
async function streamServer(
  steps: () => Iterable<Step>,
  length: number,
  options: RequestServeOptions = {},
) {
  const observer = new Recorder();
  const streams: ContentStream[] = [];
  const server = serveRequests(await listenLocally(), (request): ReplyInit | Promise<ReplyInit> => {
    const text = request.text();
    if (text === "small") return "small";
    const content = contentStream(steps(), STREAM_KINDS[streams.length % STREAM_KINDS.length]!);
    streams.push(content);
    const reply: StreamedFrame = {
      header: { "content-length": length, number: streams.length },
      content: content.stream,
    };
    return text === "now" ? reply : Promise.resolve().then(() => reply);
  }, { observer, ...options });
  return { server, observer, streams };
}

const gone = (server: Server) => until(() => server.connections.size === 0);

Deno.test("streamed answers come whole, and in order with the others", async () => {
  const steps = () => Array.from({ length: 30 }, (_, i) => bytes(i * 100, i));
  const { server, observer } = await streamServer(steps, 43_500);
  await using _ = server;
  using client = await RawClient.connect(server.address);
  const requests = ["small", "now", "later", "small", "small", "now", "now", "later", "small"];
  for (let round = 0; round < 3; round++) {
    await client.send(...requests.map((content) => ({ content })));
    for (const request of requests) {
      const answer = await client.answer();
      if (request === "small") assertEquals(answer?.text(), "small");
      else assertEquals(new Uint8Array(answer!.content), concat(steps()));
    }
  }
  assertEquals(observer.requestErrors, []);
});

Deno.test("a client that closes its sending half still gets the whole stream", async () => {
  const { server } = await streamServer(() => [bytes(400_000), bytes(600_000)], 1_000_000);
  await using _ = server;
  using client = await RawClient.connect(server.address);
  await client.send({ content: "now" }, { content: "later" });
  await client.closeWrite();
  assertEquals((await client.answers()).map(({ content }) => content.length), [1e6, 1e6]);
});

Deno.test("no more of a stream is read than its client takes, and others are served", async () => {
  function* endless() {
    while (true) yield bytes(50_000);
  }
  const { server, streams } = await streamServer(endless, 1e12, { maxPendingBytes: 100_000 });
  await using _ = server;
  using greedy = await RawClient.connect(server.address);
  await greedy.send({ content: "now" });
  await greedy.chunk();
  // At rest: the sockets' buffers are full.
  let last = -1;
  await until(async () => {
    const before = streams[0]!.given;
    await pause(100);
    const isResting = before === streams[0]!.given && before === last;
    last = before;
    return isResting;
  });
  const pending = [...server.connections].reduce((sum, { pendingBytes }) => sum + pendingBytes, 0);
  assertLess(pending, 100_000 + 131_072 + 1_000);
  using other = await RawClient.connect(server.address);
  await other.send({ content: "small" });
  assertEquals((await other.answer())?.text(), "small");
  greedy.close();
  await until(() => streams[0]!.cancelled.length === 1);
});

for (const [what, [steps, code]] of Object.entries(FAILURES)) {
  Deno.test(`a stream that ${what} ends the connection inside the frame`, async () => {
    for (const request of ["now", "later"]) {
      const { server, observer } = await streamServer(() => steps, 1_000, { streamTimeoutMs: 20 });
      await using _ = server;
      using client = await RawClient.connect(server.address);
      await client.send({ content: "small" }, { content: request }, { content: "small" });
      assertEquals((await client.answer())?.text(), "small");
      assertEquals(await client.answer(), undefined);
      const error = client.error;
      assertEquals([error?.code, error?.part, error?.expected], ["truncated", "content", 1_000]);
      client.close();
      const [failure] = observer.requestErrors;
      assertInstanceOf(failure, ContentStreamError);
      assertEquals([failure.code, observer.requestErrors.length], [code, 1]);
      assert(/\b1000\b/.test(failure.message), failure.message);
      assertEquals(await observer.ended(1), ["failed"]);
    }
  });
}

for (const [what, [steps, length, code]] of Object.entries(EARLY_FAILURES)) {
  Deno.test(`a stream that ${what} is answered for, and the connection goes on`, async () => {
    const { server, observer } = await streamServer(() => steps, length, { streamTimeoutMs: 20 });
    await using _ = server;
    using client = await RawClient.connect(server.address);
    await client.send(...["now", "small", "later", "small"].map((content) => ({ content })));
    for (let i = 0; i < 2; i++) {
      assertEquals((await client.json() as { error: { code: string } }).error.code, "internal");
      assertEquals((await client.answer())?.text(), "small");
    }
    const codes = observer.requestErrors.map((error) => (error as ContentStreamError).code);
    assertEquals(codes, [code, code]);
  });
}

Deno.test("a stream that cannot be sent is answered for", async () => {
  const used = ReadableStream.from([bytes(5)]);
  const reader = used.getReader();
  const wrong: StreamedFrame[] = [
    { header: { "content-length": 5 }, content: used },
    { header: {} as never, content: ReadableStream.from([bytes(5)]) },
    { header: undefined as never, content: ReadableStream.from([bytes(5)]) },
    { header: { "content-length": -5 }, content: ReadableStream.from([bytes(5)]) },
    {
      header: { "content-length": 5, x: "y".repeat(70_000) },
      content: ReadableStream.from([bytes(5)]),
    },
    {
      header: { "content-length": 5, byteorder: 5 as never },
      content: ReadableStream.from([bytes(5)]),
    },
  ];
  const observer = new Recorder();
  await using server = serveRequests(
    await listenLocally(),
    (request) => wrong[Number(request.text())] ?? "fine",
    { observer },
  );
  using client = await RawClient.connect(server.address);
  for (const i of wrong.keys()) {
    await client.send({ content: `${i}` }, { content: "999" });
    assertEquals((await client.json() as { error: { code: string } }).error.code, "internal");
    assertEquals((await client.answer())?.text(), "fine");
  }
  assertEquals(observer.requestErrors.length, wrong.length);
  reader.releaseLock();
});

Deno.test("streams are cancelled when their client is gone, also those that wait", async () => {
  const { server, observer, streams } = await streamServer(() => [bytes(10), "hang"], 1_000);
  await using _ = server;
  const client = await RawClient.connect(server.address);
  await client.send({ content: "now" }, { content: "later" }, { content: "now" });
  await until(() => streams.length === 3 && streams[0]!.given === 10);
  client.close();
  // The server sees that it is gone when it reads, or when it drains.
  await deadline(server.drain(50));
  for (const { cancelled } of streams) assertEquals(cancelled.length, 1);
  // Nobody's fault.
  assertEquals(observer.requestErrors, []);
});

Deno.test("a stream of an answer that comes when its client is gone is cancelled", async () => {
  const go = Promise.withResolvers<void>();
  const content = contentStream([bytes(10)]);
  const seen = Promise.withResolvers<void>();
  const server = serveRequests(await listenLocally(), async () => {
    seen.resolve();
    await go.promise;
    return { header: { "content-length": 10 }, content: content.stream };
  });
  using client = await RawClient.connect(server.address);
  await client.send({ content: "x" });
  await deadline(seen.promise);
  await deadline(server.drain(0));
  await gone(server);
  go.resolve();
  await until(() => content.cancelled.length === 1);
  assertEquals(content.given, 0);
});

Deno.test("a draining server sends the streams that it has begun", async () => {
  const go = Promise.withResolvers<void>();
  const server = serveRequests(await listenLocally(), () => ({
    header: { "content-length": 1_000 },
    content: new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(bytes(500)),
      async pull(controller) {
        await go.promise;
        controller.enqueue(bytes(500));
        controller.close();
      },
    }),
  }));
  using client = await RawClient.connect(server.address);
  await client.send({ content: "x" });
  const answer = client.answer();
  await until(() => [...server.connections].some(({ writtenBytes }) => writtenBytes >= 500));
  const drained = server.drain(60_000);
  await pause(20);
  go.resolve();
  assertEquals((await answer)?.content.length, 1_000);
  assertEquals(await client.answer(), undefined);
  client.close();
  await deadline(drained);
  assertEquals(server.forced, 0);
});

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
