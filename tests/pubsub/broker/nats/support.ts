/** What the tests of gateways share. */
import {
  type Broker,
  type BrokerClient,
  type BrokerOptions,
  connectBroker,
  type PubSubMessage,
  serveBroker,
} from "../../../../lib/pubsub/mod.ts";
import { connectNats, type NatsBackplaneOptions } from "../../../../lib/pubsub/broker/nats/mod.ts";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { deadline } from "../../../support/deadline.ts";
import { NatsServer } from "../../../support/nats.ts";
import { listenLocally } from "../../../support/peers.ts";

/** A broker that is a gateway. */
export class Gateway implements AsyncDisposable {
  readonly broker: Broker;
  readonly #backplane: AsyncDisposable;

  private constructor(broker: Broker, backplane: AsyncDisposable) {
    this.broker = broker;
    this.#backplane = backplane;
  }

  static async start(
    servers: string | readonly string[],
    { broker, nats }: { broker?: BrokerOptions; nats?: NatsBackplaneOptions } = {},
  ): Promise<Gateway> {
    // A busy machine may take longer to connect than a gateway waits for a server.
    const backplane = await connectNats([servers].flat(), { waitMs: 20_000, ...nats });
    return new Gateway(serveBroker(await listenLocally(), { ...broker, backplane }), backplane);
  }

  get figures() {
    return this.broker.stats().backplane!;
  }

  client(): Promise<BrokerClient> {
    return connectBroker(this.broker.address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker[Symbol.asyncDispose]();
    await this.#backplane[Symbol.asyncDispose]();
  }
}

/** Two gateways of one server, a client of each, and one of NATS itself. */
export interface Pair {
  readonly server: NatsServer;
  readonly left: BrokerClient;
  readonly right: BrokerClient;
  readonly gateways: readonly [Gateway, Gateway];
  readonly nats: NatsConnection;
}

/**
 * Runs a test with two gateways; skips it by name where there is no nats-server.
 *
 * @param config What the server's configuration holds besides the address.
 */
export function testPair(name: string, run: (pair: Pair) => Promise<void>, config = ""): void {
  Deno.test(name, async () => {
    await using server = await NatsServer.start(name, { config });
    if (server === undefined) return;
    await using one = await Gateway.start(server.url);
    await using other = await Gateway.start(server.url);
    await using left = await one.client();
    await using right = await other.client();
    const nats = await connect({ servers: server.servers, reconnectTimeWait: 50 });
    try {
      await run({ server, left, right, gateways: [one, other], nats });
    } finally {
      await nats.close();
    }
  });
}

/** The next message of a subscription. */
export async function nextOf(
  subscription: AsyncIterator<PubSubMessage>,
): Promise<PubSubMessage> {
  const { value, done } = await deadline(subscription.next(), "the next message");
  if (done) throw new Error("the subscription has ended");
  return value;
}
