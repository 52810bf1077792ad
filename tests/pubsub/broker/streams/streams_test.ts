import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type Broker,
  type BrokerOptions,
  openStreamStore,
  serveBroker,
} from "../../../../lib/pubsub/mod.ts";
import { listenLocally } from "../../../support/peers.ts";
import { Scratch } from "../../../support/scratch.ts";
import { op, RawPeer } from "../../support.ts";
import { CONSUMERS } from "./consumer_contract.ts";
import { CONTRACT } from "./contract.ts";
import { RIGHTS } from "./rights_contract.ts";

/** Serves a broker with a store for as long as `use` takes. */
async function withBroker(
  folder: string,
  use: (broker: Broker) => Promise<void>,
  options: BrokerOptions = {},
): Promise<void> {
  await using streams = await openStreamStore(folder);
  await using broker = serveBroker(await listenLocally(), { ...options, streams });
  await use(broker);
}

for (const { name, run } of [...CONTRACT, ...CONSUMERS, RIGHTS]) {
  Deno.test(`in a folder: ${name}`, async () => {
    using scratch = new Scratch();
    await run({ withBroker: (...use) => withBroker(scratch.path, ...use) });
  });
}

Deno.test("what is retained is there after a restart", async () => {
  using scratch = new Scratch();
  await withBroker(scratch.path, async (broker) => {
    using peer = await RawPeer.to(broker);
    await peer.send(op("pub", { topic: "status", retain: true, id: 5 }, "up"));
    assertEquals((await peer.header())["op"], "ok");
  });
  await withBroker(scratch.path, async (broker) => {
    using peer = await RawPeer.to(broker);
    assertEquals(await peer.sub("status"), 1);
    assertEquals((await peer.frame()).text(), "up");
  });
});

Deno.test("a second broker on a folder is refused", async () => {
  using scratch = new Scratch();
  await withBroker(scratch.path, async () => {
    const error = await openStreamStore(scratch.path).then(() => undefined, (e) => e);
    assert(error instanceof Error);
    assertStringIncludes(error.message, "another program has it");
  });
});

Deno.test("a broker without a store says so", async () => {
  await using broker = serveBroker(await listenLocally());
  using peer = await RawPeer.to(broker);
  for (const name of ["stream", "consume", "ack", "consumer"]) {
    assertEquals((await peer.ask(name, { id: 1 }))["code"], "no-stream");
  }
  assertEquals((await peer.ask("pub", { topic: "a", stored: true, id: 1 }))["code"], "no-stream");
});
