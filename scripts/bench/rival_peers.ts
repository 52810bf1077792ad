/**
 * What clients of other servers are measured beside, as `client_peers.ts` does for ours: the server,
 * one who answers requests, and one who publishes as fast as the server takes it.
 *
 * @module
 */
import { connect } from "@nats-io/transport-node";
import { Redis } from "ioredis";
import type { Feed } from "./client_peers.ts";
import { freePort, startServer } from "./support.ts";

type Peers = AsyncDisposable & { readonly args: readonly string[] };

/** nats-server and its peers. */
export async function startNatsPeers(): Promise<Peers> {
  await using stack = new AsyncDisposableStack();
  const port = freePort();
  const args = ["-a", "127.0.0.1", "-p", String(port)];
  stack.use(await startServer("nats-server", args, port));
  const peer = await connect({ servers: `127.0.0.1:${port}` });
  stack.defer(() => peer.close());
  peer.subscribe("bench.ask", { callback: (_, message) => void message.respond("answer") });
  peer.subscribe("bench.feed", {
    callback: (_, message) => {
      const feed = message.json<Feed>();
      const frame = concat(`PUB bench.data ${feed.bytes}\r\n`, new Uint8Array(feed.bytes), "\r\n");
      void pour(port, frame, feed.count, 'CONNECT {"verbose":false}\r\n', "PING\r\n", "PONG\r\n");
    },
  });
  await peer.flush();
  return moved(stack, port);
}

/** redis-server and its peers. */
export async function startRedisPeers(): Promise<Peers> {
  await using stack = new AsyncDisposableStack();
  const port = freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  stack.use(await startServer("redis-server", args, port));
  const peer = new Redis(port, "127.0.0.1");
  stack.defer(() => peer.disconnect());
  peer.on("message", (_: string, text: string) => {
    const feed: Feed = JSON.parse(text);
    const head = `*3\r\n$7\r\nPUBLISH\r\n$10\r\nbench.data\r\n$${feed.bytes}\r\n`;
    const frame = concat(head, new Uint8Array(feed.bytes), "\r\n");
    void pour(port, frame, feed.count, "", "PING\r\n", "+PONG\r\n");
  });
  await peer.subscribe("bench.feed");
  return moved(stack, port);
}

function moved(stack: AsyncDisposableStack, port: number): Peers {
  const running = stack.move();
  return { args: [String(port)], [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function concat(head: string, content: Uint8Array, tail: string): Uint8Array {
  const encoder = new TextEncoder();
  const parts = [encoder.encode(head), content, encoder.encode(tail)];
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Writes a frame many times, reads what is answered until the last is, and closes. */
async function pour(
  port: number,
  frame: Uint8Array,
  count: number,
  greeting: string,
  ask: string,
  answer: string,
): Promise<void> {
  const encoder = new TextEncoder();
  const perChunk = Math.max(1, Math.floor(65_536 / frame.length));
  const chunk = new Uint8Array(frame.length * perChunk);
  for (let i = 0; i < perChunk; i++) chunk.set(frame, i * frame.length);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const write = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
  };
  const answered = (async () => {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65_536);
    let last = "";
    while (!last.includes(answer)) {
      const size = await conn.read(buffer);
      if (size === null) return;
      last = (last + decoder.decode(buffer.subarray(0, size))).slice(-100);
    }
  })();
  await write(encoder.encode(greeting));
  for (let left = count; left > 0; left -= perChunk) {
    await write(chunk.subarray(0, frame.length * Math.min(left, perChunk)));
  }
  await write(encoder.encode(ask));
  await answered;
}
