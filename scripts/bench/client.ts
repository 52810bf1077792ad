/**
 * The client of publish/subscribe, over a broker and beside the peers of `client_peers.ts`.
 *
 * @module
 */
import { connectBroker } from "../../lib/pubsub/mod.ts";
import { type LibraryRows, warmed } from "./library_rows.ts";

const OUTSTANDING = 64;

/** The rows, in messages or requests per second. @param args The broker's port. */
export async function open([port]: readonly string[]): Promise<LibraryRows> {
  const address = { transport: "tcp", hostname: "127.0.0.1", port: Number(port) } as const;
  const client = await connectBroker(address);

  const publish = async (bytes: number, count: number): Promise<number> => {
    const content = new Uint8Array(bytes);
    const startedAt = performance.now();
    let sent: Promise<void> | undefined;
    for (let i = 0; i < count; i++) {
      sent = client.publish("bench.nobody", content);
      if (i % 1_000 === 0) await sent;
    }
    await sent;
    await client.publishConfirmed("bench.nobody", content);
    return count / (performance.now() - startedAt) * 1_000;
  };

  const receive = async (bytes: number, count: number): Promise<number> => {
    const last = Promise.withResolvers<number>();
    let startedAt = 0;
    let received = 0;
    const subscription = await client.subscribe("bench.data", {
      slow: "block",
      onMessage() {
        if (received++ === 0) startedAt = performance.now();
        if (received === count) last.resolve(performance.now());
      },
    });
    await client.publish("bench.feed", JSON.stringify({ bytes, count }));
    const elapsedMs = await last.promise - startedAt;
    await subscription[Symbol.asyncDispose]();
    return (count - 1) / elapsedMs * 1_000;
  };

  const request = async (outstanding: number, count: number): Promise<number> => {
    const content = new Uint8Array(16);
    const startedAt = performance.now();
    let left = count;
    await Promise.all(Array.from({ length: outstanding }, async () => {
      while (left-- > 0) await client.request("bench.ask", content);
    }));
    return count / (performance.now() - startedAt) * 1_000;
  };

  return {
    rows: {
      "publish 16 B": warmed((count) => publish(16, count), 60_000),
      "publish 1 KiB": warmed((count) => publish(1_024, count), 30_000),
      "receive 16 B": warmed((count) => receive(16, count), 60_000),
      "receive 1 KiB": warmed((count) => receive(1_024, count), 30_000),
      "request, 1 outstanding": warmed((count) => request(1, count), 600),
      "request, 64 outstanding": warmed((count) => request(OUTSTANDING, count), 3_000),
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}
