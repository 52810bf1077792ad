/**
 * Streams of a broker, by the rows of `storing_client.ts`.
 *
 * @module
 */
import { connectBroker } from "../../../lib/pubsub/mod.ts";
import type { LibraryRows } from "../library_rows.ts";
import { MAX_UNACKED, storingRows } from "./storing_client.ts";

/** The rows. @param args The broker's port. */
export async function open([port]: readonly string[]): Promise<LibraryRows> {
  const address = { transport: "tcp", hostname: "127.0.0.1", port: Number(port) } as const;
  const client = await connectBroker(address);
  let consumers = 0;
  return storingRows({
    create: (sync, name) => client.streams.create(name, { topics: [`bench.${name}`], sync }),
    remove: (_, name) => client.streams.delete(name),
    store: (_, name, content) => client.publishStored(`bench.${name}`, content),
    async replay(_, name, tally) {
      for await (const { seq, content } of client.replay(name, { live: false })) {
        tally.add(seq, content);
      }
    },
    async consume(_, name, tally) {
      const consumer = `consumer${++consumers}`;
      const options = { maxUnacked: MAX_UNACKED, prefetch: MAX_UNACKED };
      let acked: Promise<void> | undefined;
      for await (const message of client.consume(name, consumer, options)) {
        tally.add(message.seq, message.content);
        acked = message.ack();
        if (tally.isFull) break;
      }
      await acked;
      await client.streams.deleteConsumer(name, consumer);
    },
    [Symbol.asyncDispose]: () => client.close(),
  });
}
