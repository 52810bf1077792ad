import { assert, assertEquals, assertInstanceOf, assertLess, assertRejects } from "@std/assert";
import { ContentStreamError, type StreamedFrame } from "../../../lib/frame/mod.ts";
import { ConnectionError, RequestClient, RequestError } from "../../../lib/request/client/mod.ts";
import { connectRequests, serveRequests } from "../../../lib/request/mod.ts";
import {
  bytes,
  contentStream,
  EARLY_FAILURES,
  FAILURES,
  type Step,
  STREAM_KINDS,
  type StreamKind,
} from "../../support/content_streams.ts";
import { deadline, until } from "../../support/deadline.ts";
import { listenLocally, Recorder } from "../../support/peers.ts";
import { HeldDuplex, settle } from "./duplexes.ts";

function streamed(steps: Iterable<Step>, length: number, kind: StreamKind = "plain") {
  const content = contentStream(steps, kind);
  const frame: StreamedFrame = { header: { "content-length": length }, content: content.stream };
  return { content, frame };
}

/** A server that tells the size and the sum of what comes. */
async function summing(observer = new Recorder()) {
  const server = serveRequests(
    await listenLocally(),
    ({ content }) => `${content.length} ${content.reduce((sum, byte) => sum + byte, 0)}`,
    { observer },
  );
  return { server, observer };
}

for (const kind of STREAM_KINDS) {
  Deno.test(`${kind}: streamed requests come whole, and in order with the others`, async () => {
    const { server } = await summing();
    await using _ = server;
    await using client = await connectRequests(server.address, { maxPendingBytes: 10_000 });
    const calls = Array.from({ length: 30 }, (_, i) => {
      if (i % 3 === 0) return client.request(bytes(i, 1));
      const steps = Array.from({ length: i }, () => bytes(i * 100, 1));
      return client.request(streamed(steps, i * i * 100, kind).frame);
    });
    for (const [i, call] of calls.entries()) {
      const length = i % 3 === 0 ? i : i * i * 100;
      assertEquals((await deadline(call)).text(), `${length} ${length}`);
    }
  });
}

Deno.test("an answer can be sent as a request, as it is", async () => {
  const { server } = await summing();
  await using _ = server;
  await using client = await connectRequests(server.address);
  const reply = await client.request("abc");
  assertEquals((await client.request(reply)).text().split(" ")[0], `${reply.content.length}`);
});

for (const [what, [steps, code]] of Object.entries(FAILURES)) {
  Deno.test(`a stream that ${what} ends the connection inside the frame, after the earlier answers`, async () => {
    const go = Promise.withResolvers<void>();
    const observer = new Recorder();
    const served: string[] = [];
    await using server = serveRequests(await listenLocally(), async (request) => {
      served.push(request.text());
      await go.promise;
      return request.text();
    }, { observer });
    await using client = await connectRequests(server.address, { streamTimeoutMs: 20 });
    const before = client.request("before");
    const { frame } = streamed(steps, 1_000);
    const failing = client.request(frame);
    const behind = client.request("behind");
    const error = await assertRejects(() => deadline(failing), ContentStreamError);
    assertEquals(error.code, code);
    assert(/\b1000\b/.test(error.message), error.message);
    for (const call of [behind, client.request("later"), client.ready()]) {
      const lost = await assertRejects(() => deadline(call as Promise<unknown>), ConnectionError);
      assertEquals(lost.code, "closed");
      assertEquals((lost.cause as Error).cause as Error, error);
    }
    assertEquals(client.ended, false);
    go.resolve();
    assertEquals((await deadline(before)).text(), "before");
    await deadline(client.closed);
    await observer.ended(1);
    assertEquals(observer.frameErrors.map((error) => error.code), ["truncated"]);
    assertEquals(served, ["before"]);
  });
}

for (const [what, [steps, length, code]] of Object.entries(EARLY_FAILURES)) {
  Deno.test(`a stream that ${what} fails alone, and the connection goes on`, async () => {
    const { server, observer } = await summing();
    await using _ = server;
    await using client = await connectRequests(server.address, { streamTimeoutMs: 20 });
    const before = client.request(bytes(1));
    const failing = client.request(streamed(steps, length).frame);
    const behind = client.request(bytes(2));
    const error = await assertRejects(() => deadline(failing), ContentStreamError);
    assertEquals(error.code, code);
    assertEquals((await before).text(), "1 120");
    assertEquals((await deadline(behind)).text(), "2 240");
    assertEquals(observer.frameErrors, []);
  });
}

Deno.test("a stream that cannot be sent fails alone, and is cancelled", async () => {
  const { server } = await summing();
  await using _ = server;
  await using client = await connectRequests(server.address);
  const wrong: ((frame: StreamedFrame) => unknown)[] = [
    ({ content }) => ({ content }),
    ({ content }) => ({ header: {}, content }),
    ({ content }) => ({ header: { "content-length": -1 }, content }),
    ({ content }) => ({ header: { "content-length": "5" }, content }),
    ({ content }) => ({ header: { "content-length": 5, x: "y".repeat(70_000) }, content }),
  ];
  for (const make of wrong) {
    const { frame, content } = streamed([bytes(2), "hang"], 5);
    await assertRejects(() => deadline(client.request(make(frame) as StreamedFrame)), RangeError);
    await until(() => content.cancelled.length === 1);
  }
  const { frame } = streamed([bytes(5)], 5);
  const reader = frame.content.getReader();
  await assertRejects(() => client.request(frame), TypeError);
  reader.releaseLock();
  assertEquals((await client.request(frame)).text(), "5 600");
});

Deno.test("no more of a stream is read than the server takes", async () => {
  const duplex = new HeldDuplex();
  await using client = new RequestClient(duplex, { maxPendingBytes: 100_000 });
  duplex.hold();
  const { frame, content } = streamed(Array.from({ length: 200 }, () => bytes(10_000)), 2_000_000);
  const call = client.request(frame);
  const behind = client.request("behind");
  for (let i = 0; i < 20; i++) await settle();
  assertLess(content.given, 100_000 + 2 * 10_000);
  assertEquals([client.outstanding, client.waiting], [1, 1]);
  duplex.release();
  await until(() => duplex.requests.length === 2);
  assertEquals(content.given, 2_000_000);
  duplex.answer({ content: "A" }, { content: "B" });
  assertEquals([(await call).text(), (await behind).text()], ["A", "B"]);
});

Deno.test("a call whose stream is being sent can be aborted, whatever it waits for", async () => {
  for (const waitsFor of ["the stream", "its first bytes", "the server"]) {
    const duplex = new HeldDuplex();
    const client = new RequestClient(duplex, { maxPendingBytes: 1_000 });
    if (waitsFor === "the server") duplex.hold();
    const steps: Step[] = waitsFor === "its first bytes" ? ["hang"] : [bytes(5_000), "hang"];
    const { frame, content } = streamed(steps, 10_000);
    const abort = new AbortController();
    const call = client.request(frame, { signal: abort.signal });
    const behind = client.request("behind").catch((error) => error);
    for (let i = 0; i < 5; i++) await settle();
    abort.abort("not wanted");
    assertEquals(await deadline(call.catch((error) => error)), "not wanted");
    await until(() => content.cancelled.length === 1);
    assertEquals(content.cancelled, ["not wanted"]);
    if (waitsFor === "its first bytes") {
      await until(() => duplex.requests.length === 1);
      duplex.answer({ content: "B" });
      assertEquals((await behind).text(), "B");
    } else {
      assertInstanceOf(await deadline(behind), ConnectionError);
      await deadline(client.closed);
    }
    await client[Symbol.asyncDispose]();
  }
});

Deno.test("a call whose stream is being sent honours its time limit", async () => {
  for (const begun of [false, true]) {
    const duplex = new HeldDuplex();
    const client = new RequestClient(duplex);
    const { frame, content } = streamed(begun ? [bytes(5), "hang"] : ["hang"], 10);
    const call = client.request(frame, { timeoutMs: 50 });
    const error = await assertRejects(() => deadline(call), ConnectionError);
    assertEquals([error.code, client.ended], ["timed-out", begun]);
    await until(() => content.cancelled.length === 1);
    await client[Symbol.asyncDispose]();
  }
});

Deno.test("the end of the connection cancels the stream that is being sent, and those that wait", async () => {
  for (const end of ["server", "client"]) {
    const duplex = new HeldDuplex();
    const client = new RequestClient(duplex);
    const contents = [streamed([bytes(5), "hang"], 10), streamed([bytes(5)], 5)];
    const calls = contents.map(({ frame }) => client.request(frame));
    await until(() => duplex.written > 5);
    if (end === "server") duplex.end();
    else void client[Symbol.asyncDispose]();
    for (const call of calls) {
      const error = await assertRejects(() => deadline(call), ConnectionError);
      assertEquals(error.code, "closed");
    }
    await until(() => contents.every(({ content }) => content.cancelled.length === 1));
    const { frame, content } = streamed([bytes(5)], 5);
    await assertRejects(() => client.request(frame), ConnectionError);
    assertEquals(content.cancelled.length, 1);
  }
});

Deno.test("a server may answer before the content has come whole; the rest is sent all the same", async () => {
  const duplex = new HeldDuplex();
  await using client = new RequestClient(duplex);
  const go = Promise.withResolvers<void>();
  const content = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytes(500)),
    async pull(controller) {
      await go.promise;
      controller.enqueue(bytes(500));
      controller.close();
    },
  });
  const call = client.request({ header: { "content-length": 1_000 }, content });
  await until(() => duplex.written > 500);
  duplex.answer({ content: "early" });
  assertEquals((await deadline(call)).text(), "early");
  const behind = client.request("behind");
  await settle();
  assertEquals(client.waiting, 1);
  go.resolve();
  await until(() => duplex.requests.length === 2);
  duplex.answer({ content: "B" });
  assertEquals((await behind).text(), "B");
});

Deno.test("a content that is too large for the server is answered for", async () => {
  await using server = serveRequests(await listenLocally(), () => "x", { maxContentBytes: 1_000 });
  await using client = await connectRequests(server.address);
  const { frame, content } = streamed(
    function* () {
      while (true) yield bytes(50_000);
    }(),
    1e12,
  );
  const error = await assertRejects(() => deadline(client.request(frame)), RequestError);
  assertEquals(error.code, "frame-too-large");
  await deadline(client.closed);
  await until(() => content.cancelled.length === 1);
});

Deno.test("close() waits for the stream that is being sent and its answer", async () => {
  const duplex = new HeldDuplex();
  const client = new RequestClient(duplex);
  const { frame } = streamed(Array.from({ length: 100 }, () => bytes(1_000)), 100_000);
  const call = client.request(frame);
  await until(() => client.outstanding === 1);
  const closed = client.close();
  await until(() => duplex.requests.length === 1);
  duplex.answer({ content: "A" });
  assertEquals((await call).text(), "A");
  await deadline(closed);
});
