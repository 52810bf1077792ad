import { assert, assertEquals } from "@std/assert";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import type { Broker, BrokerConnection } from "../../../lib/pubsub/mod.ts";
import { until } from "../../support/deadline.ts";
import { op, RawPeer, startBroker } from "../support.ts";

const LIMITS = { maxContentBytes: 20_000, maxPendingBytes: 400_000, patienceMs: 20 };

/** Publishes so many, of which a part waits for a subscriber that does not read. */
async function publish(broker: Broker, count: number): Promise<void> {
  using peer = await RawPeer.to(broker);
  const frame = encodeFrame(op("pub", { topic: "t" }, new Uint8Array(10_000)));
  for (let i = 0; i < count; i += 20) await peer.send(...Array<Uint8Array>(20).fill(frame));
  await peer.ask("bye");
}

/** What comes until the broker closes: publications, what was said to be missed, and the bye. */
async function readAll(peer: RawPeer) {
  let received = 0;
  let missed = 0;
  for (const { header } of await peer.answers()) {
    if (header["op"] === "pub") received++;
    else if (header["op"] === "missed") missed += header["count"] as number;
    else {
      assertEquals(header["reason"], "shutdown");
      return { received, missed, byeMissed: header["missed"] as number | undefined ?? 0 };
    }
  }
  return { received, missed, byeMissed: undefined };
}

Deno.test("a subscriber that awakes before the end is told by bye what it did not get", async () => {
  const count = 1_000;
  const broker = await startBroker(LIMITS);
  using stuck = await RawPeer.to(broker);
  await stuck.sub("t");
  await publish(broker, count);
  const before = broker.stats().missed;
  const drained = broker.drain(2_000);
  // When three quarters of the time have passed, what waits is given up.
  await until(() => broker.stats().missed > before, "it is given up");
  const { received, missed, byeMissed } = await readAll(stuck);
  assert(byeMissed !== undefined && byeMissed > 0, `${received} ${missed} ${byeMissed}`);
  assertEquals(received + missed + byeMissed, count);
  stuck.close();
  await drained;
  assertEquals(broker.stats().missed, missed + byeMissed);
  assertEquals(broker.stats().delivered, received);
});

for (const stuckFor of ["all that waits", "a little"]) {
  Deno.test(`the broker counts what a subscriber did not take that is stuck: ${stuckFor}`, async () => {
    const count = stuckFor === "a little" ? 320 : 1_000;
    const ended: BrokerConnection[] = [];
    const observer = { disconnected: (one: BrokerConnection) => void ended.push(one) };
    const broker = await startBroker({ ...LIMITS, observer });
    using stuck = await RawPeer.to(broker);
    await stuck.sub("t");
    await publish(broker, count);
    await broker.drain(200);
    assertEquals(broker.forced, 1);
    // What its kernel had is there still.
    const { received } = await readAll(stuck);
    const { delivered, missed } = broker.stats();
    assertEquals(delivered + missed, count);
    assertEquals(delivered, received);
    const figures = ended.find((one) => one.delivered > 0)!;
    assertEquals([figures.delivered, figures.missed], [delivered, missed]);
  });
}
