/** WebSockets as connections of a framed server: what of RFC 6455 comes, and what is refused. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { concat } from "@std/bytes";
import { encodeFrame, FrameDecoder, jsonFrame } from "../../lib/frame/mod.ts";
import {
  ConnectionError,
  dial,
  formatAddress,
  joinListeners,
  listen,
  type Server,
} from "../../lib/net/mod.ts";
import { Turns } from "../../lib/net/turns.ts";
import { connectBroker, serveBroker } from "../../lib/pubsub/mod.ts";
import { connectRequests, serveRequests } from "../../lib/request/mod.ts";
import { serveWeb, type WebServeOptions, type WebServer } from "../../lib/web/mod.ts";
import { Random } from "../soak/random.ts";
import { deadline, until } from "../support/deadline.ts";
import { SERVER_TLS, TRUSTING } from "../support/tls.ts";
import { frameOf, OP, RawWebSocket } from "./raw_web_socket.ts";
import { mutateFrames } from "./mutate_frames.ts";

/** A server of requests that answers each by what it asked, over TCP and WebSocket. */
async function serve(options: WebServeOptions = {}): Promise<
  AsyncDisposable & {
    readonly web: WebServer;
    readonly server: Server;
  }
> {
  const web = await serveWeb("127.0.0.1:0", options);
  const listener = joinListeners(await listen("127.0.0.1:0"), web.webSockets);
  const server = serveRequests(
    listener,
    (frame) => frame.json() as object && jsonFrame(frame.json()),
  );
  return {
    web,
    server,
    async [Symbol.asyncDispose]() {
      await server.drain(0);
      await web.drain(0);
    },
  };
}

const urlOf = ({ address, secure }: WebServer) =>
  `ws${secure ? "s" : ""}://${formatAddress(address)}/ws`;

const REQUEST = encodeFrame(jsonFrame({ text: "Ünïcode 🐰" }));

/** Reads one frame of ours out of as many frames of WebSocket as it takes; counts pongs. */
async function reply(socket: RawWebSocket): Promise<{ value: unknown; pongs: number }> {
  const decoder = new FrameDecoder();
  let bytes = new Uint8Array(0);
  for (let pongs = 0;;) {
    const frame = await deadline(socket.frame(), "a frame");
    if (frame?.op === OP.pong) pongs++;
    if (frame?.op !== OP.binary) {
      assertEquals(frame?.op, OP.pong);
      continue;
    }
    bytes = Uint8Array.from([...bytes, ...frame.payload]);
    const [found] = decoder.decode(bytes).frames;
    if (found) return { value: found.json(), pongs };
  }
}

Deno.test("a frame arrives wherever messages, fragments and packets cut it, and pings between", async () => {
  await using both = await serve();
  using socket = await RawWebSocket.open(both.web);
  const ping = frameOf("still there?", { op: OP.ping });
  for (let at = 0; at <= REQUEST.length; at++) {
    const [head, tail] = [REQUEST.subarray(0, at), REQUEST.subarray(at)];
    // Two messages.
    await socket.send(frameOf(head), frameOf(tail));
    assertEquals((await reply(socket)).value, { text: "Ünïcode 🐰" });
    // Two fragments with a ping between them, and an empty one behind.
    await socket.send(
      frameOf(head, { fin: false }),
      ping,
      frameOf(tail, { op: OP.more, fin: false }),
      frameOf("", { op: OP.more }),
    );
    const { value, pongs } = await reply(socket);
    assertEquals([value, pongs], [{ text: "Ünïcode 🐰" }, 1]);
    // One message, in two packets.
    const message = frameOf(REQUEST);
    await socket.send(message.subarray(0, at));
    await socket.send(message.subarray(at));
    assertEquals((await reply(socket)).value, { text: "Ünïcode 🐰" });
  }
  // A message for each byte, sent at once.
  const bytes = [...REQUEST].map((byte) => frameOf(Uint8Array.of(byte)));
  await socket.send(Uint8Array.from(bytes.flatMap((each) => [...each])));
  assertEquals((await reply(socket)).value, { text: "Ünïcode 🐰" });
});

Deno.test("of pings that come faster than answers are taken, the newest is answered", async () => {
  await using both = await serve();
  using socket = await RawWebSocket.open(both.web);
  const pings = Array.from({ length: 2_000 }, (_, i) => frameOf(`${i}`, { op: OP.ping }));
  await socket.send(concat(pings));
  const answered: number[] = [];
  while (answered.at(-1) !== pings.length - 1) {
    const { op, payload } = (await deadline(socket.frame(), "an answer"))!;
    assertEquals(op, OP.pong);
    answered.push(Number(new TextDecoder().decode(payload)));
  }
  assertEquals(answered, answered.toSorted((a, b) => a - b));
  assertEquals(answered[0], 0);
  assert(answered.length < pings.length / 10, `${answered.length} answers`);
});

Deno.test("what RFC 6455 does not permit ends the WebSocket with its status", async () => {
  await using both = await serve();
  const cases: readonly (readonly [what: string, frames: readonly Uint8Array[], status: number])[] =
    [
      ["text", [frameOf("hi", { op: OP.text })], 1003],
      ["not masked", [frameOf(REQUEST, { masked: false })], 1002],
      ["reserved bit 1", [frameOf("x", { rsv: 4 })], 1002],
      ["reserved bit 3", [frameOf("x", { rsv: 1 })], 1002],
      ["reserved opcode", [frameOf("x", { op: 3 })], 1002],
      ["reserved control", [frameOf("x", { op: 11 })], 1002],
      ["long ping", [frameOf(new Uint8Array(126), { op: OP.ping })], 1002],
      ["fragmented ping", [frameOf("x", { op: OP.ping, fin: false })], 1002],
      ["no beginning", [frameOf("x", { op: OP.more })], 1002],
      ["two beginnings", [frameOf("x", { fin: false }), frameOf("x")], 1002],
      ["close of one byte", [frameOf("x", { op: OP.close })], 1002],
      ["close with a wrong status", [frameOf(Uint8Array.of(3, 236), { op: OP.close })], 1002],
      ["close with no UTF-8", [frameOf(Uint8Array.of(3, 232, 255), { op: OP.close })], 1007],
      ["text that is no UTF-8", [frameOf(Uint8Array.of(255), { op: OP.text })], 1007],
      ["too large", [frameOf(new Uint8Array(1_048_577))], 1009],
      ["too large in fragments", [
        frameOf(new Uint8Array(1_048_576), { fin: false }),
        frameOf("x", { op: OP.more }),
      ], 1009],
      ["close", [frameOf(Uint8Array.of(3, 232), { op: OP.close })], 1000],
      ["going away", [frameOf(Uint8Array.of(3, 233), { op: OP.close })], 1001],
    ];
  for (const [what, frames, status] of cases) {
    using socket = await RawWebSocket.open(both.web);
    await socket.send(...frames);
    assertEquals(await socket.closed(), status, what);
  }
  await until(() => both.server.connections.size === 0);
});

Deno.test("a WebSocket is opened by who may, where there is one", async () => {
  await using both = await serve({
    hosts: ["good.example"],
    allowOrigins: ["https://app.example"],
  });
  const wrong: readonly (readonly [Record<string, string>, number])[] = [
    [{ Origin: "https://evil.example" }, 403],
    [{ Origin: "null" }, 403],
    [{ Origin: "http://localhost:1" }, 403],
    [{ Host: "evil.example" }, 421],
    [{ "Sec-WebSocket-Key": "short" }, 400],
    [{ "Sec-WebSocket-Version": "12" }, 426],
    [{ "Sec-WebSocket-Version": "8", "Sec-WebSocket-Origin": "https://evil.example" }, 426],
    [{ "Sec-WebSocket-Protocol": "a,,b" }, 400],
    [{ Upgrade: "h2c" }, 426],
    [{ "Content-Length": "5" }, 400],
    [{ "Transfer-Encoding": "chunked" }, 400],
  ];
  for (const [headers, status] of wrong) {
    await assertRejects(() => RawWebSocket.open(both.web, headers), Error, `answered ${status}`);
  }
  for (
    const headers of [
      {},
      { Origin: "http://localhost" },
      { Origin: "https://app.example" },
      { Host: "good.example:80", Origin: "http://good.example" },
    ]
  ) (await RawWebSocket.open(both.web, headers))[Symbol.dispose]();
  await until(() => both.server.connections.size === 0 && both.web.connections === 0);
  await using alone = await serveWeb("127.0.0.1:0");
  await assertRejects(() => RawWebSocket.open(alone), Error, "answered 503");
});

Deno.test("of many WebSockets that come at once each one is served", async () => {
  // On a busy machine the last of them may have their turn after the usual five seconds.
  await using both = await serve({ headerTimeoutMs: 60_000 });
  const sockets = await Promise.all(
    Array.from({ length: 300 }, () => RawWebSocket.open(both.web)),
  );
  for (const socket of sockets) await socket.sendMessage(REQUEST);
  for (const socket of sockets) {
    assertEquals((await reply(socket)).value, { text: "Ünïcode 🐰" });
    socket[Symbol.dispose]();
  }
});

Deno.test("a client begins in the turn of its network; then who sends little goes before who floods", async () => {
  const { takeToBegin, takeForLittle, takeIfBusy } = Turns.prototype;
  const taken: string[] = [];
  const note = (name: string) => (network = "") => void taken.push(`${name} ${network}`.trim());
  Object.assign(Turns.prototype, {
    takeToBegin: note("begin"),
    takeForLittle: note("little"),
    takeIfBusy: note("much"),
  });
  try {
    await using both = await serve();
    using socket = await RawWebSocket.open(both.web);
    assertEquals(new Set(taken.splice(0)), new Set(["begin 127.0.0.1"]));
    await socket.send(frameOf(REQUEST));
    await reply(socket);
    assertEquals(taken.splice(0), ["little 127.0.0.1"]);
    await socket.send(concat(Array(1_000).fill(frameOf(new Uint8Array(100), { op: OP.pong }))));
    await socket.send(frameOf(REQUEST));
    await reply(socket);
    assert(taken.includes("much"), taken.join());
  } finally {
    Object.assign(Turns.prototype, { takeToBegin, takeForLittle, takeIfBusy });
  }
});

Deno.test("mutated frames harm nobody but their own connection", async () => {
  await using both = await serve();
  await mutateFrames(both.web, REQUEST, 300, new Random(1));
  using socket = await RawWebSocket.open(both.web);
  await socket.send(frameOf(REQUEST));
  assertEquals((await reply(socket)).value, { text: "Ünïcode 🐰" });
});

Deno.test("clients speak over WebSocket as over TCP, with TLS too", async () => {
  for (const tls of [undefined, SERVER_TLS]) {
    const web = await serveWeb("localhost:0", { tls });
    const listener = joinListeners(await listen("127.0.0.1:0"), web.webSockets);
    await using broker = serveBroker(listener);
    const url = urlOf(web).replace(/127\.0\.0\.1|\[::1\]/, "localhost");
    await using client = await connectBroker(url, {
      reconnect: false,
      ...(tls ? { tls: TRUSTING.tls } : {}),
    });
    await using other = await connectBroker(broker.address, { reconnect: false });
    const content = crypto.getRandomValues(new Uint8Array(65_536));
    const whole = Uint8Array.from({ length: 12 * 65_536 }, (_, i) => content[i % 65_536]!);
    const got = Promise.withResolvers<Uint8Array>();
    await client.subscribe("big", { onMessage: (message) => got.resolve(message.content.slice()) });
    await other.publish("big", whole);
    assertEquals(await deadline(got.promise, "a large message"), whole);
    await client.drain();
    await other.drain();
    await broker.drain();
    await web.drain();
  }
});

Deno.test("what answers no WebSocket is told with the reason", async () => {
  await using both = await serve();
  const where = formatAddress(both.web.address);
  const cases = [
    [`ws://${where}/nowhere`, "connect", "404 Not Found"],
    [`wss://${where}/ws`, "tls-handshake", "it does not speak TLS"],
    [`ws://${formatAddress(both.server.address)}/ws`, "connect", ""],
    ["ws://127.0.0.1:1/ws", "connect", "refused"],
  ] as const;
  for (const [url, operation, reason] of cases) {
    // The server of frames waits for more, and answers nothing.
    const timeoutMs = reason === "" ? 500 : 30_000;
    const error = await assertRejects(
      () => dial(url, { timeoutMs }),
      ConnectionError,
      reason,
    );
    assertEquals(error.operation, operation, url);
  }
  const aborted = new AbortController();
  const silent = await listen("127.0.0.1:0");
  const dialling = dial(`ws://${formatAddress(silent.address)}/ws`, { signal: aborted.signal });
  using _accepted = await silent.accept();
  aborted.abort(new Error("enough"));
  await assertRejects(() => dialling, Error, "enough");
  silent.close();
});

Deno.test("a server that drains says so over WebSocket, and both sides end", async () => {
  const web = await serveWeb("127.0.0.1:0");
  const broker = serveBroker(joinListeners(await listen("127.0.0.1:0"), web.webSockets));
  const states: string[] = [];
  await using client = await connectBroker(urlOf(web), {
    reconnect: false,
    onState: ({ state, reason }) => states.push(`${state} ${(reason as Error)?.message ?? ""}`),
  });
  await client.subscribe("x");
  await broker.drain();
  assertEquals(broker.forced, 0);
  await until(() => states.some((state) => state.startsWith("closed")));
  assertMatch(states.join(), /closed .*shutdown|closed .*ends/i);
  await web.drain();
});

Deno.test("requests over WebSocket are pipelined, and the client ends in order", async () => {
  await using both = await serve();
  const client = await connectRequests(urlOf(both.web));
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, i) => client.request(jsonFrame({ i }))),
  );
  assertEquals(answers.map((answer) => (answer.json() as { i: number }).i), [...Array(500).keys()]);
  await client[Symbol.asyncDispose]();
  await until(() => both.server.connections.size === 0);
});
