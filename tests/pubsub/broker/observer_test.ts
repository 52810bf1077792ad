import { assertEquals } from "@std/assert";
import { redirectErrors } from "../../../lib/base/report.ts";
import { type BrokerObserver, connectBroker, serveBroker } from "../../../lib/pubsub/mod.ts";
import { deadline } from "../../support/deadline.ts";

const NAMES = ["connected", "disconnected", "refused", "deliveryTimed"];

/** Ways of a method to fail. */
const FAILING: Readonly<Record<string, (name: string) => unknown>> = {
  throws(name) {
    throw new Error(name);
  },
  rejects: (name) => Promise.reject(new Error(name)),
};

for (const [how, fail] of Object.entries(FAILING)) {
  Deno.test(`a broker serves on and ends in order if its observer ${how}, which is reported`, async () => {
    const reported = new Set<string>();
    using _ = redirectErrors((error, what) => reported.add(`${what}: ${(error as Error).message}`));
    const observer = Object.fromEntries(NAMES.map((name) => [name, () => fail(name)]));
    const broker = await serveBroker("127.0.0.1:0", { observer: observer as BrokerObserver });
    {
      await using client = await connectBroker(broker.address);
      const orders = await client.subscribe("orders");
      await client.publishConfirmed("orders", "one");
      assertEquals((await deadline(orders.next())).value?.text(), "one");
      await client.publishConfirmed("_sys.x", "no").catch(() => {});
    }
    await deadline(broker.drain());
    assertEquals(broker.connections(), []);
    const expected = NAMES.map((name) => `The observer of a broker failed: ${name}`);
    assertEquals([...reported].sort(), expected.toSorted());
  });
}
