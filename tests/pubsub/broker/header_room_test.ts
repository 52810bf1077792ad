/** Fields that the broker adds to a publication do not make its header one that nobody takes. */
import { assertEquals } from "@std/assert";
import { rawFrame } from "../../support/peers.ts";
import { storedTest } from "../client/kept_orders.ts";
import { connectBroker } from "../../../lib/pubsub/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
import { RawPeer, startBroker } from "../support.ts";

/** What makes a header have so many members and elements in all. */
const SHAPES: Readonly<Record<string, (count: number) => object>> = {
  "flat fields": (count) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 0])),
  "an array": (count) => ({ a: Array(count - 1).fill(0) }),
  "objects": (count) => ({ a: Array.from({ length: (count - 1) / 2 | 0 }, () => ({})) }),
};

/** The header of a publication with that, the four fields of every frame, and `id`, `op` and `topic`. */
function header(topic: string, further: object, id: number): string {
  const four = { byteorder: "little", "content-type": "t", "content-encoding": "binary" };
  return JSON.stringify({ ...four, "content-length": 0, op: "pub", topic, id, ...further });
}

for (const [shape, make] of Object.entries(SHAPES)) {
  Deno.test(`${shape}: what is too complex for a delivery is refused, and no receiver is lost`, async () => {
    await using broker = await startBroker();
    const states: string[] = [];
    await using member = await connectBroker(broker.address, {
      onState: ({ state }) => states.push(state),
    });
    let received = 0;
    const onMessage = () => void received++;
    await member.subscribe("t", { group: "g", onMessage });
    using publisher = await RawPeer.to(broker);
    let taken = 0;
    for (let count = 930; count <= 990; count += 3) {
      await publisher.conn.write(rawFrame(header("t", make(count), count)));
      const answer = await publisher.header();
      assertEquals(answer["id"], count);
      if (answer["op"] === "ok") taken++;
      else assertEquals(answer["code"], "frame-too-large");
    }
    // A smaller one behind them comes after all that was taken.
    await publisher.pub("t");
    await until(() => received === taken + 1);
    // Those with less than 950 are taken, those with more are not.
    assertEquals([taken > 3, taken < 15], [true, true]);
    assertEquals(states, ["connected"]);
  });
}

storedTest(
  "the most complex headers that are stored are read and worked off",
  async ({ client }) => {
    const fields = Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`k${i}`, i]));
    await client.publishStored("orders.a", "x", { fields });
    for (const reading of [client.replay("orders"), client.consume("orders", "workers")]) {
      const { value } = await deadline(reading.next());
      assertEquals(value?.header["k899"], 899);
      await reading.return();
    }
  },
);
