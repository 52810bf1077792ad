/** Streams in JetStream keep what is promised of streams in a folder. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { NatsServer } from "../../../support/nats.ts";
import { CONSUMERS } from "../streams/consumer_contract.ts";
import { CONTRACT } from "../streams/contract.ts";
import { RIGHTS } from "../streams/rights_contract.ts";
import { Gateway } from "./support.ts";

const JETSTREAM = 'jetstream { store_dir: "$DIR/js" }\n';

/** Deletes all streams of a server. */
async function clear(server: NatsServer): Promise<void> {
  const nats = await connect({ servers: server.servers });
  const manager = await jetstreamManager(nats);
  for await (const name of manager.streams.names()) await manager.streams.delete(name);
  await nats.close();
}

Deno.test("in JetStream:", async (t) => {
  await using server = await NatsServer.start("streams", { config: JETSTREAM });
  if (server === undefined) return;
  for (const { name, run } of [...CONTRACT, ...CONSUMERS, RIGHTS]) {
    await t.step(name, async () => {
      try {
        await run({
          async withBroker(use, broker = {}) {
            await using gateway = await Gateway.start(server.url, { broker });
            await use(gateway.broker);
          },
        });
      } finally {
        await clear(server);
      }
    });
  }
});
