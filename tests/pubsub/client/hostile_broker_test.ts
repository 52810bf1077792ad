/** Whatever a broker sends, its clients keep bounds, and say who is to blame. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import { type BrokerClient, connectBroker, PubSubError } from "../../../lib/pubsub/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
import { codeOf, type Script, ScriptedDuplex } from "./support.ts";

const HELLO = { "ping-interval-ms": 60_000, inbox: "own" };

/** Answers what a client says first and asks to read; other ops as given. */
function answers(others: Record<string, Record<string, unknown> | string> = {}): Script {
  return (op) =>
    others[op] ?? (op === "hello" ? HELLO : op === "pub" ? undefined : { retained: 0 });
}

async function connected(
  script: Script = answers(),
): Promise<{ client: BrokerClient; duplex: ScriptedDuplex; errors: unknown[] }> {
  const duplex = new ScriptedDuplex(script);
  const errors: unknown[] = [];
  const client = await connectBroker(duplex, { onError: (error) => void errors.push(error) });
  return { client, duplex, errors };
}

/** What no broker sends. A client that reads, and consumes, has the sids 1 and 2. */
const NONSENSE: Record<string, Record<string, unknown> | Uint8Array> = {
  "a header that is no JSON": Uint8Array.of(0, 1, 65),
  "a code that cannot become a text": { op: "missed", topic: { toString: 1 } },
  "a filter that cannot become a text": {
    op: "pub",
    topic: "t",
    group: "g",
    filter: { toString: 1 },
  },
  "a message of a stream without a number": { op: "pub", sid: 1, topic: "t" },
  "a number that is a text": { op: "pub", sid: 1, topic: "t", seq: "7" },
  "a delivery without its number": { op: "pub", sid: 2, topic: "t", seq: 7 },
  "a run that has less than it says": { op: "run", sid: 1, seq: 1, count: 4 },
  "a run that is larger than one may be": encodeFrame({
    header: { op: "run", sid: 1, seq: 1, count: 1 },
    content: runOf(300_000),
  }),
};

/** A run with one frame of this size. */
function runOf(size: number): Uint8Array {
  const run = new Uint8Array(4 + size);
  new DataView(run.buffer).setUint32(0, size, true);
  return run;
}

for (const [what, nonsense] of Object.entries(NONSENSE)) {
  Deno.test(`a connection ends that brings ${what}, and the reason names the broker`, async () => {
    const { client, duplex } = await connected();
    client.replay("s").next().catch(() => {});
    client.consume("s", "c").next().catch(() => {});
    client.subscribe("t").catch(() => {});
    await until(() => duplex.ops.filter((op) => op === "sub").length === 2);
    if (nonsense instanceof Uint8Array) duplex.giveBytes(nonsense);
    else duplex.give(nonsense);
    const reason = await deadline(client.finished);
    assert(reason instanceof PubSubError, `${reason}`);
    assertEquals(reason.code, "disconnected");
    assertMatch(reason.message, /^The broker sent /);
  });
}

/** Answers that say nothing, and who gets them. */
const ANSWERS: Record<string, [Script, (client: BrokerClient) => Promise<unknown>]> = {
  "a publication has no receivers": [
    answers({ pub: { receivers: "many" } }),
    (client) => client.confirm("t"),
  ],
  "one that is stored has no number": [
    answers({ pub: { stream: "s" } }),
    (client) => client.publishStored("t"),
  ],
  "a list is none": [answers({ stream: {} }), ({ streams }) => streams.list()],
  "an entry of a list has no name": [
    answers({ stream: { streams: [null] } }),
    ({ streams }) => streams.list(),
  ],
  "a list begins again and again": [
    answers({ stream: { streams: [{ name: "a" }, { name: "b" }], more: true } }),
    ({ streams }) => streams.list(),
  ],
  "a consumer has no settings": [
    answers({ consumer: { consumer: "c" } }),
    ({ streams }) => streams.consumer("s", "c"),
  ],
  "a stream has no topics": [
    answers({ stream: { name: "s" } }),
    ({ streams }) => streams.info("s"),
  ],
  "a list goes on without entries": [
    answers({ consumer: { consumers: [], more: true } }),
    ({ streams }) => streams.consumers("s"),
  ],
  "a list never ends": [
    (() => {
      let last = 10_000_000;
      return (op) =>
        op === "hello"
          ? HELLO
          : { streams: Array.from({ length: 40 }, () => ({ name: `${++last}` })), more: true };
    })(),
    ({ streams }) => streams.list(),
  ],
};

for (const [what, [script, ask]] of Object.entries(ANSWERS)) {
  Deno.test(`${what}: that is told as a bad answer`, async () => {
    const { client } = await connected(script);
    assertEquals(await codeOf(ask(client)), "bad-answer");
    await client.close();
  });
}

Deno.test("an error is told whatever its fields are", async () => {
  const { client, duplex, errors } = await connected();
  duplex.give({ op: "error", code: { toString: 1 }, message: null });
  await until(() => errors.length === 1);
  const [error] = errors as [PubSubError];
  assertEquals(error.code as string, '{"toString":1}');
  assertEquals(error.message, 'The broker answered with the error {"toString":1}');
  await client.close();
});

Deno.test("a broker that does not say how often it pings is pinged all the same, unless it wants no pings", async () => {
  const { timeout } = AbortSignal;
  const intervals: number[] = [];
  AbortSignal.timeout = (ms) => {
    intervals.push(ms);
    return new AbortController().signal;
  };
  try {
    const told = [undefined, null, "7000", {}, 7_000, 0, -1].map((value) =>
      answers({ hello: { ...HELLO, "ping-interval-ms": value } })
    );
    for (const script of told) await (await connected(script)).client.close();
  } finally {
    AbortSignal.timeout = timeout;
  }
  assertEquals(intervals, [30_000, 30_000, 30_000, 30_000, 7_000]);
});

Deno.test("what a broker says of itself may be anything", async () => {
  for (const value of [null, -1, "x", {}, { valueOf: 1 }, 1e300, 0.001]) {
    const fields = { "ping-interval-ms": value, inbox: value };
    const { client, duplex } = await connected((op) => op === "hello" ? fields : { retained: 0 });
    await client.subscribe("t");
    // Asked for signs of life more often than is possible it would send nothing else.
    assert(duplex.ops.length < 10, JSON.stringify(value));
    await client.close();
  }
});

Deno.test("a broker that ends each connection at once is tried less and less often", async () => {
  const target = () => {
    const duplex = new ScriptedDuplex((op) => {
      if (op === "hello") queueMicrotask(() => duplex.give({ op: "bye", reason: "shutdown" }));
      return answers()(op);
    });
    return Promise.resolve(duplex);
  };
  const waits: number[] = [];
  const client = await connectBroker(target, {
    reconnect: { firstMs: 1, longestMs: 1_000 },
    onState: ({ retryMs }) => void (retryMs !== undefined && waits.push(retryMs)),
  });
  await until(() => waits.length >= 8);
  await client.close();
  assert(Math.max(...waits) > 1, `waits in ms: ${waits}`);
});

Deno.test("a broker that pings and reads nothing has no memory filled with answers", async () => {
  const duplex = new ScriptedDuplex(answers());
  let isDeaf = false;
  const target = {
    read: (into: Uint8Array) => duplex.read(into),
    write: (bytes: Uint8Array) => isDeaf ? new Promise<number>(() => {}) : duplex.write(bytes),
    close: () => duplex.close(),
  };
  const client = await connectBroker(target);
  const seen = Promise.withResolvers<void>();
  await client.subscribe("t", { onMessage: () => seen.resolve() });
  isDeaf = true;
  const id = "x".repeat(1_000);
  for (let i = 0; i < 500; i++) duplex.give({ op: "ping", id });
  duplex.give({ op: "pub", topic: "t" });
  await deadline(seen.promise);
  assert(client.bufferedBytes < 100_000, `${client.bufferedBytes} bytes wait`);
  await client.close();
});

Deno.test("of deliveries that nobody takes, no more wait than were asked for", async () => {
  const { client, duplex } = await connected();
  const consumption = client.consume("s", "c", { prefetch: 8 });
  await until(() => duplex.ops.includes("consume"));
  const deliver = (seq: number) =>
    duplex.give({ op: "pub", sid: 1, topic: "t", seq, delivery: seq, attempt: 1 });
  for (let seq = 1; seq <= 1_000; seq++) deliver(seq);
  await client.flush();
  for (let seq = 993; seq <= 1_000; seq++) {
    assertEquals((await deadline(consumption.next())).value!.seq, seq, "the newest are open");
  }
  await client.close();
});

Deno.test("a replay that nobody goes on with pauses by what its messages keep in memory", async () => {
  const { client, duplex } = await connected((op) => op === "hello" ? HELLO : { seq: 1 });
  const replay = client.replay("s");
  const first = replay.next();
  await until(() => duplex.ops.includes("sub"));
  // Each message keeps all that was read together with it.
  const other = encodeFrame({ header: { op: "other" }, content: new Uint8Array(100_000) });
  for (let seq = 1; seq <= 60; seq++) {
    const message = encodeFrame({ header: { op: "pub", sid: 1, topic: "t", seq } });
    duplex.giveBytes(concat([message, other]));
  }
  await client.flush();
  assert(duplex.ops.includes("unsub"), "it pauses");
  assertEquals((await first).value!.seq, 1);
  let last = 1;
  while (!duplex.headers.some((header) => header["from-seq"] === last + 1)) {
    assertEquals((await deadline(replay.next())).value!.seq, ++last);
  }
  await client.close();
});

/** Any value as a field of a header. */
const VALUE = fc.oneof(
  fc.nat({ max: 9 }),
  fc.constantFrom("t", "s", "c", "own", "disconnected", -1, 1e308, null, true),
  fc.constantFrom<unknown>({ toString: 1 }, { valueOf: 1, then: 1 }, [[]], [null], []),
);
const FIELDS = "id topic group filter code message stale retained counter count bytes reason seq " +
  "time delivery attempt sid stream consumer reply-to at-least receivers offset missed";
const HEADER = fc.record({
  op: fc.constantFrom("pub", "missed", "run", "caught-up", "ok", "pong", "error", "ping", "none"),
  ...Object.fromEntries(FIELDS.split(" ").map((name) => [name, VALUE])),
}, { requiredKeys: ["op"] });

Deno.test("whatever the headers have, a client goes on or says that the broker is to blame", async () => {
  const thrown: unknown[] = [];
  await fc.assert(
    fc.asyncProperty(fc.array(HEADER, { maxLength: 12 }), async (headers) => {
      const { client, duplex } = await connected(answers({ pub: {} }));
      const note = (error: unknown) => void thrown.push(error);
      const waits: Promise<unknown>[] = [
        client.replay("s", { live: false }).next(),
        client.consume("s", "c").next(),
        client.requestMany("t").next(),
        client.request("t"),
        client.confirm("t"),
        client.publishStored("t"),
        client.streams.consumer("s", "c"),
      ];
      for (const wait of waits) wait.catch(note);
      await client.subscribe("t", { onMessage: (message) => void message.text() }).catch(note);
      for (const header of headers) duplex.give(header);
      duplex.give({ op: "bye", reason: "shutdown" });
      note(await deadline(client.finished));
    }),
    { numRuns: 40 },
  );
  for (const error of thrown) assert(error instanceof PubSubError, Deno.inspect(error));
});
