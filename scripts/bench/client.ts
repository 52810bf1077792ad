/**
 * The client of publish/subscribe, over a broker and beside the peers of `client_peers.ts`.
 *
 * @module
 */
import { connectBroker } from "../../lib/pubsub/mod.ts";
import type { LibraryRows } from "./library_rows.ts";
import { messagingRows } from "./messaging_client.ts";

/** The rows. @param args The broker's port. */
export async function open([port]: readonly string[]): Promise<LibraryRows> {
  const address = { transport: "tcp", hostname: "127.0.0.1", port: Number(port) } as const;
  const client = await connectBroker(address);
  return messagingRows({
    ways: ["callback", "for await", "batches"],
    publish: (topic, content) => client.publish(topic, content),
    flush: () => client.publishConfirmed("bench.nobody"),
    async receive(topic, way, take) {
      const subscription = await client.subscribe(topic, {
        slow: "block",
        onMessage: way === "callback" ? () => take(1) : undefined,
        onMessages: way === "batches" ? ({ length }) => take(length) : undefined,
      });
      if (way === "for await") {
        void (async () => {
          for await (const _ of subscription) take(1);
        })();
      }
      return subscription;
    },
    request: (topic, content) => client.request(topic, content),
    [Symbol.asyncDispose]: () => client.close(),
  });
}
