import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import { rawFrame } from "../../support/peers.ts";
import { op, RawPeer, startBroker } from "../support.ts";

Deno.test("hello is answered with what the broker is", async () => {
  await using broker = await startBroker({ maxContentBytes: 1_000, pingIntervalMs: 7_000 });
  using peer = await RawPeer.to(broker);
  const answer = await peer.ask("hello", { id: 5, version: 1, name: "me" });
  assertEquals([answer["op"], answer["id"], answer["version"]], ["ok", 5, 1]);
  assertEquals([answer["max-content-length"], answer["ping-interval-ms"]], [1_000, 7_000]);
  assertEquals(broker.connections()[0]!.name, "me");
});

Deno.test("a delivery is the publisher's frame, byte for byte", async () => {
  await using broker = await startBroker();
  using subscriber = await RawPeer.to(broker);
  using publisher = await RawPeer.to(broker);
  await subscriber.sub("a.b");
  const frame = rawFrame(
    '{ "op":"pub",  "topic" : "a.\\u0062", "byteorder":"big","content-type":"x/y", "extra":[1,{"n":null}],\n' +
      '"content-encoding":"binary","content-length": 3}  ',
    Uint8Array.of(0, 255, 7),
  );
  await publisher.send(frame);
  assertEquals((await subscriber.frame()).bytes, frame);
});

Deno.test("requests without an id have no answer, those that fail have an error", async () => {
  await using broker = await startBroker();
  using peer = await RawPeer.to(broker);
  await peer.send(op("hello"), op("sub", { topic: "a" }), op("pub", { topic: "a" }, "x"));
  assertEquals((await peer.frame()).text(), "x");
  await peer.send(op("unsub", { topic: "a" }), op("unsub", { topic: "a" }));
  const error = await peer.header();
  assertEquals([error["op"], error["code"], error["id"]], ["error", "not-subscribed", undefined]);
});

Deno.test("with ok-if: nobody, a publication is confirmed only where nobody gets it", async () => {
  await using broker = await startBroker();
  using peer = await RawPeer.to(broker);
  using other = await RawPeer.to(broker);
  const fields = { topic: "a", "ok-if": "nobody" };
  for (const retain of [undefined, true]) {
    assertEquals(await peer.pub("a", "x", { ...fields, retain }), 0);
  }
  await other.sub("*");
  await other.frame();
  for (const retain of [undefined, true]) {
    await peer.send(op("pub", { ...fields, id: 7, retain }, "x"));
    assertEquals((await other.frame()).text(), "x");
    assertEquals((await peer.ask("ping", { id: 8 }))["op"], "pong");
  }
  assertEquals((await peer.ask("pub", { ...fields, topic: "_x", id: 9 }))["code"], "forbidden");
});

Deno.test("bad requests are told of by a code, and the connection goes on", async () => {
  await using broker = await startBroker({ maxSubscriptions: 2 });
  using peer = await RawPeer.to(broker);
  const cases: [string, Record<string, unknown>, string][] = [
    ["pub", { topic: "a.*" }, "bad-topic"],
    ["pub", { topic: "a..b" }, "bad-topic"],
    ["pub", {}, "bad-topic"],
    ["pub", { topic: 7 }, "bad-topic"],
    ["pub", { topic: "a", "reply-to": "b.*" }, "bad-topic"],
    ["pub", { topic: "a", retain: "yes" }, "bad-field"],
    ["pub", { topic: "a", group: "g" }, "bad-field"],
    ["pub", { topic: "a", sid: 1 }, "bad-field"],
    ["pub", { topic: "a", "ok-if": "somebody" }, "bad-field"],
    ["pub", { topic: "a", "ok-if": true }, "bad-field"],
    ["pub", { topic: "_other.x" }, "forbidden"],
    ["pub", { topic: "_sys.nothing" }, "bad-topic"],
    ["pub", { topic: "_sys.stats" }, "bad-field"],
    ["sub", { topic: "a.>.b" }, "bad-filter"],
    ["sub", {}, "bad-filter"],
    ["sub", { topic: "a", group: "x y" }, "bad-group"],
    ["sub", { topic: "a", group: 5 }, "bad-group"],
    ["sub", { topic: "a", slow: "never" }, "bad-field"],
    ["sub", { topic: "a", slow: "block" }, "forbidden"],
    ["sub", { topic: "_inbox.*" }, "forbidden"],
    ["unsub", { topic: "a" }, "not-subscribed"],
    ["hello", { version: 2 }, "bad-field"],
    ["hello", { name: 3 }, "bad-field"],
    ["hello", { token: 3 }, "bad-field"],
    ["hello", { "max-content-length": -1 }, "bad-field"],
    ["hello", { "max-content-length": "1" }, "bad-field"],
    ["hello", { will: "a.*" }, "bad-topic"],
    ["hello", { will: 5 }, "bad-topic"],
    ["hello", { will: "_other.x" }, "forbidden"],
    ["hello", { will: "_sys.stats" }, "bad-topic"],
    ["sub", { topic: "a", "no-local": 1 }, "bad-field"],
    ["sub", { topic: "a", max: 0 }, "bad-field"],
    ["sub", { topic: "a", max: 1.5 }, "bad-field"],
    ["unsub", { topic: "a", max: -1 }, "bad-field"],
    ["pong", { taken: -1 }, "bad-field"],
    ["pong", { taken: "1" }, "bad-field"],
    ["pong", { taken: 1.5 }, "bad-field"],
    ["unsub", { topic: "a", max: 1 }, "not-subscribed"],
    ["dance", {}, "bad-op"],
    ["ok", {}, "bad-op"],
  ];
  for (const [name, fields, code] of cases) {
    const answer = await peer.ask(name, { id: 9, ...fields });
    assertEquals([answer["op"], answer["code"], answer["id"]], ["error", code, 9], name);
    assert(typeof answer["message"] === "string");
  }
  for (const id of [-1, 1.5, "x", null, {}]) {
    for (const name of ["pub", "sub", "ping"]) {
      const answer = await peer.ask(name, { topic: "a", id });
      assertEquals([answer["code"], answer["id"]], ["bad-id", undefined]);
    }
  }
  assertEquals((await peer.ask("nothing"))["code"], "bad-op");
  await peer.send({ header: {} });
  assertEquals((await peer.header())["code"], "bad-op");
  await peer.sub("a");
  await peer.sub("b");
  assertEquals((await peer.ask("sub", { topic: "c", id: 1 }))["code"], "too-many-filters");
  await peer.sub("a");
  assertEquals((await peer.ask("ping", { id: 3 }))["op"], "pong");
});

Deno.test("content above the limit is skipped with an error, what follows is dealt with", async () => {
  await using broker = await startBroker({ maxContentBytes: 100 });
  using peer = await RawPeer.to(broker);
  await peer.sub("a");
  const large = encodeFrame(op("pub", { topic: "a" }, new Uint8Array(200_000)));
  const small = encodeFrame(op("pub", { topic: "a" }, "after"));
  await peer.send(small, large, small);
  assertEquals((await peer.frame()).text(), "after");
  assertEquals((await peer.header())["code"], "frame-too-large");
  assertEquals((await peer.frame()).text(), "after");
});

Deno.test("a broken frame ends its connection with bye, and disturbs nobody else", async () => {
  await using broker = await startBroker();
  using subscriber = await RawPeer.to(broker);
  using publisher = await RawPeer.to(broker);
  await subscriber.sub("a");
  for (const broken of [Uint8Array.of(0, 0), rawFrame("nonsense"), rawFrame("{}")]) {
    using peer = await RawPeer.to(broker);
    await peer.send(op("pub", { topic: "a" }, "before"), broken);
    const error = await peer.header();
    assertEquals(error["op"], "error");
    assertStringIncludes("header-syntax header-field", error["code"] as string);
    assertEquals((await peer.header())["reason"], "broken-frame");
    assertEquals(await peer.answer(), undefined);
    assertEquals((await subscriber.frame()).text(), "before");
    assertEquals(await publisher.pub("a", "x"), 1);
    assertEquals((await subscriber.frame()).text(), "x");
  }
});

Deno.test("no delivery follows the answer to unsub, and bye ends the connection", async () => {
  await using broker = await startBroker();
  using subscriber = await RawPeer.to(broker);
  using publisher = await RawPeer.to(broker);
  await subscriber.sub("a");
  await publisher.pub("a", "1");
  await subscriber.send(op("unsub", { topic: "a", id: 4 }));
  assertEquals((await subscriber.frame()).text(), "1");
  assertEquals((await subscriber.header())["id"], 4);
  assertEquals(await publisher.pub("a", "2"), 0);
  assertEquals((await subscriber.ask("ping", { id: 6 }))["op"], "pong");
  assertEquals((await subscriber.ask("bye", { id: 7 }))["reason"], "bye");
  assertEquals(await subscriber.answer(), undefined);
});

Deno.test("a client's bye is answered by bye, behind all that waits for it", async () => {
  await using broker = await startBroker();
  using peer = await RawPeer.to(broker);
  await peer.sub("a");
  for (const id of [undefined, 3]) {
    using other = await RawPeer.to(broker);
    await other.sub("a");
    await peer.pub("a", "x").catch(() => {});
    await peer.frame();
    await other.send(op("bye", { id }));
    assertEquals((await other.frame()).text(), "x");
    const { op: name, reason, missed, id: answered } = await other.header();
    assertEquals([name, reason, missed, answered], ["bye", "bye", undefined, id]);
    assertEquals(await other.answer(), undefined);
  }
});

Deno.test("the answer to hello names the broker's start: the same for all, another after a restart", async () => {
  const epochs: unknown[] = [];
  for (let i = 0; i < 2; i++) {
    await using broker = await startBroker();
    for (let j = 0; j < 2; j++) {
      using peer = await RawPeer.to(broker);
      epochs.push((await peer.ask("hello", { id: 1 }))["epoch"]);
    }
  }
  assertEquals(epochs.every((epoch) => typeof epoch === "string"), true);
  assertEquals([epochs[0] === epochs[1], epochs[2] === epochs[3]], [true, true]);
  assert(epochs[0] !== epochs[2]);
});

Deno.test("a client that answers no ping is told bye, one that does stays", async () => {
  await using broker = await startBroker({ pingIntervalMs: 60 });
  using silent = await RawPeer.to(broker);
  using alive = await RawPeer.to(broker);
  const staying = (async () => {
    for (let i = 0; i < 4; i++) {
      assertEquals((await alive.header())["op"], "ping");
      await alive.send(op("pong"));
    }
  })();
  const seen: unknown[] = [];
  for (let frame = await silent.answer(); frame; frame = await silent.answer()) {
    seen.push(frame.header["op"], frame.header["reason"]);
  }
  assertEquals(seen, ["ping", undefined, "ping", undefined, "bye", "idle"]);
  await staying;
});

Deno.test("connections above the limit are told why they are refused", async () => {
  await using broker = await startBroker({ maxConnections: 1 });
  using first = await RawPeer.to(broker);
  await first.sub("a");
  using second = await RawPeer.to(broker);
  assertEquals((await second.header())["reason"], "too-many-connections");
  assertEquals(broker.stats().refused, 1);
});

Deno.test("draining delivers what waits, says bye to all, and ends", async () => {
  const broker = await startBroker();
  using subscriber = await RawPeer.to(broker);
  using publisher = await RawPeer.to(broker);
  await subscriber.sub("a");
  const big = new Uint8Array(200_000);
  for (let i = 0; i < 10; i++) await publisher.send(op("pub", { topic: "a" }, big));
  await publisher.ask("ping", { id: 1 });
  const drained = broker.drain();
  for (let i = 0; i < 10; i++) assertEquals((await subscriber.frame()).content.length, big.length);
  assertEquals((await subscriber.header())["reason"], "shutdown");
  assertEquals((await publisher.header())["reason"], "shutdown");
  subscriber.close();
  publisher.close();
  await drained;
});

Deno.test("figures are to be had by a request", async () => {
  await using broker = await startBroker();
  using peer = await RawPeer.to(broker);
  await peer.send(op("hello", { name: "asker" }));
  await peer.sub("_inbox.abc.1");
  await peer.sub("x");
  await peer.pub("x", "1").catch(() => {});
  await peer.frame();
  await peer.send(op("pub", { topic: "_sys.stats", "reply-to": "_inbox.abc.1", id: 8 }));
  assertEquals((await peer.header())["id"], 8);
  const stats = (await peer.frame()).json() as Record<string, number>;
  assertEquals([stats["connections"], stats["filters"], stats["published"]], [1, 2, 1]);
  await peer.send(
    op("pub", { topic: "_sys.connections", "reply-to": "_inbox.abc.1" }, '{"limit":1}'),
  );
  const { connections } = (await peer.frame()).json() as { connections: { name: string }[] };
  assertEquals(connections.map(({ name }) => name), ["asker"]);
});

Deno.test("a header above the broker's limit is answered with its id, and skipped", async () => {
  await using broker = await startBroker();
  using peer = await RawPeer.to(broker);
  for (const length of [64_100, 65_000, 65_535]) {
    const empty = encodeFrame(op("pub", { topic: "t", id: 7, pad: "" }, "x"));
    const headerBytes = empty.length - 3;
    await peer.send(op("pub", { topic: "t", id: 7, pad: "p".repeat(length - headerBytes) }, "x"));
    const answer = await peer.header();
    assertEquals([answer["code"], answer["id"]], ["frame-too-large", 7], `${length} bytes`);
  }
  assertEquals((await peer.ask("ping", { id: 8 }))["op"], "pong");
  assertEquals(broker.stats().published, 0);
});
