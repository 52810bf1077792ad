/** The official client over connections of ours: nothing that a server does ends it, or the program. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MsgHdrsImpl } from "@nats-io/transport-node";
import fc from "fast-check";
import { NatsError } from "../../../../../lib/pubsub/broker/nats/mod.ts";
import { NatsLink } from "../../../../../lib/pubsub/broker/nats/nats_link.ts";
import { fieldsOf } from "../../../../../lib/pubsub/broker/nats/official_headers.ts";
import { makeReadable } from "../../../../../lib/pubsub/broker/nats/wire/readable_headers.ts";
import { deadline, until } from "../../../../support/deadline.ts";
import { FakeNats } from "./fake_server.ts";

const encoder = new TextEncoder();

const INFO = 'INFO {"version":"2.9.0","max_payload":1048576,"headers":true}\r\n';

function connect(server: FakeNats): Promise<NatsLink> {
  return NatsLink.connect(server.cluster);
}

Deno.test("a server that says why it lets nobody in and resets the connection ends no program", async () => {
  using server = new FakeNats();
  for (let i = 0; i < 5; i++) {
    const refused = assertRejects(() => connect(server), NatsError);
    const { conn } = await server.next();
    await conn.write(encoder.encode(INFO));
    // What is not read of its introduction makes closing a reset.
    await deadline(conn.read(new Uint8Array(8)));
    const writing = conn.write(encoder.encode("-ERR 'Authorization Violation'\r\n"));
    conn.close();
    await writing.catch(() => {});
    // As on a busy thread: the client finds the line and the reset together.
    for (const until = performance.now() + 5; performance.now() < until;);
    // Which of them comes first is the machine's doing.
    const { code } = await deadline(refused);
    assert(["unauthorized", "unreachable"].includes(code), code);
  }
});

/** What a server may send once a client is in, and what is told of it. */
const BROKEN = [
  "XYZ\r\n",
  "MSG a 1 2\r\nhi!!",
  "MSG a 1 99999999999\r\n",
  "HMSG a 1 5 2\r\nhi\r\n",
  "INFO {\r\n",
  `INFO {"a":"${"x".repeat(70_000)}"}\r\n`,
];

Deno.test("a server that sends what is no NATS is left, and connected to again", async () => {
  await Promise.all(BROKEN.map(async (broken) => {
    using server = new FakeNats();
    const opening = connect(server);
    using first = await server.next();
    await first.accept();
    await using link = await opening;
    await first.send(`INFO {"connect_urls":[1,"a b:1","[","x:99999"]}\r\n${broken}`);
    assertEquals(await first.ended(), true, broken);
    using second = await server.next();
    await second.accept();
    await until(() => link.connected && link.reconnects === 1);
    const answer = link.connection.request("a", "b");
    await second.heard("PUB a ");
    const [, reply] = /^(\S+)/.exec(await second.line())!;
    await second.send(`MSG ${reply} 1 2\r\nhi\r\n`);
    assertEquals((await deadline(answer)).string(), "hi");
  }));
});

Deno.test("headers that a stranger wrote are read, or not, and stop nothing", async () => {
  using server = new FakeNats();
  const opening = connect(server);
  using client = await server.next();
  await client.accept();
  await using link = await opening;
  const blocks = [
    "NATS/1.0\r\nsp ace: 1\r\nb: 2\r\n\r\n",
    "NATS/1.0\r\nm\u00fcsli: 1\r\nb: 2\r\n\r\n",
    "NATS/1.0\r\nlone\rcr: 1\nx\r\nb: 2\r\n\r\n",
    `NATS/1.0\r\n${"a:\r\n".repeat(100_000)}\r\n`,
    `NATS/1.0\r\na: ${"x".repeat(900_000)}\r\n\r\n`,
  ];
  const read: unknown[] = [];
  link.connection.subscribe("a", {
    callback(_error, message) {
      read.push([fieldsOf(message).others?.["b"], message.string()]);
    },
  });
  await client.heard("SUB a 1\r\n");
  for (const block of blocks) {
    const bytes = encoder.encode(block).length;
    await client.send(`HMSG a 1 ${bytes} ${bytes + 2}\r\n${block}hi\r\n`);
  }
  await until(() => read.length === blocks.length);
  assertEquals(read, [["2", "hi"], ["2", "hi"], ["2", "hi"], [undefined, "hi"], [undefined, "hi"]]);
});

Deno.test("the official client can read any block of headers that was made readable", () => {
  const part = fc.constantFrom("\r\n", "\r", "\n", ":", " ", "a", "\u00fc", "\t", "\x7f", "Nats-X");
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const block = encoder.encode(`NATS/1.0\r\n${parts.join("")}\r\n\r\n`);
      makeReadable(block);
      MsgHdrsImpl.decode(block);
    }),
  );
  const many = encoder.encode(`NATS/1.0\r\n${"a:\r\n".repeat(5_000)}\r\n`);
  makeReadable(many);
  const lines = new TextDecoder().decode(many).split("\r\n");
  assert(lines.length < 1_100, `${lines.length} lines`);
  assertStringIncludes(lines[0]!, "NATS/1.0");
});
