/**
 * ioredis over redis-server, by the rows of `client.ts`. Redis has no replies to publications: a
 * request is a command.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Redis } from "ioredis";
import type { LibraryRows } from "./library_rows.ts";
import { messagingRows } from "./messaging_client.ts";

/** The rows. @param args The server's port. */
export function open([port]: readonly string[]): Promise<LibraryRows> {
  const client = new Redis(Number(port), "127.0.0.1");
  const subscriber = new Redis(Number(port), "127.0.0.1");
  return Promise.resolve(messagingRows({
    ways: ["callback"],
    publish(topic, content) {
      void client.publish(topic, typeof content === "string" ? content : Buffer.from(content));
    },
    flush: () => client.ping(),
    async receive(topic, _way, take) {
      const onMessage = () => take(1);
      subscriber.on("messageBuffer", onMessage);
      await subscriber.subscribe(topic);
      return {
        async [Symbol.asyncDispose]() {
          subscriber.off("messageBuffer", onMessage);
          await subscriber.unsubscribe(topic);
        },
      };
    },
    request: (_topic, content) => client.echo(Buffer.from(content)),
    [Symbol.asyncDispose]() {
      client.disconnect();
      subscriber.disconnect();
      return Promise.resolve();
    },
  }));
}
