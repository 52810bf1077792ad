/** A client stores publications and replays streams. */
import { assertEquals, assertRejects } from "@std/assert";
import {
  connectBroker,
  type ConsumedMessage,
  openStreamStore,
  PubSubError,
  serveBroker,
  type StreamMessage,
} from "../../../lib/pubsub/mod.ts";
import { deadline } from "../../support/deadline.ts";
import { listenLocally } from "../../support/peers.ts";
import { Scratch } from "../../support/scratch.ts";
import { storedTests } from "./kept_orders.ts";

const storedTest = storedTests("publications that are stored");

/** The texts of so many messages. */
async function take(messages: AsyncIterableIterator<StreamMessage>, count: number) {
  const texts: string[] = [];
  while (texts.length < count) {
    const { value } = await deadline(messages.next(), "a message");
    texts.push(value.text());
  }
  return texts;
}

storedTest("publishStored() tells where a publication is", async ({ client }) => {
  const first = await client.publishStored("orders.a", "1", { messageId: "m" });
  assertEquals(first, { stream: "orders", seq: 1, duplicate: false });
  const again = await client.publishStored("orders.a", "1", { messageId: "m" });
  assertEquals(again, { stream: "orders", seq: 1, duplicate: true });
  await client.publishStored("orders.a", "2", { expectSeq: 1 });
  const cases: [() => Promise<unknown>, string][] = [
    [() => client.publishStored("orders.a", "3", { expectSeq: 1 }), "wrong-seq"],
    [() => client.publishStored("other", "x"), "no-stream"],
    [() => client.publishStored("orders.*", "x"), "bad-topic"],
    [() => client.streams.info("nothing"), "no-stream"],
    [() => client.streams.create("orders", { topics: ["x"] }), "stream-exists"],
  ];
  for (const [call, code] of cases) {
    assertEquals((await assertRejects(call, PubSubError)).code, code);
  }
});

storedTest(
  "whatever is among its fields, a publication is stored as it was given",
  async ({ client }) => {
    const ids = ["plain", '"', "\\", "é", "\u2028", " ~", "a\tb", "x".repeat(128)];
    const variants: [content: string | Uint8Array, fields: Record<string, unknown> | undefined][] =
      [
        ["text", undefined],
        [Uint8Array.of(1), undefined],
        ["", undefined],
        ["é", { note: '"quoted"', stored: false, "msg-id": "not this", topic: "nor this" }],
      ];
    const expected: [string, string][] = [];
    for (const id of ids) {
      for (const [i, [content, fields]] of variants.entries()) {
        const messageId = id.length < 128 ? `${id}${i}` : `${i}${id.slice(1)}`;
        const options = { messageId, fields, replyTo: "answers", expectSeq: expected.length };
        const { seq, duplicate } = await client.publishStored("orders.a", content, options);
        expected.push([messageId, String(content)]);
        assertEquals([seq, duplicate], [expected.length, false]);
        assertEquals((await client.publishStored("orders.a", content, { messageId })).seq, seq);
      }
    }
    let at = 0;
    for await (const message of client.replay("orders", { live: false })) {
      const { header, topic } = message;
      const [id, content] = expected[at++]!;
      assertEquals([header["msg-id"], header["stored"], header["reply-to"], topic], [
        id,
        true,
        "answers",
        "orders.a",
      ]);
      const isBytes = header["content-type"] === "application/octet-stream";
      assertEquals(isBytes ? String(message.content) : message.text(), content);
    }
    assertEquals(at, expected.length);
  },
);

storedTest("streams are made, changed, listed and deleted", async ({ client }) => {
  const { streams } = client;
  const made = await streams.create("logs", {
    topics: ["logs.>"],
    maxCount: 10,
    keep: "until-acked",
  });
  assertEquals([made.maxCount, made.maxAgeMs, made.keep, made.lastSeq], [
    10,
    Infinity,
    "until-acked",
    0,
  ]);
  assertEquals(
    (await streams.update("logs", { maxCount: Infinity, maxAgeMs: 5_000 })).maxCount,
    Infinity,
  );
  assertEquals((await streams.list()).map(({ name }) => name), ["logs", "orders"]);
  for (let i = 0; i < 45; i++) await streams.create(`s${i}`, { topics: [`s${i}`] });
  assertEquals((await streams.list()).length, 47, "more than one page");
  await streams.delete("logs");
  await assertRejects(() => streams.info("logs"), PubSubError);
  for (let i = 0; i < 5; i++) await client.publishStored("orders.a", `${i}`);
  assertEquals((await streams.purge("orders", { beforeSeq: 4 })).count, 2);
  assertEquals((await streams.purge("orders", { filter: "orders.a" })).count, 0);
});

storedTest(
  "replay() goes from what is kept to what comes, over a restart",
  async ({ client, restart }) => {
    for (let i = 1; i <= 3; i++) await client.publishStored("orders.a", `${i}`);
    const caughtUp = Promise.withResolvers<number>();
    const replay = client.replay("orders", { onCaughtUp: caughtUp.resolve });
    assertEquals(await take(replay, 3), ["1", "2", "3"]);
    assertEquals(await caughtUp.promise, 3);
    await client.publishStored("orders.a", "4");
    assertEquals(await take(replay, 1), ["4"]);
    await restart();
    await client.publishStored("orders.a", "5");
    assertEquals(await take(replay, 1), ["5"]);
    await replay.return();
    assertEquals((await replay.next()).done, true);
  },
);

storedTest("replay() begins where it is told, and ends", async ({ client }) => {
  for (let i = 1; i <= 4; i++) await client.publishStored(`orders.${i % 2}`, `${i}`);
  const cases = [
    [{ from: "last" }, ["3", "4"]],
    [{ from: 3 }, ["3", "4"]],
    [{ from: new Date(0) }, ["1", "2", "3", "4"]],
    [{ from: "new" }, []],
    [{ filter: "orders.0" }, ["2", "4"]],
  ] as const;
  for (const [options, expected] of cases) {
    const texts: string[] = [];
    for await (const message of client.replay("orders", { ...options, live: false })) {
      texts.push(message.text());
    }
    assertEquals(texts, [...expected], JSON.stringify(options));
  }
  const replay = client.replay("nothing");
  assertEquals((await assertRejects(() => replay.next(), PubSubError)).code, "no-stream");
});

storedTest(
  "a program that is slower than a replay gets all of it, in order",
  async ({ client }) => {
    const content = new Uint8Array(100_000);
    const count = 100;
    for (let i = 0; i < count; i++) {
      new DataView(content.buffer).setUint32(0, i);
      await client.publishStored("orders.a", content);
    }
    let expected = 0;
    for await (const message of client.replay("orders", { live: false })) {
      assertEquals(new DataView(message.content.slice().buffer).getUint32(0), expected++);
      if (expected % 20 === 0) await client.flush();
    }
    assertEquals(expected, count);
  },
);

storedTest("messages come whole, one by one or many in one frame", async ({ client, address }) => {
  const fields = (i: number) => ({ number: i, name: `n ${i}` });
  const contents = Array.from({ length: 300 }, (_, i) => `${i} `.repeat(i % 40));
  await Promise.all(
    contents.map((content, i) =>
      client.publishStored(`orders.${i % 3}`, content, { contentType: "text/x", fields: fields(i) })
    ),
  );
  // A client that takes little gets no large frames.
  await using small = await connectBroker(address, { maxContentBytes: 1_000 });
  const seen: [string, unknown][] = [];
  for (const reader of [client, small]) {
    let inRuns = 0;
    let seq = 0;
    const headers: unknown[] = [];
    for await (const message of reader.replay("orders", { live: false })) {
      const i = message.header["number"] as number;
      assertEquals([message.text(), message.topic], [contents[i], `orders.${i % 3}`]);
      assertEquals([message.seq, message.stream, message.header["seq"]], [++seq, "orders", seq]);
      headers.push(message.header);
      // The frame of a run is as it was published.
      if (!new TextDecoder().decode(message.bytes).includes('"sid"')) inRuns++;
      const { header, content } = message.detach();
      assertEquals(new TextDecoder().decode(content), contents[i]);
      assertEquals([message.text(), message.header], [contents[i], header]);
    }
    assertEquals(seq, contents.length);
    assertEquals(inRuns > 0, reader === client, `${inRuns} in runs`);
    seen.push(["replay", headers]);
    for (const concurrency of [undefined, 3]) {
      const numbers = new Set<number>();
      const name = `c${seen.length}-${concurrency}`;
      const done = Promise.withResolvers<void>();
      const take = (message: ConsumedMessage) => {
        assertEquals([message.text(), message.attempt], [
          contents[message.header["number"] as number],
          1,
        ]);
        assertEquals([message.consumer, message.header["delivery"]], [name, message.delivery]);
        if (numbers.add(message.seq).size === contents.length) done.resolve();
      };
      if (concurrency === undefined) {
        for await (const message of reader.consume("orders", name, { prefetch: 100 })) {
          take(message);
          void message.ack();
          if (numbers.size === contents.length) break;
        }
      } else {
        const consuming = reader.consume("orders", name, { concurrency, onMessage: take });
        await deadline(done.promise);
        await consuming.stop();
      }
      const { pending, unacked, redelivered } = await client.streams.consumer("orders", name);
      assertEquals([pending, unacked, redelivered], [0, 0, 0], name);
    }
  }
  const [[, one], [, other]] = seen as [[string, unknown], [string, unknown]];
  assertEquals(one, other, "their headers are the same");
  // Reading begins in the middle of a frame, and ends there.
  for (const from of [1, 2, 151, 300]) {
    const replay = client.replay("orders", { from });
    assertEquals((await deadline(replay.next())).value!.seq, from);
    await replay.return();
  }
});

Deno.test("a client that takes as little as its broker gets no large frames either", async () => {
  using scratch = new Scratch();
  await using streams = await openStreamStore(scratch.at("store"));
  const maxContentBytes = 1_000;
  await using broker = serveBroker(await listenLocally(), { streams, maxContentBytes });
  await using client = await connectBroker(broker.address, { maxContentBytes });
  await client.streams.create("orders", { topics: ["orders.>"] });
  const texts = Array.from({ length: 50 }, (_, i) => `${i}`.repeat(100));
  await Promise.all(texts.map((text) => client.publishStored("orders.a", text)));
  const came = await take(client.replay("orders"), texts.length);
  assertEquals(came.sort(), texts.sort());
});

storedTest(
  "what is published while the broker restarts is stored once",
  async ({ client, restart }) => {
    let stored = 0;
    const size = (i: number) => 1 + 90 * i;
    const publishing = Promise.all(Array.from({ length: 50 }, async (_, i) => {
      const content = new Uint8Array(size(i)).fill(i);
      const storing = client.publishStored("orders.a", content);
      // It is the program's again.
      content.fill(255);
      await storing;
      stored++;
    }));
    await restart();
    await publishing;
    assertEquals(stored, 50);
    const numbers: number[] = [];
    for await (const { content } of client.replay("orders", { live: false })) {
      const number = content[0]!;
      assertEquals(content, new Uint8Array(size(number)).fill(number));
      numbers.push(number);
    }
    assertEquals(numbers.toSorted((a, b) => a - b), Array.from({ length: 50 }, (_, i) => i));
  },
);
