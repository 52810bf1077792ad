/**
 * nats.js over nats-server, by the rows of `client.ts`.
 *
 * @module
 */
import { connect } from "@nats-io/transport-node";
import type { LibraryRows } from "./library_rows.ts";
import { messagingRows } from "./messaging_client.ts";

/** The rows. @param args The server's port. */
export async function open([port]: readonly string[]): Promise<LibraryRows> {
  const client = await connect({ servers: `127.0.0.1:${port}` });
  return messagingRows({
    ways: ["callback", "for await"],
    publish: (topic, content) => client.publish(topic, content),
    flush: () => client.flush(),
    async receive(topic, way, take) {
      const callback = way === "callback" ? () => take(1) : undefined;
      const subscription = client.subscribe(topic, callback && { callback });
      if (way === "for await") {
        void (async () => {
          for await (const _ of subscription) take(1);
        })();
      }
      await client.flush();
      return {
        async [Symbol.asyncDispose]() {
          subscription.unsubscribe();
          await client.flush();
        },
      };
    },
    request: (topic, content) => client.request(topic, content, { timeout: 10_000 }),
    [Symbol.asyncDispose]: () => client.close(),
  });
}
