import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import type { Broker, BrokerConnection } from "../../../lib/pubsub/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
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

Deno.test("clients that read nothing, and wills of others that were just lost, hold up no end", async () => {
  const broker = await startBroker();
  const peers = (count: number) =>
    Promise.all(Array.from({ length: count }, () => RawPeer.to(broker)));
  const [silent, lost] = [await peers(80), await peers(80)];
  await Promise.all(silent.map(async (peer) => {
    await peer.sub("t");
    await peer.sub("_sys.disconnected");
  }));
  const hello = op("hello", { id: 1, will: "t" }, new Uint8Array(20_000));
  await Promise.all(lost.map((peer) => peer.ask("hello", hello.header, hello.content)));
  const [publisher] = await peers(1);
  const small = encodeFrame(op("pub", { topic: "t" }, "small"));
  await publisher!.send(concat(Array<Uint8Array>(30_000).fill(small)));
  await publisher!.ask("ping", { id: 1 });
  for (const peer of lost) peer.close();
  await deadline(broker.drain(300), "the end, a moment after the time for draining", 5_000);
  assert(broker.forced >= silent.length, `${broker.forced} were closed by force`);
  for (const peer of [...silent, publisher!]) peer.close();
});
