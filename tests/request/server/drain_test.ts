import { assert, assertEquals, assertRejects } from "@std/assert";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import { type ReplyInit, serveRequests } from "../../../lib/request/mod.ts";
import { ConnectionError, dial } from "../../../lib/net/mod.ts";
import { deadline, pause, until } from "../../support/deadline.ts";
import { listenLocally, RawClient, Recorder } from "../../support/peers.ts";

/** A server whose answers come when the test lets them. */
async function heldServer(drainTimeoutMs = 3_600_000) {
  const observer = new Recorder();
  const held: (() => void)[] = [];
  const server = serveRequests(await listenLocally(), (request): ReplyInit | Promise<ReplyInit> => {
    const content = request.text();
    if (content !== "later") return { content };
    return new Promise((resolve) => held.push(() => resolve({ content })));
  }, { observer, drainTimeoutMs });
  return { server, observer, held };
}

Deno.test("a draining server answers what it has taken, and then closes", async () => {
  const { server, observer, held } = await heldServer();
  using client = await RawClient.connect(server.address);
  await client.send({ content: "later" }, { content: "later" }, { content: "now" });
  await until(() => held.length === 2);
  const drained = server.drain();
  await assertRejects(() => dial(server.address), ConnectionError);
  held[1]!();
  await pause(10);
  held[0]!();
  assertEquals((await client.answers()).map((frame) => frame.text()), ["later", "later", "now"]);
  assertEquals(client.error, undefined);
  client.close();
  await deadline(drained);
  assertEquals([observer.reasons, server.forced], [["drained"], 0]);
});

Deno.test("a draining server closes idle connections at once", async () => {
  const { server, observer } = await heldServer();
  using silent = await RawClient.connect(server.address);
  using used = await RawClient.connect(server.address);
  await used.send({ content: "x" });
  assertEquals((await used.answer())?.text(), "x");
  await until(() => server.connections.size === 2);
  const drained = server.drain();
  assert(await silent.closed() && await used.closed());
  silent.close();
  used.close();
  await deadline(drained);
  assertEquals(observer.reasons, ["drained", "drained"]);
});

Deno.test("a draining server does not wait for clients that keep their half open", async () => {
  const { server, observer } = await heldServer();
  using client = await RawClient.connect(server.address);
  await client.send({ content: "x" });
  assertEquals((await client.answer())?.text(), "x");
  await deadline(server.drain());
  assertEquals(observer.reasons, ["drained"]);
  assertEquals(await client.answer(), undefined);
});

Deno.test("a request that has begun when the server drains is answered", async () => {
  const { server, observer } = await heldServer();
  using client = await RawClient.connect(server.address);
  const bytes = encodeFrame({ content: "x".repeat(1_000) });
  await client.send({ content: "first" }, bytes.subarray(0, 500));
  assertEquals((await client.answer())?.text(), "first");
  await until(() => [...server.connections].every(({ midFrame }) => midFrame));
  const drained = server.drain();
  await pause(20);
  await client.send(bytes.subarray(500));
  assertEquals((await client.answer())?.content.length, 1_000);
  assertEquals(await client.answer(), undefined);
  client.close();
  await deadline(drained);
  assertEquals(observer.reasons, ["drained"]);
});

Deno.test("answers that do not come are given up at the deadline", async () => {
  for (const halfClosed of [false, true]) {
    const { server, observer, held } = await heldServer(50);
    using client = await RawClient.connect(server.address);
    await client.send({ content: "now" }, { content: "later" });
    if (halfClosed) await client.closeWrite();
    await until(() => held.length === 1);
    await deadline(server.drain());
    assertEquals([observer.reasons, server.forced], [["forced"], 1]);
    assertEquals((await client.answer())?.text(), "now");
    assert(await client.closed());
    // It comes too late, and does no harm.
    held[0]!();
    await pause(10);
    assertEquals([observer.errors, observer.requestErrors], [[], []]);
  }
});

Deno.test("a client that reads nothing is closed at the deadline", async () => {
  const observer = new Recorder();
  const server = serveRequests(await listenLocally(), () => ({ content: "x".repeat(1_000_000) }), {
    observer,
    drainTimeoutMs: 50,
  });
  using client = await RawClient.connect(server.address);
  const bytes = encodeFrame({ content: "x" });
  for (let i = 0; i < 50; i++) await client.send(bytes);
  await until(() => [...server.connections].some(({ pendingBytes }) => pendingBytes > 0));
  await deadline(server.drain());
  assertEquals([observer.reasons, server.forced], [["forced"], 1]);
});

Deno.test("a client that was closed as idle while it waited is let go", async () => {
  const observer = new Recorder();
  const never = new Promise<ReplyInit>(() => {});
  await using server = serveRequests(await listenLocally(), () => never, {
    observer,
    idleTimeoutMs: 50,
  });
  using reading = await RawClient.connect(server.address);
  await reading.send({ content: "x" });
  using halfClosed = await RawClient.connect(server.address);
  await halfClosed.send({ content: "x" });
  await halfClosed.closeWrite();
  using pipelined = await RawClient.connect(server.address);
  for (let i = 0; i < 300; i++) await pipelined.send({ content: "x" });
  assertEquals(await observer.ended(3), ["idle", "idle", "idle"]);
  assertEquals(server.connections.size, 0);
});

Deno.test("a client above the limit reads the error, and the others go on", async () => {
  const observer = new Recorder();
  await using server = serveRequests(await listenLocally(), (request) => ({
    content: request.text(),
  }), { observer, maxConnections: 1 });
  using first = await RawClient.connect(server.address);
  await first.send({ content: "a" });
  assertEquals((await first.answer())?.text(), "a");
  {
    using second = await RawClient.connect(server.address);
    await second.send({ content: "b" });
    assertEquals(await second.json(), {
      result: "Error: The server has too many connections",
      error: { code: "too-many-connections", message: "The server has too many connections" },
    });
    assertEquals(await second.answer(), undefined);
  }
  assertEquals(await observer.ended(1), ["refused"]);
  await first.send({ content: "c" });
  assertEquals((await first.answer())?.text(), "c");
});

Deno.test("a client gone in the middle of an answer is gone, and the others go on", async () => {
  const observer = new Recorder();
  await using server = serveRequests(await listenLocally(), async (request) => {
    await pause(1);
    return { content: "x".repeat(Number(request.text())) };
  }, { observer });
  using other = await RawClient.connect(server.address);
  for (let i = 0; i < 10; i++) {
    const client = await RawClient.connect(server.address);
    await client.send({ content: "5000000" }, { content: "5000000" }, { content: "1" });
    await client.chunk();
    client.close();
    await other.send({ content: "3" });
    assertEquals((await other.answer())?.text(), "xxx");
  }
  await observer.ended(10);
  assertEquals(observer.requestErrors, []);
  assert(observer.reasons.every((reason) => reason === "reset"), String(observer.reasons));
});
