import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  NatsConnection,
  type NatsConnectionEvents,
} from "../../../../../lib/pubsub/broker/nats/wire/nats_connection.ts";
import { CoreLink } from "../../../../../lib/pubsub/broker/nats/core_link.ts";
import { NatsLink } from "../../../../../lib/pubsub/broker/nats/nats_link.ts";
import { deadline, until } from "../../../../support/deadline.ts";
import { type FakeClient, FakeNats } from "./fake_server.ts";

/** Begins to connect. */
function open(server: FakeNats, events: Partial<NatsConnectionEvents>): Promise<NatsConnection> {
  return NatsConnection.open({
    address: { transport: "tcp", hostname: "127.0.0.1", port: server.port },
    tlsName: "127.0.0.1",
    tls: false,
    caCert: undefined,
    login: undefined,
    name: "test",
    noEcho: true,
    timeoutMs: 30_000,
    signal: new AbortController().signal,
    events: { message() {}, info() {}, pong() {}, refused() {}, written() {}, ...events },
  });
}

/** A connection, its server's end of it, and how many pings were answered. */
async function connected(server: FakeNats) {
  const answered = { count: 0 };
  const opening = open(server, { pong: () => answered.count++ });
  const client = await server.next();
  await client.accept();
  const connection = await opening;
  return { client, connection, running: connection.run(), answered };
}

Deno.test("a server is silent if nothing comes of it from look to look, however often it is asked", async () => {
  using server = new FakeNats();
  const { client, connection, running, answered } = await connected(server);
  using _ = client;
  for (let i = 0; i < 50; i++) connection.ping();
  assertEquals([connection.lookForLife(), connection.lookForLife()], [1, 2]);
  await client.send("PONG\r\n");
  await until(() => answered.count === 1);
  assertEquals(connection.lookForLife(), 1);
  connection.close();
  await deadline(running);
});

Deno.test("a server that takes what waits is there; what its machine alone has taken does not count", async () => {
  using server = new FakeNats();
  const { client, connection, running } = await connected(server);
  using _ = client;
  const { output } = connection;
  // It fits into the sockets' buffers.
  connection.ping();
  await output.flushed();
  assertEquals([connection.lookForLife(), connection.lookForLife()], [1, 2]);
  output.buffer.append(new Uint8Array(64_000_000));
  const before = output.writtenBytes;
  output.flush();
  await until(() => output.writtenBytes > before);
  assertEquals([connection.lookForLife(), connection.lookForLife()], [0, 1]);
  await takeSome(client, output);
  assertEquals([connection.lookForLife(), connection.lookForLife()], [0, 1]);
  connection.close();
  await deadline(running);
});

Deno.test("a server that sends and takes nothing is silent until it takes something", async () => {
  using server = new FakeNats();
  const { client, connection, running, answered } = await connected(server);
  using _ = client;
  const { output } = connection;
  output.buffer.append(new Uint8Array(64_000_000));
  const before = output.writtenBytes;
  output.flush();
  await until(() => output.writtenBytes > before);
  const looks = [connection.lookForLife()];
  for (let i = 1; i <= 3; i++) {
    await client.send("PONG\r\n");
    await until(() => answered.count === i);
    looks.push(connection.lookForLife());
  }
  assertEquals(looks, [0, 1, 2, 3]);
  await takeSome(client, output);
  assertEquals(connection.lookForLife(), 0);
  connection.close();
  await deadline(running);
});

/** What comes behind a server's greeting, before the client has said who it is; and what becomes of it. */
const EARLY = [
  ["PONG\r\n", "NatsProtocolError: A server sent an answer to a ping before"],
  ["MSG a 1 2\r\nhi\r\n", "NatsProtocolError: A server sent a message before"],
  ["HMSG a 1 12 12\r\nNATS/1.0\r\n\r\n\r\n", "NatsProtocolError: A server sent a message before"],
  ["MSG a 1 2\r\n", "NatsProtocolError: A server sent something before"],
  ["-ERR 'maximum connections exceeded'\r\n", "NatsRefusal: maximum connections exceeded"],
] as const;

Deno.test("nothing that comes before TLS but the server's greeting is taken", async () => {
  for (const [early, expected] of EARLY) {
    using server = new FakeNats();
    let taken = 0;
    const count = () => void taken++;
    const opening = open(server, { message: count, pong: count });
    using client = await server.next();
    await client.send(`INFO {"headers":true,"tls_required":true}\r\n${early}`);
    const error = await assertRejects(() => deadline(opening));
    assertStringIncludes(String(error), expected);
    assertEquals(taken, 0, early);
  }
});

Deno.test("a link that is closed while it connects again leaves nothing open", async () => {
  using server = new FakeNats();
  const opening = NatsLink.connect(server.cluster);
  const first = await server.next();
  await first.accept();
  const link = await opening;
  first[Symbol.dispose]();
  using second = await server.next();
  await deadline(link[Symbol.asyncDispose](), "the end of the link");
  // It was not greeted yet.
  assertEquals(await second.read(), false);
});

Deno.test("what a server refuses again and again in the same words is told once", async () => {
  using server = new FakeNats();
  const opening = NatsLink.connect(server.cluster);
  using client = await server.next();
  await client.accept();
  await using link = await opening;
  const told: string[] = [];
  link.events = { disconnected() {}, reconnected() {}, refused: (message) => told.push(message) };
  const refusal = (subject: string) =>
    `-ERR 'Permissions Violation for Publish to "${subject}"'\r\n`;
  // Each look asks for several things.
  for (let i = 0; i < 20; i++) await client.send(refusal("a") + refusal("b"));
  await client.send(refusal("c"));
  await until(() => told.some((message) => message.includes('"c"')));
  const subjects = told.map((message) => /Publish to "(.)"/.exec(message)?.[1]);
  assertEquals(subjects, ["a", "b", "c"]);
});

Deno.test("others have a turn while a server sends much", async () => {
  using server = new FakeNats();
  const turns: PromiseWithResolvers<void>[] = [];
  let messages = 0;
  const opening = open(server, { message: () => messages++ });
  using client = await server.next();
  await client.accept();
  const connection = await opening;
  const running = connection.run(() => {
    const turn = Promise.withResolvers<void>();
    turns.push(turn);
    return turn.promise;
  });
  const sending = client.send(`MSG a 1 8\r\n01234567\r\n`.repeat(6_000));
  let before = 0;
  for (let taken = 0; messages < 6_000; taken++) {
    await until(() => turns.length > taken || messages === 6_000);
    // However many one read brings.
    assert(messages - before < 512, `${messages - before} messages in one go`);
    before = messages;
    // Nothing is read until it is its turn again.
    await Promise.resolve();
    assertEquals(messages, before);
    turns[taken]?.resolve();
  }
  assert(turns.length > 1, `${turns.length} turns`);
  await sending;
  connection.close();
  turns.at(-1)!.resolve();
  await deadline(running);
});

Deno.test("a server that has its pings answered and takes no answers is left", async () => {
  using server = new FakeNats();
  const { client, running } = await connected(server);
  using _ = client;
  // What does not fit into the sockets' buffers waits, up to a bound.
  const pings = "PING\r\n".repeat(200_000);
  const sending = (async () => {
    while (true) await client.send(pings);
  })();
  const failed = assertRejects(() => sending);
  assertStringIncludes(String(await deadline(running)), "does not take what is sent to it");
  await failed;
});

Deno.test("a server that lets everybody in and closes at once is not asked without a pause", async () => {
  using server = new FakeNats();
  const opening = CoreLink.connect(server.cluster, true);
  let begun = 0;
  for (let i = 0; i < 4; i++) {
    using client = await server.next();
    await client.accept();
    if (i === 0) begun = performance.now();
  }
  // Three random waits, of up to 100, 200 and 400 ms.
  const ms = performance.now() - begun;
  assert(ms > 5, `${ms} ms`);
  await using _link = await opening;
});

/** Has the server take so much that there is room for more. */
async function takeSome(client: FakeClient, output: NatsConnection["output"]): Promise<void> {
  const before = output.writtenBytes;
  const room = new Uint8Array(1_000_000);
  while (output.writtenBytes === before) await deadline(client.conn.read(room));
}
