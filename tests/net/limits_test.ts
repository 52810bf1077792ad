import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { type ConnectionLimits, serveConnections } from "../../lib/net/mod.ts";
import { pause, until } from "../support/deadline.ts";
import { listenLocally, RawClient, Recorder } from "../support/peers.ts";

/** A protocol of frames that begin with their size, a byte, and are answered by a byte. */
async function serve(options: ConnectionLimits) {
  const observer = new Recorder();
  const server = serveConnections(await listenLocally(), {
    async serve(connection) {
      const { input, output } = connection;
      while (await connection.read()) {
        while (input.end > input.start && input.end - input.start > input.bytes[input.start]!) {
          input.consume(1 + input.bytes[input.start]!);
          connection.readFrames++;
          output.buffer.append(new Uint8Array(1));
        }
        connection.midFrame = input.end > input.start;
        output.flush();
      }
      await connection.finish("done", true);
    },
  }, { observer, idleTimeoutMs: 0, firstByteTimeoutMs: 0, frameTimeoutMs: 0, ...options });
  return { server, observer };
}

Deno.test("a connection on which nothing moves is closed as idle", async () => {
  const { server, observer } = await serve({ idleTimeoutMs: 200 });
  await using _ = server;
  using client = await RawClient.connect(server.address);
  await client.send(new Uint8Array([0]));
  await client.chunk();
  assert(await client.closed());
  assertEquals(await observer.ended(1), ["idle"]);
  assertEquals(observer.errors, []);
});

Deno.test("a connection that never sends is closed", async () => {
  const { server, observer } = await serve({ firstByteTimeoutMs: 100 });
  await using _ = server;
  using talker = await RawClient.connect(server.address);
  await talker.send(new Uint8Array([0]));
  await talker.chunk();
  using silent = await RawClient.connect(server.address);
  assert(await silent.closed());
  assertEquals(await observer.ended(1), ["first-byte-timeout"]);
  await talker.send(new Uint8Array([0]));
  assertEquals((await talker.chunk())?.length, 1);
});

Deno.test("a frame that drips in is cut off, however often a byte comes", async () => {
  const { server, observer } = await serve({ frameTimeoutMs: 200 });
  await using _ = server;
  using client = await RawClient.connect(server.address);
  // Whole frames first: they do not count.
  await client.send(new Uint8Array([1, 1, 1, 1]));
  await client.chunk();
  await client.send(new Uint8Array([255]));
  let sent = 0;
  const dripping = (async () => {
    while (observer.reasons.length === 0 && sent < 254) {
      await client.send(new Uint8Array([sent++]));
      await pause(10);
    }
  })().catch(() => {});
  assertEquals(await observer.ended(1), ["frame-timeout"]);
  await dripping;
});

Deno.test("a peer that sends frame after frame is not taken for one that drips", async () => {
  const { server, observer } = await serve({ frameTimeoutMs: 500 });
  await using _ = server;
  using client = await RawClient.connect(server.address);
  const end = performance.now() + 850;
  let answers = 0;
  let sent = 0;
  // Each write ends inside a frame, so that there is one at every look.
  await client.send(new Uint8Array([9]));
  while (performance.now() < end) {
    await client.send(new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 9]));
    sent++;
    while (answers < sent) answers += (await client.chunk())!.length;
    await pause(5);
  }
  assertEquals(observer.reasons, []);
  assertGreaterOrEqual(sent, 1);
});

Deno.test("a server that stood still reads what came meanwhile before it finds anybody late", async () => {
  const { server, observer } = await serve({ frameTimeoutMs: 80 });
  await using _ = server;
  using client = await RawClient.connect(server.address);
  await client.send(new Uint8Array([3, 0]));
  await until(() => [...server.connections].some(({ midFrame }) => midFrame));
  // From the next look on, 20 ms later at the latest, the frame's time counts.
  await pause(30);
  await client.conn.write(new Uint8Array([0, 0]));
  for (const end = performance.now() + 300; performance.now() < end;);
  assert(await client.chunk());
  assertEquals(observer.reasons, []);
});

Deno.test("a limit of 0 is none", async () => {
  const { server, observer } = await serve({ maxConnections: 0 });
  await using _ = server;
  const clients = await Promise.all(
    Array.from({ length: 50 }, () => RawClient.connect(server.address)),
  );
  await until(() => server.connections.size === 50);
  await clients[0]!.send(new Uint8Array([5]));
  await pause(100);
  assertEquals([server.refused, observer.reasons], [0, []]);
  for (const client of clients) client.close();
  await observer.ended(50);
});

Deno.test("a peer that reads slowly is not idle", async () => {
  const observer = new Recorder();
  await using server = serveConnections(await listenLocally(), {
    async serve(connection) {
      connection.output.buffer.append(new Uint8Array(30_000_000));
      await connection.finish("done", false);
    },
  }, { observer, idleTimeoutMs: 1_000 });
  using client = await RawClient.connect(server.address);
  let read = 0;
  let reads = 0;
  for (let chunk = await client.chunk(); chunk; chunk = await client.chunk()) {
    read += chunk.length;
    if (++reads % 100 === 0) await pause(50);
  }
  assertEquals(read, 30_000_000);
  client.close();
  assertEquals(await observer.ended(1), ["done"]);
});

Deno.test("a peer that does not read at all is idle in the end", async () => {
  const observer = new Recorder();
  await using server = serveConnections(await listenLocally(), {
    async serve(connection) {
      connection.output.buffer.append(new Uint8Array(30_000_000));
      await connection.finish("done", false);
    },
  }, { observer, idleTimeoutMs: 200 });
  using _client = await RawClient.connect(server.address);
  assertEquals(await observer.ended(1), ["idle"]);
});
