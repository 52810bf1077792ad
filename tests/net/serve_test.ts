import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { ConnectionError, dial, serveConnections } from "../../lib/net/mod.ts";
import { redirectErrors } from "../../lib/base/report.ts";
import { deadline, until } from "../support/deadline.ts";
import { echo, listenLocally, RawClient, Recorder } from "../support/peers.ts";

const text = (text: string) => new TextEncoder().encode(text);

async function assertEchoes(client: RawClient, word = "hello"): Promise<void> {
  await client.send(text(word));
  let got = "";
  while (got.length < word.length) got += new TextDecoder().decode(await client.chunk());
  assertEquals(got, word);
}

Deno.test("a server tells what happens to its connections", async () => {
  const observer = new Recorder();
  await using server = serveConnections(await listenLocally(), { serve: echo }, { observer });
  {
    using a = await RawClient.connect(server.address);
    using b = await RawClient.connect(server.address);
    await assertEchoes(a);
    await assertEchoes(b);
    assertEquals([server.accepted, server.connections.size], [2, 2]);
    const [first] = server.connections;
    assertEquals([first!.readBytes, first!.writtenBytes], [5, 5]);
    assertEquals(first!.closeReason, undefined);
    await a.closeWrite();
    assertEquals(await a.chunk(), undefined);
    await observer.ended(1);
  }
  assertEquals(await observer.ended(2), ["done", "done"]);
  assertEquals([observer.openedIds.length, observer.errors, server.connections.size], [2, [], 0]);
});

Deno.test("what a service throws ends its connection alone", async () => {
  const observer = new Recorder();
  await using server = serveConnections(await listenLocally(), {
    async serve(connection) {
      await connection.read();
      if (connection.input.bytes[0] === 33) throw new Error("of no use");
      await echo(connection);
    },
  }, { observer });
  using good = await RawClient.connect(server.address);
  using bad = await RawClient.connect(server.address);
  await bad.send(text("!"));
  await bad.closed();
  await observer.ended(1);
  assertEquals(observer.reasons, ["failed"]);
  assertEquals((observer.errors[0] as Error).message, "of no use");
  await good.send(text("a"));
  await until(() => [...server.connections].some(({ readBytes }) => readBytes === 1));
  await good.send(text("b"));
  assertEquals(new TextDecoder().decode(await good.chunk()), "ab");
});

Deno.test("a peer that breaks off is told of as a reset", async () => {
  const observer = new Recorder();
  await using server = serveConnections(await listenLocally(), {
    async serve(connection) {
      // Writing to a peer that is gone fails sooner or later.
      const chunk = new Uint8Array(65_536);
      while (true) {
        connection.output.buffer.append(chunk);
        connection.output.flush();
        await connection.output.room();
      }
    },
  }, { observer, maxPendingBytes: 65_536 });
  const client = await RawClient.connect(server.address);
  await client.chunk();
  client.close();
  assertEquals(await observer.ended(1), ["reset"]);
  assertInstanceOf(observer.errors[0], ConnectionError);
  assertEquals((observer.errors[0] as ConnectionError).code, "reset");
});

Deno.test("connections above the limit are refused, and told so by the service", async () => {
  const observer = new Recorder();
  await using server = serveConnections(await listenLocally(), {
    serve: echo,
    async refuse(connection) {
      connection.output.buffer.append(text("full"));
      await connection.finish("refused", false);
    },
  }, { observer, maxConnections: 2 });
  using a = await RawClient.connect(server.address);
  using b = await RawClient.connect(server.address);
  await assertEchoes(a);
  await assertEchoes(b);
  for (let i = 0; i < 3; i++) {
    using c = await RawClient.connect(server.address);
    await c.send(text("hello?"));
    assertEquals(new TextDecoder().decode(await c.chunk()), "full");
    assertEquals(await c.chunk(), undefined);
  }
  assertEquals(await observer.ended(3), ["refused", "refused", "refused"]);
  assertEquals([server.refused, server.accepted], [3, 2]);
  a.close();
  await observer.ended(4);
  using d = await RawClient.connect(server.address);
  await assertEchoes(d);
});

Deno.test("a refused peer that does not go is closed, with the reason refused", async () => {
  const observer = new Recorder();
  await using server = serveConnections(await listenLocally(), {
    serve: echo,
    refuse: (connection) => connection.finish("refused", false),
  }, { observer, maxConnections: 1 });
  using a = await RawClient.connect(server.address);
  await assertEchoes(a);
  using stubborn = await RawClient.connect(server.address);
  assertEquals(await observer.ended(1), ["refused"]);
  await stubborn.closed();
});

Deno.test("refused peers that never read hold up neither other peers nor the end", async () => {
  const observer = new Recorder();
  await using server = serveConnections(await listenLocally(), {
    serve: echo,
    async refuse(connection) {
      // More than the kernel takes for a peer that does not read.
      connection.output.buffer.append(new Uint8Array(16_777_216));
      await connection.finish("refused", false);
    },
  }, { observer, maxConnections: 1 });
  using first = await RawClient.connect(server.address);
  await assertEchoes(first);
  const conns = await Promise.all(Array.from({ length: 4 }, () => dial(server.address)));
  await until(() => server.refused === 4);
  await deadline(server.drain(0), "the end of the server");
  assertEquals(observer.reasons.filter((reason) => reason === "refused").length, 4);
  for (const conn of conns) conn.close();
});

Deno.test("limits that are none are refused", async () => {
  using listener = await listenLocally();
  const wrong = [
    { maxConnections: -1 },
    { idleTimeoutMs: NaN },
    { maxPendingBytes: -5 },
    { frameTimeoutMs: -0.1 },
    { firstByteTimeoutMs: -Infinity },
    { drainTimeoutMs: NaN },
    { drainTimeoutMs: -1 },
  ];
  for (const options of wrong) {
    assertThrows(() => serveConnections(listener, { serve: echo }, options), RangeError);
  }
});

Deno.test("a server that is disposed of closes its listener and its connections", async () => {
  const server = serveConnections(await listenLocally(), { serve: echo });
  using client = await RawClient.connect(server.address);
  await assertEchoes(client);
  await deadline(server[Symbol.asyncDispose]());
  assert(await client.closed());
  await assertRejects(() => dial(server.address), ConnectionError, "refused");
});

Deno.test("an observer that throws does no harm, and what it throws is reported", async () => {
  const reported: string[] = [];
  using _ = redirectErrors((error, what) => reported.push(`${what}: ${error}`));
  const fail = () => {
    throw new Error("no");
  };
  const observer = { opened: fail, closed: fail, acceptFailed: fail };
  {
    await using server = serveConnections(await listenLocally(), { serve: echo }, { observer });
    for (let i = 0; i < 2; i++) {
      using client = await RawClient.connect(server.address);
      await assertEchoes(client);
    }
    await until(() => server.connections.size === 0);
  }
  assertEquals(reported, Array(4).fill("The observer of a server failed: Error: no"));
});

Deno.test("what a service throws is reported where no observer is told", async () => {
  const reported: string[] = [];
  using _ = redirectErrors((error, what) => reported.push(`${what}: ${error}`));
  const serve = () => Promise.reject(new Error("a bug"));
  await using server = serveConnections(await listenLocally(), { serve });
  using client = await RawClient.connect(server.address);
  await client.closed();
  await until(() => reported.length > 0);
  assertEquals(reported, ["Serving a connection failed: Error: a bug"]);
});
