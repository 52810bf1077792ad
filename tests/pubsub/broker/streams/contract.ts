/**
 * What clients may rely on, whatever keeps the streams: the same tests run over every store of
 * streams, over the wire, by bare peers.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Frame } from "../../../../lib/frame/mod.ts";
import type { Broker, BrokerOptions } from "../../../../lib/pubsub/mod.ts";
import { until } from "../../../support/deadline.ts";
import { op, RawPeer } from "../../support.ts";

type Header = Record<string, unknown>;

/** Where streams are kept. */
export interface StreamsPlace {
  /** Serves a broker with what is kept there for as long as `use` takes. */
  withBroker(use: (broker: Broker) => Promise<void>, options?: BrokerOptions): Promise<void>;
}

/** Something that clients may rely on. */
export interface ContractCase {
  readonly name: string;
  run(place: StreamsPlace): Promise<void>;
}

/** All of it. */
export const CONTRACT: ContractCase[] = [];

/** A case with a broker that keeps `orders.>` in the stream `orders`. */
function streamTest(
  name: string,
  use: (broker: Broker, peer: RawPeer) => Promise<void>,
  fields: Header = {},
): void {
  const run = (place: StreamsPlace) =>
    place.withBroker(async (broker) => {
      using peer = await RawPeer.to(broker);
      const orders = { do: "create", name: "orders", topics: ["orders.>"], id: 1, ...fields };
      ok(await peer.ask("stream", orders));
      await use(broker, peer);
    });
  CONTRACT.push({ name, run });
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
    ["sub", { stream: "orders", sid: 1, runs: "yes" }, "bad-field"],
    ["consume", { ...on, sid: 1, runs: 1 }, "bad-field"],
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
  assertStringIncludes(exists["message"] as string, "another setting max-attempts: 3");
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

CONTRACT.push({
  name: "what is stored and acknowledged is there after a restart",
  async run(place) {
    await place.withBroker(async (broker) => {
      using peer = await RawPeer.to(broker);
      ok(await peer.ask("stream", { do: "create", name: "orders", topics: ["orders.>"], id: 1 }));
      await store(peer, "orders.a", "1");
      await store(peer, "orders.a", "2", { "msg-id": "m" });
      const consume = { stream: "orders", consumer: "c", sid: 1, prefetch: 1, id: 1 };
      ok(await peer.ask("consume", consume));
      const { delivery } = (await peer.frame()).header as Header;
      const ack = { stream: "orders", consumer: "c", deliveries: [delivery], id: 4 };
      await peer.send(op("ack", ack));
      // The answer and the next delivery come in no order.
      await texts(peer, 2);
    });
    await place.withBroker(async (broker) => {
      using peer = await RawPeer.to(broker);
      assertEquals((await store(peer, "orders.a", "2", { "msg-id": "m" }))["duplicate"], true);
      ok(await peer.ask("consume", { stream: "orders", consumer: "c", sid: 1, id: 1 }));
      const frame = await peer.frame();
      assertEquals([frame.text(), frame.header["seq"]], ["2", 2]);
    });
  },
});

const ON = { stream: "orders", consumer: "c" };

/** Settles a delivery, confirmed. Deliveries that come before the answer are returned. */
async function settle(
  peer: RawPeer,
  kind: string,
  { header }: Frame,
  fields: Header = {},
): Promise<{ answer: Header; frames: Frame[] }> {
  await peer.send(op(kind, { ...ON, deliveries: [header["delivery"]], id: 77, ...fields }));
  const frames: Frame[] = [];
  for (let frame = await peer.frame();; frame = await peer.frame()) {
    if (frame.header["id"] === 77) return { answer: frame.header as Header, frames };
    frames.push(frame);
  }
}

async function figuresOf(peer: RawPeer, name = "orders"): Promise<Header> {
  return ok(await peer.ask("stream", { do: "info", name, id: 6 }));
}

streamTest("what is not acknowledged in time comes again, after its backoff", async (_, peer) => {
  await store(peer, "orders.a", "1");
  const times = { "ack-wait-ms": 100, "backoff-ms": [50, 1], "max-attempts": 0 };
  ok(await peer.ask("consume", { ...ON, sid: 1, ...times, id: 1 }));
  const first = await peer.frame();
  const at = performance.now();
  // As long as it is in work, it does not.
  assertEquals((await settle(peer, "working", first)).frames, []);
  const second = await peer.frame();
  assert(performance.now() - at >= 140, "the wait and the backoff have passed");
  assertEquals([second.text(), second.header["attempt"]], ["1", 2]);
  const { answer } = await settle(peer, "ack", first);
  assertEquals([answer["code"], answer["stale"]], ["stale-ack", [first.header["delivery"]]]);
  const nacked = performance.now();
  await peer.send(op("nack", { ...ON, deliveries: [second.header["delivery"]], "delay-ms": 80 }));
  const third = await peer.frame();
  assert(performance.now() - nacked >= 75, "it was put off");
  assertEquals(third.header["attempt"], 3);
  ok((await settle(peer, "ack", third)).answer);
  const info = ok(await peer.ask("consumer", { do: "info", ...ON, id: 3 }));
  assertEquals([info["unacked"], info["pending"], info["redelivered"]], [0, 0, 2]);
});

streamTest("what is given back by leaving does not count as an attempt", async (broker, peer) => {
  await store(peer, "orders.a", "1");
  const consume = { ...ON, sid: 1, id: 1, "max-attempts": 1, "ack-wait-ms": 60_000 };
  for (let i = 0; i < 3; i++) {
    ok(await peer.ask("consume", consume));
    assertEquals((await peer.frame()).header["attempt"], 1);
    ok(await peer.ask("unsub", { sid: 1, id: 2 }));
  }
  {
    using leaving = await RawPeer.to(broker);
    ok(await leaving.ask("consume", consume));
    assertEquals((await leaving.frame()).header["attempt"], 1);
    assertEquals((await leaving.ask("bye"))["op"], "bye");
  }
  ok(await peer.ask("consume", consume));
  const { header } = await peer.frame();
  assertEquals([header["seq"], header["attempt"]], [1, 1]);
});

streamTest("a message is kept until all consumers that get it are done", async (broker, peer) => {
  // What nobody consumes yet is kept.
  for (let i = 1; i <= 3; i++) await store(peer, "orders.a", `${i}`);
  await store(peer, "orders.b", "4");
  using other = await RawPeer.to(broker);
  ok(await peer.ask("consume", { ...ON, sid: 1, id: 1 }));
  ok(await other.ask("consume", { stream: "orders", consumer: "b", topic: "*.b", sid: 1, id: 1 }));
  const frames: Frame[] = [];
  for (let i = 0; i < 4; i++) frames.push(await peer.frame());
  for (const frame of frames) ok((await settle(peer, "ack", frame)).answer);
  await until(async () => (await figuresOf(peer))["count"] === 1);
  const mine = await other.frame();
  assertEquals(mine.text(), "4");
  ok((await settle(other, "ack", mine, { consumer: "b" })).answer);
  await until(async () => (await figuresOf(peer))["count"] === 0);
  using publisher = await RawPeer.to(broker);
  assertEquals((await store(publisher, "orders.a", "5"))["seq"], 5);
}, { keep: "until-acked" });

streamTest("a consumer begins anew, and can be deleted", async (broker, peer) => {
  for (let i = 1; i <= 3; i++) await store(peer, "orders.a", `${i}`);
  using member = await RawPeer.to(broker);
  ok(await member.ask("consume", { ...ON, sid: 1, id: 1 }));
  const old = [await member.frame(), await member.frame(), await member.frame()];
  const reset = { do: "reset", ...ON, "from-seq": 2, id: 3 };
  const figures = ok(await peer.ask("consumer", reset));
  assertEquals([figures["position"], figures["unacked"]], [2, 0]);
  assertEquals(await texts(member, 2), ["2", "3"]);
  assertEquals((await settle(member, "ack", old[0]!)).answer["code"], "stale-ack");
  const list = ok(await peer.ask("consumer", { do: "list", stream: "orders", id: 4 }));
  const [listed] = list["consumers"] as Header[];
  assertEquals([listed!["consumer"], listed!["unacked"], listed!["members"]], ["c", 2, 1]);
  ok(await peer.ask("consumer", { do: "delete", ...ON, id: 5 }));
  assertEquals((await member.header())["code"], "no-consumer");
  const gone = await peer.ask("consumer", { do: "info", ...ON, id: 6 });
  assertEquals(gone["code"], "no-consumer");
  assertEquals((await figuresOf(peer))["consumers"], 0);
});

streamTest("a consumer is told what was dropped before it got it", async (broker, peer) => {
  const publish = async (first: number, last: number) => {
    for (let i = first; i <= last; i++) await store(peer, "orders.a", `${i}`);
    await until(async () => (await figuresOf(peer))["first-seq"] === last - 2);
  };
  await publish(1, 3);
  using member = await RawPeer.to(broker);
  ok(await member.ask("consume", { ...ON, sid: 1, prefetch: 1, id: 1 }));
  const ack = async ({ header }: Frame) =>
    await member.send(op("ack", { ...ON, deliveries: [header["delivery"]] }));
  const first = await member.frame();
  await publish(4, 6);
  await ack(first);
  const got: string[] = [];
  let missed = 0;
  // One may be told a moment after the other.
  while (got.length < 3 || missed === 0) {
    const frame = await member.frame();
    if (frame.header["op"] === "missed") missed += frame.header["count"] as number;
    else {
      got.push(frame.text());
      await ack(frame);
    }
  }
  assertEquals([got, missed], [["4", "5", "6"], 2]);
  ok(await member.ask("unsub", { sid: 1, id: 4 }));
  // Nobody is there.
  await publish(7, 11);
  ok(await member.ask("consume", { ...ON, sid: 2, prefetch: 1, id: 5 }));
  const frames = [await member.frame(), await member.frame()];
  const told = frames.find(({ header }) => header["op"] === "missed");
  assertEquals([told?.header["count"], told?.header["sid"]], [2, 2]);
  assertEquals(frames.find(({ header }) => header["op"] === "pub")?.text(), "9");
}, { "max-count": 3 });

streamTest("filters, and what is purged or beyond a topic's limit", async (broker, peer) => {
  const topics = ["orders.*.eu", "invoices.>"];
  ok(await peer.ask("stream", { do: "update", name: "orders", topics, id: 2 }));
  const sent = ["orders.a.eu", "invoices.a", "orders.b.eu", "invoices.a.eu", "orders.a.eu"];
  for (const [i, topic] of sent.entries()) await store(peer, topic, `${i + 1}`);
  const read = async (fields: Header): Promise<string[]> => {
    using reader = await RawPeer.to(broker);
    await reader.send(op("sub", { stream: "orders", sid: 1, from: "all", ...fields }));
    const got: string[] = [];
    for (let frame = await reader.frame();; frame = await reader.frame()) {
      if (frame.header["op"] === "caught-up") return got;
      got.push(frame.text());
    }
  };
  const filters: [string, string[]][] = [
    [">", ["1", "2", "3", "4", "5"]],
    ["orders.>", ["1", "3", "5"]],
    ["*.a.eu", ["1", "4", "5"]],
    ["orders.a.eu", ["1", "5"]],
    ["invoices.*", ["2"]],
    ["other.>", []],
  ];
  for (const [topic, expected] of filters) assertEquals(await read({ topic }), expected, topic);
  assertEquals(await read({ from: "last" }), ["2", "3", "4", "5"]);
  using member = await RawPeer.to(broker);
  ok(await member.ask("consume", { ...ON, topic: "*.a.eu", sid: 1, id: 1 }));
  assertEquals(await texts(member, 3), ["1", "4", "5"]);
  const purge = { do: "purge", name: "orders", topic: "*.a.eu", "before-seq": 5, id: 3 };
  assertEquals(ok(await peer.ask("stream", purge))["count"], 3);
  assertEquals(await read({}), ["2", "3", "5"]);
});

streamTest("of each topic as many messages are kept as the stream says", async (_, peer) => {
  for (const [i, topic] of ["a", "b", "a", "a"].entries()) {
    await store(peer, `orders.${topic}`, `${i + 1}`);
  }
  await until(async () => (await figuresOf(peer))["count"] === 3);
  await peer.send(op("sub", { stream: "orders", sid: 1, from: "all" }));
  assertEquals(await texts(peer, 3), ["2", "3", "4"]);
}, { "max-per-topic": 2 });

streamTest("a dead letter that is delivered again may die again, once", async (broker, peer) => {
  await store(peer, "orders.a", "poison");
  using member = await RawPeer.to(broker);
  ok(await member.ask("consume", { ...ON, sid: 1, "max-attempts": 1, id: 1 }));
  const dies = () =>
    until(async () => {
      const info = ok(await peer.ask("consumer", { do: "info", ...ON, id: 3 }));
      return info["dead"] === 1 && info["unacked"] === 0;
    });
  const redrive = async () => {
    const answer = ok(await peer.ask("consumer", { do: "redrive", ...ON, id: 4 }));
    assertEquals(answer["redriven"], 1);
    const back = await member.frame();
    assertEquals([back.text(), back.header["seq"], back.header["attempt"]], ["poison", 1, 1]);
    return back;
  };
  ok((await settle(member, "nack", await member.frame())).answer);
  await dies();
  ok((await settle(member, "nack", await redrive(), { reason: "again" })).answer);
  await dies();
  // The new letter does not come by the old order.
  await store(peer, "orders.a", "another");
  const another = await member.frame();
  assertEquals(another.text(), "another");
  ok((await settle(member, "ack", another)).answer);
  ok((await settle(member, "ack", await redrive())).answer);
  const none = ok(await peer.ask("consumer", { do: "redrive", ...ON, id: 4 }));
  assertEquals(none["redriven"], 0);
});

streamTest(
  "large messages and odd ids are stored, and nothing of them is lost",
  async (_, peer) => {
    const content = "☃".repeat(300_000);
    const fields = { "content-type": "text/x; a=b", n: 1, deep: { a: ["ü"] }, "reply-to": "back" };
    await store(peer, "orders.ü", content, fields);
    const ids = ["a", " a", "a ", "%20a", "a\r\nNats-Msg-Id: b", "ä", "%C3%A4", "x".repeat(128)];
    for (const id of ids) {
      assertEquals(
        (await store(peer, "orders.ids", "x", { "msg-id": id }))["duplicate"],
        undefined,
      );
    }
    for (const id of ids) {
      assertEquals((await store(peer, "orders.ids", "x", { "msg-id": id }))["duplicate"], true, id);
    }
    await peer.send(op("sub", { stream: "orders", sid: 1, from: "all", topic: "orders.ü" }));
    const frame = await peer.frame();
    const { n, deep, topic, "content-type": type, "reply-to": replyTo } = frame.header as Header;
    assertEquals([n, deep, topic, type, replyTo], [
      1,
      { a: ["ü"] },
      "orders.ü",
      "text/x; a=b",
      "back",
    ]);
    assert(frame.text() === content);
  },
);
