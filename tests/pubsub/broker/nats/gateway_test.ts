import { assert, assertEquals } from "@std/assert";
import { headers } from "@nats-io/transport-node";
import { deadline, until } from "../../../support/deadline.ts";
import { codeOf } from "../../client/support.ts";
import { RawPeer } from "../../support.ts";
import { nextOf, testPair } from "./support.ts";

testPair(
  "gateways serve the same topics, and nothing of a publication is lost between them",
  async ({
    left,
    right,
  }) => {
    const here = await left.subscribe("orders.*");
    const there = await right.subscribe("orders.>");
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const contents = [
      { content: "text", options: {} },
      { content: "", options: {} },
      { content: bytes, options: {} },
      { content: "{}", options: { contentType: "text/json" } },
      { content: "x", options: { contentType: 'text/x; a="ü"' } },
      { content: "x", options: { contentType: " odd\r\nA: b" } },
      { content: "utf-8 ☃", options: { fields: { n: 1, s: "plain", "white space": "x" } } },
      { content: "x", options: { fields: { deep: { a: [1, null, "ü"] }, t: " padded ", e: "" } } },
      {
        content: "x",
        options: { fields: { "Nats-Msg-Id": "1", "Content-Type": "no", op2: true } },
      },
      { content: bytes, options: { fields: { byteorder: "big" } } },
    ];
    for (const { content, options } of contents) {
      await left.publish("orders.eu", content, options);
      const [own, other] = [await nextOf(here), await nextOf(there)];
      const { id: _id, ...expected } = own.header;
      assertEquals(other.header, expected);
      assertEquals(other.content, own.content);
    }
  },
);

testPair("filters that overlap, on one connection or several, bring each publication once", async ({
  left,
  right,
  nats,
}) => {
  await using second = await right.subscribe("a.>");
  await using third = await right.subscribe("*.b");
  await using both = await left.subscribe("a.b");
  const got: string[] = [];
  void (async () => {
    for await (const message of second) got.push(`> ${message.text()}`);
  })();
  void (async () => {
    for await (const message of third) got.push(`* ${message.text()}`);
  })();
  await left.publish("a.b", "1");
  nats.publish("a.b", "2");
  await nats.flush();
  await left.publish("a.c", "3");
  nats.publish("_a.b", "not by wildcards");
  nats.publish("$a.b", "not by wildcards");
  await nats.flush();
  await left.publish("x.b", "4");
  await until(() => got.length === 6);
  assertEquals(got.toSorted(), ["* 1", "* 2", "* 4", "> 1", "> 2", "> 3"]);
  assertEquals([(await nextOf(both)).text(), (await nextOf(both)).text()], ["1", "2"]);
  // The filter that is left brings what the other one brought before.
  await second.unsubscribe();
  for (const [i, from] of ["5", "6"].entries()) {
    if (i === 0) await left.publish("a.b", from);
    else nats.publish("a.b", from);
  }
  await until(() => got.length === 8);
  assertEquals(got.slice(6).toSorted(), ["* 5", "* 6"]);
});

testPair("clients of NATS read and write the same topics", async ({ server, left, nats }) => {
  const subscription = await left.subscribe("t.>");
  const foreign = nats.subscribe("t.>", { max: 5 });
  const raw = await Deno.connect(server.address);
  const lines = raw.readable.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const read = async (what: string) => {
    await deadline(
      (async () => {
        while (!text.includes(what)) text += (await lines.read()).value;
      })(),
      what,
    );
  };
  const write = (line: string) => raw.write(new TextEncoder().encode(line));
  await write('CONNECT {"verbose":false,"headers":true}\r\nSUB t.> 1\r\nPING\r\n');
  await read("PONG");
  await nats.flush();
  await write("PUB t.raw 5\r\nhello\r\n");
  const message = await nextOf(subscription);
  assertEquals([message.topic, message.text()], ["t.raw", "hello"]);
  assertEquals(message.header["content-type"], "text/plain");
  nats.publish("t.bytes", new Uint8Array([0xff, 0xfe]));
  assertEquals((await nextOf(subscription)).header["content-encoding"], "binary");
  const sent = headers();
  sent.set("Content-Type", "text/json");
  sent.set("trace", "7");
  sent.set("op", "bye");
  sent.set("Socktool-Fields", '{"op":"bye","topic":"no","sid":1,"ok":[1]}');
  nats.publish("t.typed", "{}", { headers: sent });
  const typed = await nextOf(subscription);
  const { trace, ok, op, topic, sid } = typed.header;
  assertEquals([trace, ok, op, topic, sid], ["7", [1], "pub", "t.typed", undefined]);
  assertEquals(typed.header["content-type"], "text/json");
  const nested = headers();
  nested.set("Socktool-Fields", `{"x":${"[".repeat(40)}${"]".repeat(40)}}`);
  nats.publish("t.deep", "still comes", { headers: nested });
  assertEquals((await nextOf(subscription)).text(), "still comes");
  nats.publish(`t.${"x".repeat(300)}`, "no topic of ours");
  await left.publish("t.ours", "☃");
  const got: string[] = [];
  for await (const { subject, data } of foreign) got.push(`${subject} ${data.length}`);
  assertEquals(got.slice(0, 4), ["t.raw 5", "t.bytes 2", "t.typed 2", "t.deep 11"]);
  await read("☃");
  assert(/HMSG t\.ours 1 \d+ \d+\r\nNATS\/1\.0\r\nSocktool-From: /.test(text));
  assertEquals((await nextOf(subscription)).text(), "☃");
  await lines.cancel();
});

testPair("requests are answered across the border, both ways, or nobody is there", async ({
  left,
  right,
  nats,
}) => {
  const service = await right.subscribe("double");
  void (async () => {
    for await (const request of service) {
      await request.respond(String(2 * Number(request.text())));
    }
  })();
  nats.subscribe("triple", {
    callback: (_error, request) => void request.respond(String(3 * Number(request.string()))),
  });
  await nats.flush();
  assertEquals((await left.request("double", "4")).text(), "8");
  assertEquals((await right.request("double", "4")).text(), "8");
  assertEquals((await left.request("triple", "4")).text(), "12");
  assertEquals((await nats.request("double", "5")).string(), "10");
  // Clients of NATS may have inboxes of another prefix.
  const own = nats.subscribe("_INBOX_alice.>", { max: 1 });
  nats.publish("double", "6", { reply: "_INBOX_alice.x.1" });
  for await (const reply of own) assertEquals(reply.string(), "12");
  const all = await Promise.all(
    Array.from({ length: 200 }, (_, i) => left.request("double", `${i}`)),
  );
  assertEquals(all.map((reply) => Number(reply.text())), all.map((_, i) => 2 * i));
  assertEquals(await codeOf(left.request("nobody", "")), "no-receivers");
  const none = await nats.request("nobody").catch((error) => error);
  assert(/no responders/i.test(String(none)), String(none));
  const replies = left.requestMany("double", "1", { maxReplies: 1 });
  assertEquals((await nextOf(replies)).text(), "2");
});

testPair("members of a group share evenly, wherever they and the publisher are", async ({
  left,
  right,
  gateways,
  nats,
}) => {
  const counts: number[] = [];
  const clients = [
    left,
    ...await Promise.all(Array.from({ length: 8 }, () => gateways[1].client())),
  ];
  for (const [i, client] of clients.entries()) {
    counts.push(0);
    const subscription = await client.subscribe("jobs.*", { group: "workers" });
    void (async () => {
      for await (const message of subscription) {
        assertEquals([message.header["group"], message.header["filter"]], ["workers", "jobs.*"]);
        counts[i]!++;
      }
    })();
  }
  let foreign = 0;
  nats.subscribe("jobs.*", { queue: "workers", callback: () => void foreign++ });
  const watcher = await right.subscribe("jobs.>");
  await nats.flush();
  for (let i = 0; i < 2_000; i++) void left.publish("jobs.x", String(i));
  const total = () => counts.reduce((a, b) => a + b, foreign);
  await until(() => total() === 2_000, "each went to one member");
  for (let i = 0; i < 2_000; i++) assertEquals((await nextOf(watcher)).text(), String(i));
  // Ten members: the chance that one gets less than half or more than twice its share is below 1e-12.
  for (const count of [...counts, foreign]) assert(count > 100 && count < 400, String(counts));
  await Promise.all(clients.slice(1).map((client) => client.close()));
  await until(() => gateways[1].broker.stats().connections === 1);
  counts.fill(0);
  foreign = 0;
  await gateways[1].client().then((client) => client.close());
  for (let i = 0; i < 100; i++) void right.publish("jobs.x", "");
  await until(() => total() === 100, "those that are left have all");
});

testPair("what NATS cannot carry is refused by name", async ({ left, gateways }) => {
  await using raw = await RawPeer.to(gateways[0].broker);
  const refused = async (name: string, fields: Record<string, unknown>, content = "") => {
    const answer = await raw.ask(name, { id: 1, ...fields }, content);
    assertEquals(answer["op"], "error");
    return [answer["code"], answer["message"]] as [string, string];
  };
  for (
    const [name, fields, code, says] of [
      ["pub", { topic: "$JS.API.INFO" }, "bad-topic", /those of NATS/],
      ["pub", { topic: "t", "reply-to": "$SYS.x" }, "bad-topic", /those of NATS/],
      ["sub", { topic: "$SYS.>" }, "bad-filter", /those of NATS/],
      ["hello", { will: "$JS.API.INFO" }, "bad-topic", /those of NATS/],
      ["sub", { topic: "t", group: "g", "no-local": true }, "bad-field", /no-local/],
      ["pub", { topic: "_socktool.told" }, "forbidden", /system/],
      ["sub", { topic: "_socktool.>" }, "forbidden", /may not/],
    ] as const
  ) {
    const [got, message] = await refused(name, fields);
    assertEquals(got, code, message);
    assert(says.test(message), message);
  }
  const largest = await left.subscribe("large");
  // nats-server's default for max_payload is what a broker's own limit is by default.
  const text = "x".repeat(1_048_576);
  await left.publish("large", text);
  assertEquals((await nextOf(largest)).content.length, 1_048_576);
  assertEquals(
    await codeOf(left.publishConfirmed("large", new Uint8Array(1_048_576))),
    "frame-too-large",
  );
});
