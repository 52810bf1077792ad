/**
 * JetStream of nats-server, by the rows of `storing_client.ts`.
 *
 * @module
 */
import {
  AckPolicy,
  DeliverPolicy,
  jetstream,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
} from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { LibraryRows } from "../library_rows.ts";
import { MAX_UNACKED, storingRows, type Sync } from "./storing_client.ts";

interface Server {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
}

/** The rows. @param args The ports of the servers: of the one that syncs always, and the other's. */
export async function open([always, interval]: readonly string[]): Promise<LibraryRows> {
  const servers: Record<Sync, Server> = {
    always: await serverAt(always!),
    interval: await serverAt(interval!),
  };
  let consumers = 0;
  return storingRows({
    create: (sync, name) =>
      servers[sync].manager.streams.add({ name, subjects: [`bench.${name}`] }),
    remove: (sync, name) => servers[sync].manager.streams.delete(name),
    // With an id a retry is stored once, as with ours.
    store: (sync, name, content) =>
      servers[sync].client.publish(`bench.${name}`, content, { msgID: crypto.randomUUID() }),
    async replay(sync, name, tally) {
      const consumer = await servers[sync].client.consumers.get(name);
      for await (const { seq, data } of await consumer.consume({ max_messages: 5_000 })) {
        tally.add(seq, data);
        if (tally.isFull) break;
      }
      await consumer.delete();
    },
    async consume(sync, name, tally) {
      const { client, manager } = servers[sync];
      const consumer = `consumer${++consumers}`;
      await manager.consumers.add(name, {
        durable_name: consumer,
        ack_policy: AckPolicy.Explicit,
        deliver_policy: DeliverPolicy.All,
        max_ack_pending: MAX_UNACKED,
      });
      const messages = await (await client.consumers.get(name, consumer))
        .consume({ max_messages: MAX_UNACKED });
      let acked: Promise<boolean> | undefined;
      for await (const message of messages) {
        tally.add(message.seq, message.data);
        // The plain `ack` is not confirmed.
        acked = message.ackAck();
        if (tally.isFull) break;
      }
      await acked;
      await manager.consumers.delete(name, consumer);
    },
    async [Symbol.asyncDispose]() {
      for (const { connection } of Object.values(servers)) await connection.close();
    },
  });
}

async function serverAt(port: string): Promise<Server> {
  const connection = await connect({ servers: `127.0.0.1:${port}` });
  const manager = await jetstreamManager(connection);
  return { connection, client: jetstream(connection, { timeout: 20_000 }), manager };
}
