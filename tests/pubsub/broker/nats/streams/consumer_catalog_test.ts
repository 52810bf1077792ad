import { assertEquals, assertRejects } from "@std/assert";
import { ConsumerCatalog } from "../../../../../lib/pubsub/broker/nats/streams/consumer_catalog.ts";
import type { ConsumerHost } from "../../../../../lib/pubsub/broker/nats/streams/delivery_settler.ts";
import type { StreamCatalog } from "../../../../../lib/pubsub/broker/nats/streams/stream_catalog.ts";
import { StreamError } from "../../../../../lib/pubsub/broker/streams/stream_error.ts";

/** A consumer as JetStream tells of it. */
const INFO = {
  stream_name: "orders",
  name: "c",
  created: "2026-01-01T00:00:00Z",
  config: { durable_name: "c", ack_policy: "explicit", ack_wait: 30_000_000_000 },
  delivered: { stream_seq: 0 },
  num_pending: 0,
  num_ack_pending: 0,
  num_redelivered: 0,
};

Deno.test("who joins a consumer that another gateway deletes meanwhile is told", async () => {
  const counting = Promise.withResolvers<unknown>();
  const asked = Promise.withResolvers<void>();
  const host = {
    api: {
      find(tried: string) {
        if (!tried.startsWith("Cannot count")) return Promise.resolve(INFO);
        asked.resolve();
        return counting.promise;
      },
      messageOf: () => Promise.resolve(undefined),
    },
    link: { connection: { subscribe: () => ({ unsubscribe() {} }), publish() {} } },
  } as unknown as ConsumerHost;
  const streams = {
    info: () => Promise.resolve({ config: { subjects: [] }, state: { first_seq: 1, last_seq: 0 } }),
    streams: new Map([["_dead", {}]]),
  } as unknown as StreamCatalog;
  const catalog = new ConsumerCatalog(host, streams, () => Promise.resolve());
  const init = { stream: "orders", consumer: "c", owner: 1, sid: 1, settings: {}, runs: false };
  const joining = catalog.join({ ...init, start: { from: "all" }, prefetch: undefined });
  await asked.promise;
  catalog.announced("orders", "c", "deleted");
  counting.resolve(undefined);
  const error = await assertRejects(() => joining, StreamError);
  assertEquals(error.code, "no-consumer");
});
