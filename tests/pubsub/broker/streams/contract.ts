/**
 * What clients may rely on, whatever keeps the streams: the same tests run over every store of
 * streams, over the wire, by bare peers.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { until } from "../../../support/deadline.ts";
import { op, RawPeer } from "../../support.ts";
import {
  type ContractCase,
  figuresOf,
  type Header,
  ok,
  ON,
  store,
  streamCase,
  texts,
} from "./contract_case.ts";

/** Of streams: what they keep, and who reads it. */
export const CONTRACT: readonly ContractCase[] = [
  streamCase("a stored publication is confirmed with its number", async (_, peer) => {
    assertEquals((await store(peer, "orders.eu", "a"))["seq"], 1);
    const second = await store(peer, "orders.us", "b");
    assertEquals([second["stream"], second["seq"], second["receivers"]], ["orders", 2, 0]);
    const none = await peer.ask("pub", { topic: "other", stored: true, id: 4 }, "x");
    assertEquals([none["op"], none["code"]], ["error", "no-stream"]);
  }),
  streamCase("a message id is stored once", async (_, peer) => {
    await store(peer, "orders.eu", "a", { "msg-id": "m" });
    const again = await store(peer, "orders.eu", "a", { "msg-id": "m" });
    assertEquals([again["seq"], again["duplicate"]], [1, true]);
    assertEquals((await store(peer, "orders.eu", "b"))["seq"], 2);
  }),
  streamCase("a publication can ask for the topic's last number", async (_, peer) => {
    await store(peer, "orders.eu", "a", { "expect-seq": 0 });
    await store(peer, "orders.eu", "b", { "expect-seq": 1 });
    const late = { topic: "orders.eu", stored: true, id: 4, "expect-seq": 1 };
    assertEquals((await peer.ask("pub", late, "c"))["code"], "wrong-seq");
    // Of what is purged, nothing is the last.
    const purge = { do: "purge", name: "orders", topic: "orders.eu", id: 5 };
    ok(await peer.ask("stream", purge));
    assertEquals((await peer.ask("pub", { ...late, "expect-seq": 2 }, "c"))["code"], "wrong-seq");
    await store(peer, "orders.eu", "c", { "expect-seq": 0 });
  }),
  streamCase("a reader gets what is kept, then what comes, without a gap", async (broker, peer) => {
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
  }),
  streamCase("a last will is kept as any other publication is", async (broker, peer) => {
    const lost = await RawPeer.to(broker);
    ok(await lost.ask("hello", { version: 1, will: "orders.lost", id: 1 }, "gone"));
    ok(await peer.ask("sub", { stream: "orders", sid: 1, from: "all", id: 1 }));
    assertEquals((await peer.header())["op"], "caught-up");
    lost[Symbol.dispose]();
    const { header, content } = await peer.frame();
    assertEquals([header["topic"], header["seq"]], ["orders.lost", 1]);
    assertEquals(new TextDecoder().decode(content), "gone");
  }),
  streamCase("a reader begins where it says", async (broker, peer) => {
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
  }),
  streamCase("what is dropped is told to those who ask for it", async (broker, peer) => {
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
  }),
  streamCase("bad requests are refused by a code", async (broker, peer) => {
    await store(peer, "orders.a", "1");
    const on = { stream: "orders", consumer: "c" };
    const cases: [string, Header, string][] = [
      ["stream", { do: "create", name: "orders", topics: ["x"] }, "stream-exists"],
      ["stream", { do: "create", name: "other", topics: ["orders.a"] }, "stream-overlap"],
      ["stream", { do: "create", name: "other", topics: ["*.a"] }, "stream-overlap"],
      ["stream", { do: "create", name: "other", topics: ["a.>", "a.b"] }, "bad-stream"],
      ["stream", { do: "create", name: "other", topics: ["_x.>"] }, "bad-stream"],
      ["stream", { do: "create", name: "other", topics: [] }, "bad-stream"],
      ["stream", { do: "create", name: "_dead", topics: ["x"] }, "bad-stream"],
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
  }),
  streamCase("a stream that is deleted ends those who read it", async (broker, peer) => {
    await store(peer, "orders.a", "1");
    using reader = await RawPeer.to(broker);
    ok(await reader.ask("sub", { stream: "orders", sid: 1, from: "new", id: 1 }));
    assertEquals((await reader.header())["op"], "caught-up");
    ok(
      await reader.ask("consume", { stream: "orders", consumer: "c", sid: 2, from: "new", id: 2 }),
    );
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
  }),
  streamCase("a full stream refuses, or drops what is oldest", async (_, peer) => {
    await store(peer, "orders.a", "1");
    await store(peer, "orders.a", "2");
    const full = await peer.ask("pub", { topic: "orders.a", stored: true, id: 4 }, "3");
    assertEquals(full["code"], "stream-full");
    ok(await peer.ask("stream", { do: "update", name: "orders", full: "drop-oldest", id: 5 }));
    await store(peer, "orders.a", "3");
    const figures = ok(await peer.ask("stream", { do: "info", name: "orders", id: 6 }));
    assertEquals([figures["first-seq"], figures["count"]], [2, 2]);
  }, { "max-count": 2, full: "refuse" }),
  {
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
  },
  streamCase("filters, and what is purged or beyond a topic's limit", async (broker, peer) => {
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
  }),
  streamCase("of each topic as many messages are kept as the stream says", async (_, peer) => {
    for (const [i, topic] of ["a", "b", "a", "a"].entries()) {
      await store(peer, `orders.${topic}`, `${i + 1}`);
    }
    await until(async () => (await figuresOf(peer))["count"] === 3);
    await peer.send(op("sub", { stream: "orders", sid: 1, from: "all" }));
    assertEquals(await texts(peer, 3), ["2", "3", "4"]);
  }, { "max-per-topic": 2 }),
  streamCase(
    "large messages and odd ids are stored, and nothing of them is lost",
    async (_, peer) => {
      const content = "☃".repeat(300_000);
      const fields = {
        "content-type": "text/x; a=b",
        n: 1,
        deep: { a: ["ü"] },
        "reply-to": "back",
      };
      await store(peer, "orders.ü", content, fields);
      const ids = ["a", " a", "a ", "%20a", "a\r\nNats-Msg-Id: b", "ä", "%C3%A4", "x".repeat(128)];
      for (const id of ids) {
        assertEquals(
          (await store(peer, "orders.ids", "x", { "msg-id": id }))["duplicate"],
          undefined,
        );
      }
      for (const id of ids) {
        assertEquals(
          (await store(peer, "orders.ids", "x", { "msg-id": id }))["duplicate"],
          true,
          id,
        );
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
  ),
];
