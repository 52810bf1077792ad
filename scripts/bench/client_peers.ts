/**
 * What a client of publish/subscribe is measured beside: a broker, one who answers requests, and one
 * who publishes as fast as the broker takes it.
 *
 * @module
 */
import { encodeFrame } from "../../lib/frame/mod.ts";
import { connectBroker } from "../../lib/pubsub/mod.ts";
import { denoArgs, freePort, startServer } from "./support.ts";

/** The rows of `client.ts`, and their units. */
export const CLIENT_ROWS = [
  { name: "publish 16 B", unit: "messages/s" },
  { name: "publish 1 KiB", unit: "messages/s" },
  { name: "receive 16 B", unit: "messages/s" },
  { name: "receive 1 KiB", unit: "messages/s" },
  { name: "receive 16 B, for await", unit: "messages/s" },
  { name: "receive 1 KiB, for await", unit: "messages/s" },
  { name: "receive 16 B, batches", unit: "messages/s" },
  { name: "receive 1 KiB, batches", unit: "messages/s" },
  { name: "request, 1 outstanding", unit: "requests/s" },
  { name: "request, 64 outstanding", unit: "requests/s" },
  { name: "p50 at 5,000/s", unit: "ms" },
  { name: "p99 at 5,000/s", unit: "ms" },
] as const;

/** Starts them. The argument is the broker's port. */
export async function startClientPeers(): Promise<AsyncDisposable & { args: readonly string[] }> {
  await using stack = new AsyncDisposableStack();
  const port = freePort();
  const command = denoArgs("cmd/broker.ts", `127.0.0.1:${port}`, "-q", "--allow-block");
  stack.use(await startServer(Deno.execPath(), command, port));
  const peer = stack.use(
    await connectBroker({ transport: "tcp", hostname: "127.0.0.1", port }),
  );
  await peer.subscribe("bench.ask", { onMessage: (message) => void message.respond("answer") });
  await peer.subscribe("bench.feed", {
    onMessage: (message) => feed(port, message.json() as Feed),
  });
  const running = stack.move();
  return { args: [String(port)], [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** What is asked of who publishes. */
export interface Feed {
  readonly bytes: number;
  readonly count: number;
}

/** Publishes frames that were encoded before, so that the subscriber is the slowest of all. */
async function feed(port: number, { bytes, count }: Feed): Promise<void> {
  const frame = encodeFrame({
    header: { op: "pub", topic: "bench.data" },
    content: new Uint8Array(bytes),
  });
  const perChunk = Math.max(1, Math.floor(65_536 / frame.length));
  const chunk = new Uint8Array(frame.length * perChunk);
  for (let i = 0; i < perChunk; i++) chunk.set(frame, i * frame.length);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  for (let left = count; left > 0; left -= perChunk) {
    const part = chunk.subarray(0, frame.length * Math.min(left, perChunk));
    for (let at = 0; at < part.length;) at += await conn.write(part.subarray(at));
  }
  await conn.closeWrite();
  // The broker closes when it has read all.
  const rest = new Uint8Array(1_024);
  while (await conn.read(rest) !== null);
}
