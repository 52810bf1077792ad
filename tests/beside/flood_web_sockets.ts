/**
 * Sends WebSockets' frames that bring no byte to anybody, in a process of its own: beside a server in
 * the same one it would wait for its own turn. `flood_web_sockets.ts PORT BYTES`: so many on each of
 * a few WebSockets. It ends when all are dealt with.
 */
import { assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { frameOf, OP, RawWebSocket } from "../web/raw_web_socket.ts";

const KINDS: readonly (readonly Uint8Array[])[] = [
  // Pongs that nobody asked for, messages, and fragments, all without a byte.
  [frameOf("", { op: OP.pong })],
  [frameOf("")],
  [
    frameOf("", { fin: false }),
    ...Array.from({ length: 1_000 }, () => frameOf("", { fin: false, op: OP.more })),
    frameOf("", { op: OP.more }),
  ],
];

const [port, bytes] = Deno.args.map(Number) as [number, number];
const address = { transport: "tcp", hostname: "127.0.0.1", port } as const;
await Promise.all(KINDS.map(async (frames) => {
  using socket = await RawWebSocket.open({ address });
  const one = concat(frames);
  await socket.send(concat(Array(Math.ceil(bytes / one.length)).fill(one)));
  await socket.send(frameOf("?", { op: OP.ping }));
  assertEquals((await socket.frame())?.op, OP.pong);
}));
