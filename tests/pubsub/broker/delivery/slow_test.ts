import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ChunkDecoder, encodeFrame } from "../../../../lib/frame/mod.ts";
import { connectBroker, type SlowPolicy } from "../../../../lib/pubsub/mod.ts";
import { pause, until } from "../../../support/deadline.ts";
import { op, RawPeer, startBroker } from "../../support.ts";
import { soakSize } from "../../../support/soak_size.ts";

const LIMITS = { maxContentBytes: 20_000, maxPendingBytes: 100_000, patienceMs: 20 };

/** What a subscriber saw: numbers of publications, and how many are missing before each. */
interface Seen {
  readonly numbers: number[];
  missed: number;
}

/**
 * Reads until as many publications as `total` are there, or are said to be missing.
 *
 * @param stall Is called before each read, which waits for it.
 */
async function readAll(
  peer: RawPeer,
  total: number,
  stall: (framesRead: number) => Promise<void> | undefined = () => undefined,
): Promise<Seen> {
  const seen: Seen = { numbers: [], missed: 0 };
  for (let frames = 0; seen.numbers.length + seen.missed < total; frames++) {
    await stall(frames);
    const { header } = await peer.frame();
    if (header["op"] === "missed") seen.missed += header["count"] as number;
    else if (header["op"] === "pub") seen.numbers.push(header["n"] as number);
  }
  return seen;
}

/** Publishes `count` numbered publications of some bytes each. */
async function publish(
  peer: RawPeer,
  count: number,
  bytes: number,
  topics = 1,
  onProgress: (published: number) => void = () => {},
): Promise<void> {
  const content = new Uint8Array(bytes);
  for (let n = 0; n < count;) {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < 20 && n < count; i++, n++) {
      parts.push(encodeFrame(op("pub", { topic: `t.${n % topics}`, n }, content)));
    }
    await peer.send(...parts);
    onProgress(n);
  }
}

for (const slow of ["drop-oldest", "drop-new", "latest"] as const) {
  Deno.test(`a subscriber that stops reading learns what it missed: ${slow}`, async () => {
    const count = 2_000;
    await using broker = await startBroker(LIMITS);
    using stopped = await RawPeer.to(broker);
    using publisher = await RawPeer.to(broker);
    await stopped.sub("t.>", { slow });
    await publish(publisher, count, 10_000, 3);
    await publisher.ask("ping", { id: 1 });
    assert(broker.stats().pendingBytes < 2_000_000, "what waits has a bound");
    const { numbers, missed } = await readAll(stopped, count);
    assert(missed > 0);
    assertEquals(numbers.length + missed, count);
    assertEquals(broker.stats().missed, missed);
    assert(numbers.every((n, i) => i === 0 || n > numbers[i - 1]!), "in order");
    if (slow !== "drop-new") assertEquals(numbers.at(-1), count - 1);
  });
}

Deno.test("missed stands exactly where publications were left out", async () => {
  const count = 1_500;
  await using broker = await startBroker(LIMITS);
  using stopped = await RawPeer.to(broker);
  using publisher = await RawPeer.to(broker);
  await stopped.sub("t.>");
  await publish(publisher, count, 10_000);
  await publisher.ask("ping", { id: 1 });
  let next = 0;
  while (next < count) {
    const { header } = await stopped.frame();
    if (header["op"] === "missed") {
      assertEquals(header["topic"], "t.>");
      next += header["count"] as number;
    } else assertEquals(header["n"], next++);
  }
});

Deno.test("with the policy disconnect the connection ends with bye", async () => {
  await using broker = await startBroker(LIMITS);
  using stopped = await RawPeer.to(broker);
  using publisher = await RawPeer.to(broker);
  await stopped.sub("t.>", { slow: "disconnect" });
  await publish(publisher, 2_000, 10_000);
  await publisher.ask("ping", { id: 1 });
  let last: Record<string, unknown> = {};
  let next = 0;
  for (let frame = await stopped.answer(); frame; frame = await stopped.answer()) {
    last = frame.header;
    if (last["op"] === "pub") assertEquals(last["n"], next++);
  }
  assertEquals([last["op"], last["reason"]], ["bye", "slow-consumer"]);
});

Deno.test("with the policy block, where permitted, publishers wait and nothing is missed", async () => {
  const count = 2_000;
  await using broker = await startBroker({ ...LIMITS, allowBlock: true });
  using reader = await RawPeer.to(broker);
  using publisher = await RawPeer.to(broker);
  await reader.sub("t.>", { slow: "block" });
  let published = false;
  const publishing = publish(publisher, count, 10_000).then(() => published = true);
  await pause(200);
  assert(!published, "the publisher waits");
  const { numbers, missed } = await readAll(reader, count);
  assertEquals([numbers.length, missed], [count, 0]);
  await publishing;
});

Deno.test("sent = received + missed, under every policy, with random stalls", async () => {
  // A reader stops after so many frames until so many percent are published.
  const stall = fc.record({
    afterFrames: fc.integer({ min: 0, max: 300 }),
    untilPercent: fc.integer({ min: 1, max: 100 }),
  });
  const reader = fc.record({
    slow: fc.constantFrom<SlowPolicy>("drop-oldest", "drop-new", "latest"),
    stalls: fc.array(stall, { minLength: 1, maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(reader, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1_000, max: 15_000 }),
      fc.integer({ min: 1, max: 5 }),
      async (readers, bytes, topics) => {
        // More than the system's buffers hold for a reader that stops.
        const count = Math.ceil(8_000_000 / bytes);
        await using broker = await startBroker(LIMITS);
        using publisher = await RawPeer.to(broker);
        const peers = await Promise.all(readers.map(async ({ slow }) => {
          const peer = await RawPeer.to(broker);
          await peer.sub("t.>", { slow });
          return peer;
        }));
        let published = 0;
        const publishing = publish(publisher, count, bytes, topics, (n) => published = n);
        await Promise.all(peers.map(async (peer, i) => {
          const { stalls } = readers[i]!;
          const { numbers, missed } = await readAll(peer, count, (framesRead) => {
            const percents = stalls.filter(({ afterFrames }) => afterFrames === framesRead)
              .map(({ untilPercent }) => untilPercent);
            if (percents.length === 0) return undefined;
            const awaited = count * Math.max(...percents) / 100;
            return until(() => published >= awaited, "publications go on");
          });
          assertEquals(numbers.length + missed, count);
          assert(numbers.every((n, i) => i === 0 || n > numbers[i - 1]!), "in order");
          assertEquals((await peer.ask("ping", { id: 5 }))["op"], "pong");
          peer.close();
        }));
        await publishing;
      },
    ),
    { numRuns: 6 },
  );
});

Deno.test("one subscriber that stops reading does not keep the others from theirs", async () => {
  const count = 3_000;
  await using broker = await startBroker(LIMITS);
  using stopped = await RawPeer.to(broker);
  await stopped.sub("t.>");
  await using reader = await connectBroker(broker.address);
  let seen = 0;
  let missed = 0;
  await reader.subscribe("t.>", {
    onMessage: () => void seen++,
    onMissed: ({ count }) => void (missed += count ?? NaN),
  });
  using publisher = await RawPeer.to(broker);
  await publish(publisher, count, 10_000);
  await until(() => seen + missed === count, "the other got all");
  const [slow] = broker.connections().filter(({ missed }) => missed > 0);
  assert(slow !== undefined && slow.missed > seen / 10);
});

Deno.test("a client that asks and never reads is read from no more", async () => {
  await using broker = await startBroker(LIMITS);
  using asker = await RawPeer.to(broker);
  const ping = encodeFrame(op("ping", { id: 1 }));
  const many = new Uint8Array(ping.length * 1_000);
  for (let i = 0; i < 1_000; i++) many.set(ping, i * ping.length);
  let stuck = false;
  const sending = (async () => {
    for (let i = 0; i < 400 && !stuck; i++) await asker.conn.write(many);
  })().catch(() => {});
  await pause(300);
  assert(broker.stats().pendingBytes < 2_000_000);
  stuck = true;
  asker.close();
  await sending;
});

// The last has the largest content there may be, and the backlog that this needs at least.
for (
  const [publishers, bytes, count] of [
    [1, 16, soakSize(30_000, 60_000)],
    [1, 1_024, 20_000],
    [1, 20_000, 1_500],
    [40, 16, soakSize(40_000, 100_000)],
    [40, 20_000, 2_000],
  ] as const
) {
  const who = `${publishers} publishers at ${bytes} B`;
  Deno.test(`nothing is lost by a receiver that is slower than ${who}`, async () => {
    await using broker = await startBroker({ ...LIMITS, maxPendingBytes: 20_000 + 66_560 });
    using slow = await RawPeer.to(broker);
    await slow.sub("t.>");
    const peers = await Promise.all(Array.from({ length: publishers }, () => RawPeer.to(broker)));
    const publishing = peers.map((peer) => publish(peer, count / publishers, bytes));
    // So much waits that publishers have to, or they are done.
    await until(() => broker.stats().pendingBytes > 250_000 || broker.stats().published === count);
    const decoder = new ChunkDecoder();
    const memory = new Uint8Array(1_048_576);
    for (let received = 0; received < count;) {
      const { frames } = decoder.push(memory.slice(0, (await slow.conn.read(memory))!));
      for (const { header } of frames) {
        assertEquals([header["op"], header["count"]], ["pub", undefined], `after ${received}`);
        received++;
      }
      await pause(1);
    }
    await Promise.all(publishing);
    for (const peer of peers) peer.close();
    assertEquals(broker.stats().missed, 0);
  });
}

Deno.test("a subscription with another policy beside it does not let a publisher lose", async () => {
  const count = 1_000;
  await using broker = await startBroker(LIMITS);
  using slow = await RawPeer.to(broker);
  await slow.sub("t.0");
  await slow.sub("t.1", { slow: "latest" });
  using publisher = await RawPeer.to(broker);
  const publishing = publish(publisher, count, 20_000);
  const reading = readAll(slow, count, (frames) => frames % 100 === 0 ? pause(2) : undefined);
  const [{ missed }] = await Promise.all([reading, publishing]);
  assertEquals(missed, 0);
});

Deno.test("a publisher that waits for its receivers is not taken for dead", async () => {
  await using broker = await startBroker({ ...LIMITS, allowBlock: true, pingIntervalMs: 50 });
  using stuck = await RawPeer.to(broker);
  await stuck.sub("t.>", { slow: "block" });
  using publisher = await RawPeer.to(broker);
  const count = 1_000;
  const publishing = publish(publisher, count, 20_000);
  // While it waits it is not read from, so its answers to pings cannot be seen.
  const alive = setInterval(() => void stuck.send(op("pong")), 20);
  await pause(600);
  clearInterval(alive);
  assertEquals((await readAll(stuck, count)).numbers.length, count);
  await publishing;
});

Deno.test("a receiver that takes a byte now and then does not hold its publisher", async () => {
  await using broker = await startBroker(LIMITS);
  using trickle = await RawPeer.to(broker);
  await trickle.sub("t.>");
  using publisher = await RawPeer.to(broker);
  let over = false;
  const trickling = (async () => {
    while (!over) {
      await trickle.conn.read(new Uint8Array(1));
      await pause(10);
    }
  })();
  const startedAt = performance.now();
  await publish(publisher, 3_000, 10_000);
  assertEquals((await publisher.ask("ping", { id: 1 }))["op"], "pong");
  const ms = performance.now() - startedAt;
  over = true;
  await trickling;
  assert(ms < 10_000, `30 MB took ${ms} ms`);
  assert(broker.stats().missed > 0);
});

Deno.test("each of several filters that match is told what was left out", async () => {
  await using broker = await startBroker(LIMITS);
  using stopped = await RawPeer.to(broker);
  const filters = ["t.0", "t.*", "t.>", ">"];
  for (const filter of filters) await stopped.sub(filter);
  await stopped.sub("u.>");
  using publisher = await RawPeer.to(broker);
  const count = 2_000;
  await publish(publisher, count, 10_000);
  await publisher.ask("ping", { id: 1 });
  const missed = new Map<unknown, number>();
  let received = 0;
  while (received + (missed.get(">") ?? 0) < count || missed.size < filters.length) {
    const { op, topic, count: left } = await stopped.header();
    if (op === "pub") received++;
    else missed.set(topic, (missed.get(topic) ?? 0) + (left as number));
  }
  const each = count - received;
  assert(each > 0);
  for (const filter of filters) assertEquals(missed.get(filter), each, filter);
  assertEquals(broker.stats().missed, each, "the broker counts a publication once");
});

Deno.test("what a connection does not get at its end is counted, and told", async () => {
  await using broker = await startBroker(LIMITS);
  using stopped = await RawPeer.to(broker);
  await stopped.sub("t.>", { slow: "disconnect" });
  using publisher = await RawPeer.to(broker);
  const count = 2_000;
  const publishing = publish(publisher, count, 10_000);
  // It has two seconds from then on to take what it is told, also where publishing takes longer.
  await until(() => broker.stats().subscriptions === 0, "it is ended");
  let received = 0;
  let bye: Record<string, unknown> | undefined;
  for (let frame = await stopped.answer(); frame; frame = await stopped.answer()) {
    if (frame.header["op"] === "pub") received++;
    else bye = frame.header;
  }
  assertEquals(bye?.["reason"], "slow-consumer");
  await until(() => broker.stats().connections === 1, "it is gone");
  await publishing;
  await publisher.ask("ping", { id: 1 });
  assertEquals(broker.stats().published, count);
  const { delivered, missed } = broker.stats();
  assertEquals(delivered, received);
  assert((bye!["missed"] as number) > 0);
  assertEquals(bye!["missed"], missed);
});

Deno.test("a subscriber that takes deliveries is alive, though it answers no ping", async () => {
  await using broker = await startBroker({ pingIntervalMs: 60 });
  using quiet = await RawPeer.to(broker);
  await quiet.sub("t");
  using dead = await RawPeer.to(broker);
  await dead.sub("other");
  await using publisher = await connectBroker(broker.address);
  await until(async () => {
    await publisher.publishConfirmed("t");
    await quiet.header();
    return broker.stats().connections === 2;
  }, "the one that takes nothing is gone");
  for (let i = 0; i < 20; i++) {
    await pause(20);
    await publisher.publishConfirmed("t");
  }
  assertEquals(broker.stats().connections, 2);
});
