/** What WebSockets may take of a server's memory: those that send and do not end, read, or do anything. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { encodeFrame, jsonFrame } from "../../lib/frame/mod.ts";
import { formatAddress, joinListeners, listen, parseAddress } from "../../lib/net/mod.ts";
import { type Broker, connectBroker, serveBroker } from "../../lib/pubsub/mod.ts";
import { connectRequests, type RequestHandler, serveRequests } from "../../lib/request/mod.ts";
import { serveWeb } from "../../lib/web/mod.ts";
import { pause, until } from "../support/deadline.ts";
import { residentBytes, script, ServerProgram } from "../support/programs.ts";
import { frameOf, OP, RawWebSocket } from "./raw_web_socket.ts";

const MIB = 1_048_576;
const MAX_UNFINISHED_BYTES = 6 * MIB;

/** Requests over WebSocket, with a bound for what is not whole or not read. */
async function serve(handler: RequestHandler) {
  const web = await serveWeb("127.0.0.1:0");
  const listener = joinListeners(await listen("127.0.0.1:0"), web.webSockets);
  const reasons: string[] = [];
  const server = serveRequests(listener, handler, {
    maxUnfinishedBytes: MAX_UNFINISHED_BYTES,
    maxPipelined: 1,
    observer: { closed: (_, reason) => void reasons.push(reason) },
  });
  return {
    web,
    server,
    reasons,
    url: `ws://${formatAddress(web.address)}/ws`,
    async [Symbol.asyncDispose]() {
      await server.drain(0);
      await web.drain(0);
    },
  };
}

/** Sends until all is sent or the server closes. */
const pour = (socket: RawWebSocket, ...frames: Uint8Array[]) =>
  socket.send(...frames).catch(() => {});

const openMany = (web: Parameters<typeof RawWebSocket.open>[0], count: number) =>
  Promise.all(Array.from({ length: count }, () => RawWebSocket.open(web)));

Deno.test("messages that are never whole take of the server's budget; who has most is told", async () => {
  await using both = await serve((request) => request.text());
  const largest = frameOf(new Uint8Array(MIB));
  const kinds: Record<string, (socket: RawWebSocket) => Promise<void>> = {
    "one frame": (socket) => pour(socket, largest.subarray(0, -1)),
    "fragments": (socket) =>
      pour(
        socket,
        ...Array.from({ length: 15 }, (_, i) =>
          frameOf(new Uint8Array(65_536), { fin: false, op: i === 0 ? OP.binary : OP.more })),
      ),
  };
  for (const [kind, hold] of Object.entries(kinds)) {
    const sockets = await openMany(both.web, 12);
    await Promise.all(sockets.map(hold));
    await until(() => both.reasons.length > 0, `${kind}: one is ended`);
    assert(both.server.memory.unfinishedBytes <= MAX_UNFINISHED_BYTES, kind);
    // Others are served.
    const client = await connectRequests(both.url);
    assertEquals((await client.request(jsonFrame({ kind }))).json(), { kind });
    await client[Symbol.asyncDispose]();
    for (const socket of sockets) socket[Symbol.dispose]();
    await until(() => both.server.connections.size === 0);
    assert(both.reasons.splice(0).includes("over-budget"), kind);
    assertEquals(both.server.memory.unfinishedBytes, 0, kind);
  }
});

Deno.test("what one byte at a time keeps of memory counts, not only the bytes", async () => {
  await using both = await serve((request) => request.text());
  using socket = await RawWebSocket.open(both.web);
  const message = frameOf(new Uint8Array(5_000));
  let at = 0;
  while (both.server.memory.unfinishedBytes < 80 * 1_024) {
    assert(at < message.length, `${both.server.memory.unfinishedBytes} B are counted`);
    await socket.send(message.subarray(at, ++at));
    // Most of them come alone.
    await pause(0);
  }
  await socket.send(message.subarray(at));
  await until(() => both.server.memory.unfinishedBytes === 0, "the message was read");
});

Deno.test("messages that wait to be read count too", async () => {
  const answering = Promise.withResolvers<string>();
  await using both = await serve(() => answering.promise);
  const request = encodeFrame({ content: "x" });
  const requests = new Uint8Array(request.length * Math.floor(MIB / request.length));
  for (let at = 0; at < requests.length; at += request.length) requests.set(request, at);
  const message = frameOf(requests);
  const sockets = await openMany(both.web, 12);
  await Promise.all(sockets.map((socket) => pour(socket, message)));
  await until(() => both.reasons.includes("over-budget"), "one is ended");
  assert(both.server.memory.unfinishedBytes <= MAX_UNFINISHED_BYTES);
  for (const socket of sockets) socket[Symbol.dispose]();
  answering.resolve("at last");
  await until(() => both.server.connections.size === 0);
  assertEquals(both.server.memory.unfinishedBytes, 0);
});

Deno.test("a message of the largest size counts until it was read, and not after that", async () => {
  await using both = await serve((request) => String(request.content.length));
  using socket = await RawWebSocket.open(both.web);
  const content = encodeFrame({ content: new Uint8Array(MIB - 200) });
  for (let i = 0; i < 20; i++) {
    await socket.sendMessage(content);
    assert(await socket.frame());
  }
  await until(() => both.server.memory.unfinishedBytes < 256_000, "what was read is given back");
});

/** What an idle one may take: its socket, and what HTTP, `ws` and the broker keep for it. */
const IDLE_BYTES = 40_000;

Deno.test({
  name: "a thousand idle WebSockets take less than 40 KB each",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using broker = await ServerProgram.start(script("cmd/broker.ts", ":0", "--http", ":0"));
    const address = parseAddress(/^pages on http:\/\/(\S+)\/\n/m.exec(broker.err)![1]!);
    const sockets: RawWebSocket[] = [];
    const openTo = async (count: number) => {
      while (sockets.length < count) sockets.push(...await openMany({ address }, 100));
    };
    // With the first ones it takes what it takes but once.
    await openTo(1_000);
    const before = residentBytes(broker.pid);
    await openTo(2_000);
    const grown = residentBytes(broker.pid) - before;
    assertLess(grown / 1_000, IDLE_BYTES, `${grown} B`);
    for (const socket of sockets) socket[Symbol.dispose]();
  },
});

/** Bytes that this process has in use. */
const usedBytes = () => {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
};

Deno.test("a silent browser costs a bounded amount of memory", async () => {
  const web = await serveWeb("127.0.0.1:0");
  const listener = joinListeners(await listen("127.0.0.1:0"), web.webSockets);
  const maxPendingBytes = 2 * 1_048_576;
  const broker: Broker = serveBroker(listener, {
    maxContentBytes: 65_536,
    maxPendingBytes,
    patienceMs: 20,
  });
  // One subscribes and reads nothing; one sends pings and reads no pongs.
  using subscriber = await RawWebSocket.open(web);
  await subscriber.send(
    frameOf(encodeFrame({ header: { op: "sub", topic: "flood" }, content: "" })),
  );
  using pinging = await RawWebSocket.open(web);
  await until(() => broker.stats().subscriptions === 1);
  await using client = await connectBroker(broker.address);
  const before = usedBytes();
  let isOpen = true;
  const pings = (async () => {
    const ping = frameOf(new Uint8Array(125), { op: OP.ping });
    const many = new Uint8Array(ping.length * 400);
    for (let i = 0; i < 400; i++) many.set(ping, i * ping.length);
    for (let sent = 0; isOpen && sent < 62.5 * MIB; sent += many.length) await pinging.send(many);
  })().catch(() => {});
  const content = new Uint8Array(65_536);
  for (let i = 0; i < 1_000; i++) await client.publishConfirmed("flood", content);
  const { missed, pendingBytes } = broker.stats();
  assert(missed > 500, `${missed} missed`);
  assert(pendingBytes < maxPendingBytes + 1_048_576, `${pendingBytes} B wait`);
  const grown = usedBytes() - before;
  assert(
    grown < 48 * 1_048_576,
    `${grown} B more in use after 62.5 MiB of publications and as many pings`,
  );
  isOpen = false;
  // A write to who does not read ends when that is gone.
  pinging[Symbol.dispose]();
  subscriber[Symbol.dispose]();
  await pings;
  await until(() => broker.stats().connections === 1, "only the publisher is left");
  await broker.drain(0);
  await web.drain(0);
});
