/**
 * Sends what is dealt with below a web server's routes, in a process of its own: beside a server in
 * the same one it would wait for its own turn. `flood_web.ts PORT BYTES`: this many bytes of pings, and
 * of frames without a byte, on each of a few WebSockets, and contents in chunks of a byte that nobody
 * wants. Nothing is read until all is sent. It ends when all are dealt with.
 */
import { assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { frameOf, OP, RawWebSocket } from "../web/raw_web_socket.ts";

const KINDS: readonly (readonly Uint8Array[])[] = [
  // Pings, without and with as many bytes as they may have, which call for answers.
  [frameOf("", { op: OP.ping })],
  [frameOf("p".repeat(125), { op: OP.ping })],
  // Pongs that nobody asked for, messages, and fragments, all without a byte.
  [frameOf("", { op: OP.pong })],
  [frameOf("")],
  [
    frameOf("", { fin: false }),
    ...Array.from({ length: 1_000 }, () => frameOf("", { fin: false, op: OP.more })),
    frameOf("", { op: OP.more }),
  ],
];

/** Requests with a content that nobody wants, 10,000 chunks of a byte. */
const CONTENTS = 4;
const CHUNKED = new TextEncoder().encode(
  "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" +
    "1\r\nx\r\n".repeat(10_000),
);

const [port, bytes] = Deno.args.map(Number) as [number, number];
const address = { transport: "tcp", hostname: "127.0.0.1", port } as const;
const contents = Array.from({ length: CONTENTS }, async () => {
  using conn = await Deno.connect(address);
  for (let at = 0; at < CHUNKED.length;) at += await conn.write(CHUNKED.subarray(at));
  assertEquals((await conn.read(new Uint8Array(12)))!, 12);
});
const sockets = KINDS.map(async (frames) => {
  using socket = await RawWebSocket.open({ address });
  const one = concat(frames);
  await socket.send(concat(Array(Math.ceil(bytes / one.length)).fill(one)));
  await socket.send(frameOf("?", { op: OP.ping }));
  for (let last = ""; last !== "?";) {
    const frame = await socket.frame();
    assertEquals(frame?.op, OP.pong);
    last = new TextDecoder().decode(frame!.payload);
  }
});
await Promise.all([...contents, ...sockets]);
