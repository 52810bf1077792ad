/** What a subscriber is told of that it could not get. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import { closeQuietly } from "../../../lib/base/close_quietly.ts";
import { dial } from "../../../lib/net/mod.ts";
import {
  type Broker,
  type ByteDuplex,
  connectBroker,
  filterCovers,
  type MissedPublications,
} from "../../../lib/pubsub/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
import { startBroker } from "../support.ts";
import { FAST, restart } from "./support.ts";

Deno.test("after a reconnection each subscription is told of a gap of unknown size, once", async () => {
  const first = await startBroker();
  await using client = await connectBroker(first.address, { reconnect: FAST });
  const items: unknown[] = [];
  const onMissed = (missed: MissedPublications) => void items.push(missed);
  const subscription = await client.subscribe("a.>", {
    onMessage: (message) => void items.push(message.text()),
    onMissed,
  });
  await client.subscribe("b", { group: "g", onMissed });
  await client.publishConfirmed("a.x", "before");
  await first[Symbol.asyncDispose]();
  await until(() => client.state === "reconnecting");
  const late = client.subscribe("c", { onMissed });
  await using _second = await restart(first);
  await deadline(late);
  await client.publishConfirmed("a.x", "after");
  await until(() => items.length === 3);
  const unknown = { filter: "a.>", count: null, bytes: null, reason: "disconnected" };
  assertEquals(items, ["before", unknown, "after"]);
  assertEquals(subscription.missed, 0);
  // Before the broker: it would connect once more, to one that is about to close.
  await client.close();
});

/** A way to a broker whose connection can be cut. */
function cuttable(broker: Broker) {
  let socket: Deno.Conn | undefined;
  let isAway = false;
  return {
    target: async (signal: AbortSignal): Promise<ByteDuplex> => {
      if (isAway) throw new Error("away");
      return socket = await dial(broker.address, { signal });
    },
    cut() {
      isAway = true;
      closeQuietly(socket!);
    },
    back: () => isAway = false,
  };
}

Deno.test("whatever is lost with a connection to the same broker is counted, by each filter", async () => {
  const FILTERS = ["a.x", "a.*", "a.>", "b.>"];
  const step = fc.record({
    topic: fc.constantFrom("a.x", "a.y", "b.x", "c"),
    count: fc.integer({ min: 1, max: 400 }),
    size: fc.constantFrom(10, 3_000),
    then: fc.constantFrom("cut", "cut at once", "back", "wait", "go on"),
  });
  await using broker = await startBroker({
    maxContentBytes: 20_000,
    maxPendingBytes: 100_000,
    patienceMs: 0,
  });
  await using publisher = await connectBroker(broker.address);
  await publisher.publishConfirmed("a.x", new Uint8Array(5_000), { retain: true });
  let gaps = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
      const way = cuttable(broker);
      await using client = await connectBroker(way.target, {
        reconnect: { firstMs: 1, longestMs: 2 },
        maxContentBytes: 4_000,
      });
      // What came and what was missed, but for the retained value, which is too large.
      const told = FILTERS.map(() => 0);
      await Promise.all(FILTERS.map((filter, i) =>
        client.subscribe(filter, {
          onMessage: () => void told[i]!++,
          onMissed({ count, reason }) {
            assert(count !== null && count > 0, `${filter}: ${count} ${reason}`);
            if (reason === "disconnected") gaps++;
            if (reason !== "too-large") told[i]! += count;
          },
        })
      ));
      const sent = FILTERS.map(() => 0);
      for (const { topic, count, size, then } of steps) {
        for (let i = 0; i < count; i++) void publisher.publish(topic, new Uint8Array(size));
        FILTERS.forEach((filter, i) => sent[i]! += filterCovers(filter, topic) ? count : 0);
        if (then === "wait" || then === "cut") await publisher.flush();
        if (then.startsWith("cut") && client.state === "connected") way.cut();
        else if (then === "back") way.back();
      }
      way.back();
      await publisher.flush();
      await until(() => client.state === "connected");
      await client.flush();
      assertEquals(told, sent);
    }),
    { numRuns: 12 },
  );
  assert(gaps > 0);
});

Deno.test("what is too large for the client is missed, retained or not: the connection goes on", async () => {
  await using broker = await startBroker();
  await using publisher = await connectBroker(broker.address);
  await publisher.publish("kept.large", new Uint8Array(5_000), { retain: true });
  await publisher.publishConfirmed("kept.small", "kept", { retain: true });
  const states: string[] = [];
  await using client = await connectBroker(broker.address, {
    maxContentBytes: 1_000,
    onState: ({ state }) => states.push(state),
  });
  const items: unknown[] = [];
  const subscription = await client.subscribe("kept.*", {
    onMessage: (message) => void items.push(message.text()),
    onMissed: ({ count, reason }) => void items.push([count, reason]),
  });
  await publisher.publishConfirmed("kept.x", new Uint8Array(5_000));
  await publisher.publishConfirmed("kept.x", "live");
  await until(() => items.length === 4);
  assertEquals(items, [[1, "too-large"], "kept", [1, "too-large"], "live"]);
  assertEquals([subscription.missed, states], [2, ["connected"]]);
});

Deno.test("a broker that sends what is too large all the same does not end the connection", async () => {
  await using broker = await startBroker();
  const { read, end, target } = await injecting(broker.address);
  const states: string[] = [];
  await using client = await connectBroker(target, {
    maxContentBytes: 1_000,
    onState: ({ state }) => states.push(state),
  });
  const items: unknown[] = [];
  await client.subscribe("t", {
    onMessage: (message) => void items.push(message.text()),
    onMissed: ({ count, bytes, reason }) => void items.push([count, bytes, reason]),
  });
  read(encodeFrame({ header: { op: "pub", topic: "t" }, content: new Uint8Array(300_000) }));
  read(encodeFrame({ header: { op: "pub", topic: "t" }, content: "small" }));
  await until(() => items.length === 2);
  assertEquals(items, [[1, 300_000, "too-large"], "small"]);
  assertEquals(await client.publishConfirmed("nobody"), 0);
  assertEquals(states, ["connected"]);
  end();
});

/** A connection in which bytes are read that the broker did not send. */
async function injecting(address: { transport: string }) {
  const conn = await Deno.connect(address as Deno.ConnectOptions);
  const injected: Uint8Array[] = [];
  let wake = Promise.withResolvers<void>();
  let reading: Promise<void> | undefined;
  let arrived: Uint8Array | null = new Uint8Array(0);
  const target: ByteDuplex = {
    async read(into) {
      while (true) {
        const bytes = injected.shift() ?? (arrived?.length ? arrived : undefined);
        if (bytes !== undefined) {
          if (bytes === arrived) arrived = new Uint8Array(0);
          const part = bytes.subarray(0, into.length);
          into.set(part);
          if (part.length < bytes.length) injected.unshift(bytes.subarray(part.length));
          return part.length;
        }
        if (arrived === null) return null;
        reading ??= (async () => {
          const buffer = new Uint8Array(65_536);
          const count = await conn.read(buffer).catch(() => null);
          arrived = count === null ? null : buffer.subarray(0, count);
          reading = undefined;
        })();
        await Promise.race([reading, wake.promise]);
        wake = Promise.withResolvers();
      }
    },
    write: (bytes) => conn.write(bytes),
    close: () => conn.close(),
  };
  return {
    target,
    read(bytes: Uint8Array) {
      injected.push(bytes);
      wake.resolve();
    },
    end: () => wake.resolve(),
  };
}
