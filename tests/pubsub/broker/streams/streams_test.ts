/** Streams over the wire, by bare peers. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Frame } from "../../../../lib/frame/mod.ts";
import { type Broker, openStreamStore, serveBroker } from "../../../../lib/pubsub/mod.ts";
import { listenLocally } from "../../../support/peers.ts";
import { Scratch } from "../../../support/scratch.ts";
import { op, RawPeer } from "../../support.ts";

type Header = Record<string, unknown>;

/** Serves a broker with a store for as long as `use` takes. */
async function withBroker(folder: string, use: (broker: Broker) => Promise<void>): Promise<void> {
  await using streams = await openStreamStore(folder);
  await using broker = serveBroker(await listenLocally(), { streams });
  await use(broker);
}

/** A test with a broker that keeps `orders.>` in the stream `orders`. */
function streamTest(
  name: string,
  use: (broker: Broker, peer: RawPeer) => Promise<void>,
  fields: Header = {},
): void {
  Deno.test(name, async () => {
    using scratch = new Scratch();
    await withBroker(scratch.path, async (broker) => {
      using peer = await RawPeer.to(broker);
      const orders = { do: "create", name: "orders", topics: ["orders.>"], id: 1, ...fields };
      ok(await peer.ask("stream", orders));
      await use(broker, peer);
    });
  });
}

function ok(answer: Header): Header {
  assertEquals(answer["op"], "ok", JSON.stringify(answer));
  return answer;
}

async function store(peer: RawPeer, topic: string, content: string, fields: Header = {}) {
  return ok(await peer.ask("pub", { topic, stored: true, id: 3, ...fields }, content));
}

/** The next frames' contents. */
async function texts(peer: RawPeer, count: number): Promise<string[]> {
  const all: string[] = [];
  for (let i = 0; i < count; i++) all.push((await peer.frame()).text());
  return all;
}

streamTest("a stored publication is confirmed with its number", async (_, peer) => {
  assertEquals((await store(peer, "orders.eu", "a"))["seq"], 1);
  const second = await store(peer, "orders.us", "b");
  assertEquals([second["stream"], second["seq"], second["receivers"]], ["orders", 2, 0]);
  const none = await peer.ask("pub", { topic: "other", stored: true, id: 4 }, "x");
  assertEquals([none["op"], none["code"]], ["error", "no-stream"]);
});

streamTest("a message id is stored once", async (_, peer) => {
  await store(peer, "orders.eu", "a", { "msg-id": "m" });
  const again = await store(peer, "orders.eu", "a", { "msg-id": "m" });
  assertEquals([again["seq"], again["duplicate"]], [1, true]);
  assertEquals((await store(peer, "orders.eu", "b"))["seq"], 2);
});

streamTest("a publication can ask for the topic's last number", async (_, peer) => {
  await store(peer, "orders.eu", "a", { "expect-seq": 0 });
  await store(peer, "orders.eu", "b", { "expect-seq": 1 });
  const late = { topic: "orders.eu", stored: true, id: 4, "expect-seq": 1 };
  assertEquals((await peer.ask("pub", late, "c"))["code"], "wrong-seq");
});

streamTest("a reader gets what is kept, then what comes, without a gap", async (broker, peer) => {
  for (let i = 0; i < 5; i++) await store(peer, `orders.${i}`, `kept ${i}`);
  using reader = await RawPeer.to(broker);
  const from = { stream: "orders", sid: 7, from: "all", id: 1 };
  const answer = ok(await reader.ask("sub", from));
  assertEquals([answer["stream"], answer["seq"]], ["orders", 1]);
  const first = await reader.frame();
  const { sid, stream, seq, time, topic } = first.header as Header;
  assertEquals([sid, stream, seq, topic, typeof time], [7, "orders", 1, "orders.0", "number"]);
  assertEquals(await texts(reader, 4), ["kept 1", "kept 2", "kept 3", "kept 4"]);
  const caughtUp = await reader.header();
  assertEquals([caughtUp["op"], caughtUp["sid"], caughtUp["seq"]], ["caught-up", 7, 5]);
  await store(peer, "orders.x", "live");
  // It is kept too, though nobody asked for it.
  await peer.send(op("pub", { topic: "orders.y" }, "plain"));
  assertEquals(await texts(reader, 2), ["live", "plain"]);
  ok(await reader.ask("unsub", { sid: 7, id: 2 }));
  await store(peer, "orders.x", "after");
  ok(await reader.ask("ping", { id: 3 }).then((pong) => ({ ...pong, op: "ok" })));
});

streamTest("a reader begins where it says", async (broker, peer) => {
  const topics = ["orders.a", "orders.b", "orders.a", "orders.c"];
  for (const [i, topic] of topics.entries()) await store(peer, topic, `${i + 1}`);
  const cases: [Header, string[]][] = [
    [{ from: "last" }, ["2", "3", "4"]],
    [{ from: "new" }, []],
    [{ from: "all", topic: "orders.a" }, ["1", "3"]],
    [{ "from-seq": 3 }, ["3", "4"]],
    [{ "from-time": 0 }, ["1", "2", "3", "4"]],
    [{ "from-time": Date.now() + 60_000 }, []],
  ];
  for (const [from, expected] of cases) {
    using reader = await RawPeer.to(broker);
    await reader.send(op("sub", { stream: "orders", sid: 1, ...from }));
    const got: string[] = [];
    for (
      let frame = await reader.frame();
      frame.header["op"] === "pub";
      frame = await reader.frame()
    ) {
      got.push(frame.text());
    }
    assertEquals(got, expected, JSON.stringify(from));
  }
});

streamTest("what is dropped is told to those who ask for it", async (broker, peer) => {
  for (let i = 0; i < 6; i++) await store(peer, "orders.a", `${i + 1}`);
  const purged = ok(
    await peer.ask("stream", { do: "purge", name: "orders", "before-seq": 4, id: 5 }),
  );
  assertEquals([purged["first-seq"], purged["count"]], [4, 3]);
  using reader = await RawPeer.to(broker);
  ok(await reader.ask("sub", { stream: "orders", sid: 1, "from-seq": 2, id: 1 }));
  const missed = await reader.header();
  assertEquals([missed["op"], missed["count"], missed["reason"]], ["missed", 2, "retention"]);
  assertEquals(await texts(reader, 3), ["4", "5", "6"]);
});

streamTest(
  "members of a consumer share its messages, and what is not acknowledged comes again",
  async (broker, peer) => {
    for (let i = 0; i < 4; i++) await store(peer, "orders.a", `${i + 1}`);
    using first = await RawPeer.to(broker);
    const consume = { stream: "orders", consumer: "billing", sid: 5, "ack-wait-ms": 60_000, id: 1 };
    ok(await first.ask("consume", { ...consume, prefetch: 2 }));
    const got = [await first.frame(), await first.frame()];
    assertEquals(got.map((frame) => frame.text()), ["1", "2"]);
    const { consumer, attempt, delivery } = got[0]!.header as Header;
    assertEquals([consumer, attempt], ["billing", 1]);
    using second = await RawPeer.to(broker);
    ok(await second.ask("consume", consume));
    const others = [await second.frame(), await second.frame()];
    assertEquals(others.map((frame) => frame.text()), ["3", "4"]);
    const ack = { stream: "orders", consumer: "billing", deliveries: [delivery], id: 2 };
    // Only who has a delivery may acknowledge it.
    const stale = await second.ask("ack", ack);
    assertEquals([stale["code"], stale["stale"]], ["stale-ack", [delivery]]);
    ok(await first.ask("ack", ack));
    first.close();
    const again = await second.frame();
    assertEquals([again.text(), again.header["attempt"]], ["2", 2]);
    const info = { do: "info", stream: "orders", consumer: "billing", id: 3 };
    const figures = ok(await second.ask("consumer", info));
    assertEquals([figures["unacked"], figures["members"], figures["redelivered"]], [3, 1, 1]);
  },
);

streamTest(
  "a message goes to the dead letters after its last attempt, and back",
  async (broker, peer) => {
    using watcher = await RawPeer.to(broker);
    await watcher.sub("_dead.orders.billing");
    await store(peer, "orders.a", "poison", { "content-type": "text/x" });
    const consume = { stream: "orders", consumer: "billing", sid: 5, "max-attempts": 2, id: 1 };
    ok(await peer.ask("consume", consume));
    const nack = async (frame: Frame) => {
      const deliveries = [frame.header["delivery"]];
      await peer.send(
        op("nack", { stream: "orders", consumer: "billing", deliveries, reason: "no" }),
      );
    };
    await nack(await peer.frame());
    await nack(await peer.frame());
    const letter = await watcher.frame();
    const dead = letter.header["dead"] as Header;
    assertEquals([letter.text(), letter.header["topic"]], ["poison", "_dead.orders.billing"]);
    assertEquals([dead["topic"], dead["seq"], dead["attempts"], dead["reason"]], [
      "orders.a",
      1,
      2,
      "no",
    ]);
    const redrive = { do: "redrive", stream: "orders", consumer: "billing", id: 9 };
    await peer.send(op("consumer", redrive));
    const frames = [await peer.frame(), await peer.frame()];
    const back = frames.find(({ header }) => header["op"] === "pub")!;
    assertEquals(frames.find(({ header }) => header["op"] === "ok")!.header["redriven"], 1);
    assertEquals([back.header["topic"], back.header["seq"], back.header["attempt"]], [
      "orders.a",
      1,
      1,
    ]);
    assertEquals(back.header["content-type"], "text/x");
  },
);

Deno.test("what is stored, acknowledged and retained is there after a restart", async () => {
  using scratch = new Scratch();
  await withBroker(scratch.path, async (broker) => {
    using peer = await RawPeer.to(broker);
    ok(await peer.ask("stream", { do: "create", name: "orders", topics: ["orders.>"], id: 1 }));
    await store(peer, "orders.a", "1");
    await store(peer, "orders.a", "2");
    ok(await peer.ask("consume", { stream: "orders", consumer: "c", sid: 1, prefetch: 1, id: 1 }));
    const { delivery } = (await peer.frame()).header as Header;
    await peer.send(op("ack", { stream: "orders", consumer: "c", deliveries: [delivery], id: 4 }));
    // The answer and the next delivery come in no order.
    await texts(peer, 2);
    await peer.send(op("pub", { topic: "status", retain: true, id: 5 }, "up"));
    ok(await peer.header());
  });
  await withBroker(scratch.path, async (broker) => {
    using peer = await RawPeer.to(broker);
    assertEquals(await peer.sub("status"), 1);
    assertEquals(await texts(peer, 1), ["up"]);
    ok(await peer.ask("consume", { stream: "orders", consumer: "c", sid: 1, id: 1 }));
    const frame = await peer.frame();
    assertEquals([frame.text(), frame.header["seq"]], ["2", 2]);
  });
});

streamTest("bad requests are refused by a code", async (broker, peer) => {
  await store(peer, "orders.a", "1");
  const on = { stream: "orders", consumer: "c" };
  const cases: [string, Header, string][] = [
    ["stream", { do: "create", name: "orders", topics: ["x"] }, "stream-exists"],
    ["stream", { do: "create", name: "other", topics: ["orders.a"] }, "stream-overlap"],
    ["stream", { do: "create", name: "other", topics: ["*.a"] }, "stream-overlap"],
    ["stream", { do: "create", name: "other", topics: ["a.>", "a.b"] }, "bad-stream"],
    ["stream", { do: "create", name: "other", topics: ["_x.>"] }, "bad-stream"],
    ["stream", { do: "create", name: "other", topics: [] }, "bad-stream"],
    ["stream", { do: "create", name: "other" }, "bad-stream"],
    ["stream", { do: "create", name: "ö", topics: ["x"] }, "bad-field"],
    ["stream", { do: "create", name: "a b", topics: ["x"] }, "bad-field"],
    ["stream", { do: "create", name: "x".repeat(65), topics: ["x"] }, "bad-field"],
    ["stream", { do: "create", name: "x", topics: ["x"], "max-bytes": 0 }, "bad-field"],
    ["stream", { do: "create", name: "x", topics: ["x"], keep: "ever" }, "bad-field"],
    ["stream", { do: "update", name: "orders", keep: "until-acked" }, "bad-stream"],
    ["stream", { do: "update", name: "nothing" }, "no-stream"],
    ["stream", { do: "info", name: "nothing" }, "no-stream"],
    ["stream", { do: "delete", name: "nothing" }, "no-stream"],
    ["stream", { do: "dance", name: "orders" }, "bad-field"],
    ["stream", { name: "orders" }, "bad-field"],
    ["sub", { stream: "orders" }, "bad-field"],
    ["sub", { stream: "nothing", sid: 1 }, "no-stream"],
    ["sub", { stream: "orders", sid: -1 }, "bad-field"],
    ["sub", { stream: "orders", sid: 1, from: "start" }, "bad-field"],
    ["sub", { stream: "orders", sid: 1, from: "all", "from-seq": 1 }, "bad-field"],
    ["sub", { stream: "orders", sid: 1, "from-seq": 0 }, "bad-field"],
    ["sub", { stream: "orders", sid: 1, topic: "a..b" }, "bad-filter"],
    ["sub", { stream: "orders", sid: 1, group: "g" }, "bad-field"],
    ["unsub", { sid: 99 }, "not-subscribed"],
    ["consume", { stream: "nothing", consumer: "c", sid: 1 }, "no-stream"],
    ["consume", { ...on, sid: 1, "max-attempts": -1 }, "bad-field"],
    ["consume", { ...on, sid: 1, "backoff-ms": [1, -1] }, "bad-field"],
    ["consume", { ...on, sid: 1, "max-unacked": 0 }, "bad-field"],
    ["consume", { ...on, sid: 1, from: "last" }, "bad-field"],
    ["ack", { ...on, deliveries: [1] }, "no-consumer"],
    ["ack", { ...on, deliveries: [] }, "bad-field"],
    ["ack", { ...on, deliveries: ["1"] }, "bad-field"],
    ["consumer", { do: "info", ...on }, "no-consumer"],
    ["consumer", { do: "reset", ...on }, "bad-field"],
    ["pub", { topic: "orders.a", stored: "yes" }, "bad-field"],
    ["pub", { topic: "orders.a", stored: true, "msg-id": "" }, "bad-field"],
    ["pub", { topic: "orders.a", stored: true, "msg-id": "ä".repeat(65) }, "bad-field"],
    ["pub", { topic: "orders.a", stored: true, "expect-seq": -1 }, "bad-field"],
  ];
  for (const [name, fields, code] of cases) {
    const answer = await peer.ask(name, { id: 9, ...fields });
    const what = `${name} ${JSON.stringify(fields)}: ${JSON.stringify(answer)}`;
    assertEquals([answer["op"], answer["code"], answer["id"]], ["error", code, 9], what);
  }
  ok(await peer.ask("consume", { ...on, sid: 1, "max-attempts": 3, id: 1, from: "new" }));
  using other = await RawPeer.to(broker);
  const exists = await other.ask("consume", { ...on, sid: 1, "max-attempts": 4, id: 1 });
  assertEquals(exists["code"], "consumer-exists");
  const again = await peer.ask("consume", { ...on, sid: 1, id: 1 });
  assertStringIncludes(again["message"] as string, "sid 1 is in use");
});

streamTest("a stream that is deleted ends those who read it", async (broker, peer) => {
  await store(peer, "orders.a", "1");
  using reader = await RawPeer.to(broker);
  ok(await reader.ask("sub", { stream: "orders", sid: 1, from: "new", id: 1 }));
  assertEquals((await reader.header())["op"], "caught-up");
  ok(await reader.ask("consume", { stream: "orders", consumer: "c", sid: 2, from: "new", id: 2 }));
  ok(await peer.ask("stream", { do: "delete", name: "orders", id: 3 }));
  const ended = [await reader.header(), await reader.header()];
  assertEquals(
    new Set(ended.map(({ op, sid, code }) => `${op} ${sid} ${code}`)),
    new Set([
      "error 1 no-stream",
      "error 2 no-consumer",
    ]),
  );
  const none = await peer.ask("pub", { topic: "orders.a", stored: true, id: 4 });
  assertEquals(none["code"], "no-stream");
});

streamTest("a full stream refuses, or drops what is oldest", async (_, peer) => {
  await store(peer, "orders.a", "1");
  await store(peer, "orders.a", "2");
  const full = await peer.ask("pub", { topic: "orders.a", stored: true, id: 4 }, "3");
  assertEquals(full["code"], "stream-full");
  ok(await peer.ask("stream", { do: "update", name: "orders", full: "drop-oldest", id: 5 }));
  await store(peer, "orders.a", "3");
  const figures = ok(await peer.ask("stream", { do: "info", name: "orders", id: 6 }));
  assertEquals([figures["first-seq"], figures["count"]], [2, 2]);
}, { "max-count": 2, full: "refuse" });

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
