import { assertEquals } from "@std/assert";
import {
  NatsConnection,
  type NatsConnectionEvents,
} from "../../../../../lib/pubsub/broker/nats/wire/nats_connection.ts";
import { NatsLink } from "../../../../../lib/pubsub/broker/nats/nats_link.ts";
import { deadline, until } from "../../../../support/deadline.ts";
import { type FakeClient, FakeNats } from "./fake_server.ts";

/** A connection, its server's end of it, and how many pings were answered. */
async function connected(server: FakeNats) {
  const answered = { count: 0 };
  const events: NatsConnectionEvents = {
    message() {},
    info() {},
    pong: () => answered.count++,
    refused() {},
    written() {},
  };
  const opening = NatsConnection.open({
    address: { transport: "tcp", hostname: "127.0.0.1", port: server.port },
    tlsName: "127.0.0.1",
    tls: false,
    caCert: undefined,
    login: undefined,
    name: "test",
    noEcho: true,
    timeoutMs: 30_000,
    signal: new AbortController().signal,
    events,
  });
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

Deno.test("a link that is closed while it connects again leaves nothing open", async () => {
  using server = new FakeNats();
  const opening = NatsLink.connect({
    hosts: [`127.0.0.1:${server.port}`],
    tls: false,
    caCert: undefined,
    login: undefined,
    name: "test",
  });
  const first = await server.next();
  await first.accept();
  const link = await opening;
  first[Symbol.dispose]();
  using second = await server.next();
  await deadline(link[Symbol.asyncDispose](), "the end of the link");
  // It was not greeted yet.
  assertEquals(await second.read(), false);
});

/** Has the server take so much that there is room for more. */
async function takeSome(client: FakeClient, output: NatsConnection["output"]): Promise<void> {
  const before = output.writtenBytes;
  const room = new Uint8Array(1_000_000);
  while (output.writtenBytes === before) await deadline(client.conn.read(room));
}
