/**
 * Streams of redis-server, by the rows of `storing_client.ts`.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Redis } from "ioredis";
import type { LibraryRows } from "../library_rows.ts";
import { MAX_UNACKED, storingRows, type Sync } from "./storing_client.ts";

/** Messages that one command asks for. */
const PAGE = 1_000;

/** The rows. @param args The ports of the servers: of the one that syncs always, and the other's. */
export function open([always, interval]: readonly string[]): Promise<LibraryRows> {
  const clients: Record<Sync, Redis> = {
    always: new Redis(Number(always), "127.0.0.1"),
    interval: new Redis(Number(interval), "127.0.0.1"),
  };
  let groups = 0;
  return Promise.resolve(storingRows({
    // Redis makes a stream with its first message.
    create: () => Promise.resolve(),
    remove: (sync, name) => clients[sync].del(name),
    store: (sync, name, content) =>
      clients[sync].xadd(name, "*", "d", Buffer.from(content.buffer, 0, content.length)),
    async replay(sync, name, tally) {
      for (let from = "-"; !tally.isFull;) {
        const page = await clients[sync].xrangeBuffer(name, from, "+", "COUNT", PAGE);
        if (page.length === 0) break;
        for (const [id, [, content]] of page) tally.add(id, content!);
        from = `(${page.at(-1)![0].toString()}`;
      }
    },
    async consume(sync, name, tally) {
      const client = clients[sync];
      const group = `group${++groups}`;
      await client.xgroup("CREATE", name, group, "0");
      let acked: Promise<number> | undefined;
      while (!tally.isFull) {
        const answer = await client.xreadgroupBuffer(
          ...["GROUP", group, "c", "COUNT", MAX_UNACKED, "STREAMS", name, ">"] as const,
        ) as [Buffer, [Buffer, Buffer[]][]][] | null;
        if (answer === null) break;
        for (const [id, [, content]] of answer[0]![1]) {
          tally.add(id, content!);
          acked = client.xack(name, group, id);
        }
      }
      await acked;
      await client.xgroup("DESTROY", name, group);
    },
    [Symbol.asyncDispose]() {
      for (const client of Object.values(clients)) client.disconnect();
      return Promise.resolve();
    },
  }));
}
