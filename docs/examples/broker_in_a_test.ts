/**
 * A test of a program that publishes, with a broker of its own: nothing to install, no port taken.
 * Run it by `deno test -A docs/examples/broker_in_a_test.ts`.
 */
import { type BrokerClient, connectBroker, serveBroker } from "@socktool/socktool/pubsub";
import { assertEquals } from "@std/assert";

/** The program that is tested: orders that are paid are published as shipments. */
async function shipPaidOrders(client: BrokerClient): Promise<void> {
  await client.subscribe("orders.paid.*", {
    onMessage: async (message) => {
      const number = message.topic.split(".").at(-1);
      await client.publish(`shipments.${number}`, `ship: ${message.text()}`);
    },
  });
}

Deno.test("a paid order is shipped, and no other", async () => {
  await using broker = await serveBroker("127.0.0.1:0");
  await using program = await connectBroker(broker.address);
  await shipPaidOrders(program);

  await using client = await connectBroker(broker.address);
  const shipments = await client.subscribe("shipments.>");
  await client.publish("orders.open.7", "a lamp");
  await client.publish("orders.paid.8", "two crates");
  for await (const { topic, content } of shipments) {
    assertEquals([topic, new TextDecoder().decode(content)], ["shipments.8", "ship: two crates"]);
    break;
  }
});
