import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type Broker,
  type BrokerOptions,
  newStreamSettings,
  openStreamStore,
  serveBroker,
} from "../../../../lib/pubsub/mod.ts";
import { aborted } from "../../../../lib/base/aborted.ts";
import { deadline } from "../../../support/deadline.ts";
import { listenLocally } from "../../../support/peers.ts";
import { Scratch } from "../../../support/scratch.ts";
import { sharedStore } from "../../kept_store.ts";
import { op, RawPeer } from "../../support.ts";
import { CONSUMERS } from "./consumer_contract.ts";
import { CONTRACT } from "./contract.ts";
import { RIGHTS } from "./rights_contract.ts";
import { storeWith } from "./support.ts";

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

const contract = sharedStore("in a folder:");

for (const { name, run } of [...CONTRACT, ...CONSUMERS, RIGHTS]) {
  contract.test(name, async (kept) => {
    let brokers = 0;
    await run({
      async withBroker(use, options = {}) {
        // Another one finds what is on the disk.
        if (brokers++ > 0) await kept.reopen();
        const { streams } = kept;
        await using broker = serveBroker(await listenLocally(), { ...options, streams });
        await use(broker);
      },
    });
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

Deno.test("streams and consumers are all listed, whatever they have of filters and backoffs", async () => {
  using scratch = new Scratch();
  await using store = await openStreamStore(scratch.path);
  await using broker = serveBroker(await listenLocally(), { streams: store });
  const names = Array.from({ length: 45 }, (_, i) => `s${10 + i}`);
  await Promise.all(names.map(async (name, i) => {
    // Some are long, and all of them many.
    const filters = Array.from({ length: 16 }, (_, f) => `${name}.${f}${"ä".repeat(i % 3 * 55)}`);
    await store.create(name, newStreamSettings(filters));
  }));
  for (const consumer of names) {
    const settings = { backoffMs: Array.from({ length: 16 }, (_, ms) => ms) };
    const about = { stream: names[0]!, consumer, owner: 1, sid: 1, settings, runs: true };
    await store.join({ ...about, start: { from: "new" }, prefetch: undefined });
  }
  using peer = await RawPeer.to(broker);
  const requests = [
    ["stream", "streams", "name", { do: "list" }],
    ["consumer", "consumers", "consumer", { do: "list", stream: names[0]! }],
  ] as const;
  for (const [name, list, key, request] of requests) {
    const found: string[] = [];
    for (let more = true; more;) {
      const answer = await peer.ask(name, { ...request, after: found.at(-1) ?? "", id: 1 });
      const page = answer[list] as readonly Record<string, string>[];
      found.push(...page.map((each) => each[key]!));
      more = answer["more"] === true;
      assert(page.length > 0 && page.length <= 40);
    }
    assertEquals(found, names);
  }
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

Deno.test("who sends no more still learns what became of all that it asked for", async () => {
  using scratch = new Scratch();
  await withBroker(scratch.path, async (broker) => {
    using peer = await RawPeer.to(broker);
    await peer.ask("stream", { do: "create", name: "orders", topics: ["orders.>"], id: 1 });
    for (let i = 0; i < 2; i++) await peer.ask("pub", { topic: "orders.a", stored: true, id: 1 });
    const on = { stream: "orders", consumer: "c" };
    await peer.ask("consume", { ...on, sid: 1, id: 1 });
    const deliveries = [await peer.header(), await peer.header()].map((each) => each["delivery"]);
    await peer.send(
      op("ack", { ...on, deliveries: deliveries.slice(0, 1), id: 7 }),
      op("nack", { ...on, deliveries: deliveries.slice(1), "delay-ms": 60_000, id: 8 }),
      op("stream", { do: "purge", name: "orders", id: 9 }),
    );
    await peer.closeWrite();
    const answered: unknown[] = [];
    for (let frame = await peer.answer(); frame; frame = await peer.answer()) {
      const { op, id } = frame.header;
      if (id !== undefined) answered.push(`${op} ${id}`);
    }
    assertEquals(answered.sort(), ["ok 7", "ok 8", "ok 9"]);
  });
});

/** What ends the making of a copy. */
const ENDS: Readonly<Record<string, (peer: RawPeer, broker: Broker) => unknown>> = {
  "unsubscribes": (peer) => peer.send(op("unsub", { sid: 1, id: 2 })),
  "says goodbye": (peer) => peer.send(op("bye")),
  "sends no more": (peer) => peer.closeWrite(),
  "has gone": (peer) => peer[Symbol.dispose](),
  "is shut out": (_, broker) => broker[Symbol.asyncDispose](),
};

for (const [what, end] of Object.entries(ENDS)) {
  contract.test(`no copy is made for a client that ${what}`, async ({ streams }) => {
    const making = Promise.withResolvers<AbortSignal>();
    const neverMade = storeWith(streams, "copy", async (signal) => {
      making.resolve(signal!);
      await aborted(signal!);
      throw signal!.reason;
    });
    await using broker = serveBroker(await listenLocally(), { streams: neverMade });
    using peer = await RawPeer.to(broker);
    await peer.send(op("stream", { do: "backup", sid: 1, id: 1 }));
    const signal = await deadline(making.promise, "the copy to be begun");
    const ended = aborted(signal);
    await Promise.all([end(peer, broker), deadline(ended, "the copy to be ended")]);
  });
}
