import type { ConsumerInfo } from "@nats-io/jetstream";
import { assertEquals, assertRejects } from "@std/assert";
import { StreamError } from "../../../../../lib/pubsub/broker/streams/stream_error.ts";
import type { ConsumerCatalog } from "../../../../../lib/pubsub/broker/nats/streams/consumer_catalog.ts";
import { listConsumers } from "../../../../../lib/pubsub/broker/nats/streams/consumer_list.ts";
import type { JetStreamApi } from "../../../../../lib/pubsub/broker/nats/streams/jetstream_api.ts";
import { Sweeper } from "../../../../../lib/pubsub/broker/nats/streams/sweeper.ts";

const LIMIT = 256;

/** How a consumer is at the moment. */
type State = "well" | "leaderless" | "dead";

/** A consumer of a stream, and whether it is more than a reader. */
interface Consumer {
  readonly name: string;
  readonly isDurable: boolean;
  readonly state: State;
}

/** Answers as the leader of a cluster of nats-server 2.9.10 does. */
function clusterOf(all: readonly Consumer[]): JetStreamApi {
  const ask = (_tried: string, _what: string, { offset }: { offset: number }) => {
    const here = all.slice(offset, offset + LIMIT);
    const told = here.filter(({ state }) => state !== "leaderless");
    const consumers = told.map(({ name, isDurable, state }) => ({
      name: state === "dead" ? "" : name,
      config: { ack_policy: "explicit", ...isDurable && { durable_name: name } },
    }));
    const missing = here.filter(({ state }) => state !== "well").map(({ name }) => name);
    return Promise.resolve({
      consumers,
      total: consumers.length,
      offset,
      limit: LIMIT,
      ...missing.length > 0 && { missing },
    });
  };
  return { ask } as unknown as JetStreamApi;
}

const some = (count: number, state: State = "well", isDurable = true) =>
  Array.from({ length: count }, (_, i) => ({ name: `${state}${i}`, isDurable, state }));

Deno.test("all consumers are listed that clients may use, however many there are", async () => {
  for (const count of [0, 1, 255, 256, 257, 600]) {
    const { infos, lack } = await listConsumers(clusterOf(some(count)), "s");
    assertEquals([infos.length, lack], [count, undefined]);
  }
  const withReaders = [...some(300, "well", false), ...some(2)];
  assertEquals((await listConsumers(clusterOf(withReaders), "s")).infos.length, 2);
});

Deno.test("a list says that it lacks consumers without a leader, but for readers that died", async () => {
  const lackOf = async (...all: Consumer[][]) =>
    (await listConsumers(clusterOf(all.flat()), "s")).lack !== undefined;
  assertEquals(await lackOf(some(2), some(1, "leaderless")), true);
  assertEquals(await lackOf(some(300), some(1, "leaderless")), true);
  assertEquals(await lackOf(some(1, "leaderless"), some(300)), true);
  assertEquals(await lackOf(some(1, "dead")), true);
  assertEquals(await lackOf(some(2), some(3, "dead", false)), false);
  assertEquals(await lackOf(some(1, "dead", false), some(1, "leaderless")), true);
  const { infos } = await listConsumers(clusterOf([...some(2), ...some(1, "dead")]), "s");
  assertEquals(infos.map(({ name }) => name), ["well0", "well1"]);
});

Deno.test("nothing is removed while a consumer that may need it has no leader", async () => {
  let purged = 0;
  const config = { description: "socktool: until-acked", retention: "limits" };
  const state = { messages: 9, first_seq: 1, last_seq: 9 };
  const streams = {
    info: () => Promise.resolve({ config, state }),
    purge: () => Promise.resolve(purged++),
  };
  const api = { do: (_: string, use: (manager: unknown) => unknown) => use({ streams }) };
  const done = {
    config: {},
    delivered: { stream_seq: 9 },
    num_ack_pending: 0,
  } as unknown as ConsumerInfo;
  const sweeperOf = (infos: () => Promise<ConsumerInfo[]>) =>
    new Sweeper(api as unknown as JetStreamApi, { infos } as unknown as ConsumerCatalog, () => {});
  const lack = new StreamError("unavailable", "one has no leader");
  await assertRejects(() => sweeperOf(() => Promise.reject(lack)).sweep("s"), StreamError);
  assertEquals(purged, 0);
  await sweeperOf(() => Promise.resolve([done])).sweep("s");
  assertEquals(purged, 1);
});
