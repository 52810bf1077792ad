/** A client of a broker that keeps a stream, for tests of what it stores, replays and works off. */
import {
  type Broker,
  type BrokerClient,
  connectBroker,
  serveBroker,
} from "../../../lib/pubsub/mod.ts";
import { listen } from "../../../lib/net/mod.ts";
import { until } from "../../support/deadline.ts";
import { listenLocally } from "../../support/peers.ts";
import { KeptStore, sharedStore } from "../kept_store.ts";

/** A client of a broker that keeps `orders.>`; `restart` has both connect anew. */
export interface Surroundings {
  readonly client: BrokerClient;
  readonly address: Broker["address"];
  /** What its `onError` was told. */
  readonly errors: readonly unknown[];
  /** Ends the broker and starts another on the same store and address. */
  restart(): Promise<void>;
}

/** A test of a client whose broker keeps `orders.>`. */
export function storedTest(name: string, use: (surroundings: Surroundings) => Promise<void>): void {
  Deno.test(name, async () => {
    await using kept = await KeptStore.open();
    await withOrders(kept, use);
  });
}

/** Such tests whose brokers have the same store, one after the other. */
export function storedTests(name: string): typeof storedTest {
  const stores = sharedStore(name);
  return (name, use) => stores.test(name, (kept) => withOrders(kept, use));
}

async function withOrders(
  { streams }: KeptStore,
  use: (surroundings: Surroundings) => Promise<void>,
): Promise<void> {
  let broker: Broker = serveBroker(await listenLocally(), { streams });
  const { address } = broker;
  const errors: unknown[] = [];
  let connections = 0;
  const client = await connectBroker(address, {
    reconnect: { firstMs: 1, longestMs: 20 },
    onError: (error) => errors.push(error),
    onState: ({ state }) => void (state === "connected" && connections++),
  });
  try {
    await client.streams.create("orders", { topics: ["orders.>"] });
    await use({
      client,
      address,
      errors,
      async restart() {
        const before = connections;
        await broker.drain(0);
        broker = serveBroker(await listen(address), { streams });
        await until(() => connections > before, "the client has connected again");
      },
    });
  } finally {
    await client.close();
    await broker.drain(0);
  }
}
