import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import {
  type Connection,
  ConnectionError,
  dial,
  listen,
  type Listener,
  serveConnections,
} from "../../lib/net/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { listenLocally, LOOPBACK, RawClient, Recorder } from "../support/peers.ts";
import { SERVER_TLS } from "../support/tls.ts";

/** Sends back what comes. */
async function echo(connection: Connection): Promise<void> {
  const { input, output } = connection;
  while (await connection.read()) {
    output.buffer.append(input.bytes.subarray(input.start, input.end));
    input.consume(input.end - input.start);
    output.flush();
    await output.room();
  }
  await connection.finish("done", true);
}

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
  const listener = await listen(LOOPBACK, { tls: SERVER_TLS });
  await using server = serveConnections(listener, {
    serve: echo,
    async refuse(connection) {
      connection.output.buffer.append(text("full"));
      await connection.finish("refused", false);
    },
  }, { observer, maxConnections: 1 });
  // None of them answers the TLS handshake, so that nothing can be written to them.
  const conns = await Promise.all(Array.from({ length: 5 }, () => dial(server.address)));
  await until(() => server.refused === 4);
  await deadline(server.drain(0), "the end of the server");
  assertEquals(observer.reasons.filter((reason) => reason === "refused").length, 4);
  for (const conn of conns) conn.close();
});

/** A listener whose next accepts fail. */
function failing(inner: Listener, failures: Error[]): Listener {
  return {
    address: inner.address,
    secure: inner.secure,
    accept() {
      const failure = failures.shift();
      return failure ? Promise.reject(failure) : inner.accept();
    },
    close: () => inner.close(),
    [Symbol.dispose]: () => inner.close(),
  };
}

Deno.test("an accept that fails is told of and tried again", async () => {
  const observer = new Recorder();
  const failures = [
    new Deno.errors.ConnectionAborted("software caused connection abort"),
    new Error("Too many open files (os error 24)"),
    new Deno.errors.ConnectionReset("reset by peer"),
  ];
  const listener = failing(await listenLocally(), failures);
  await using server = serveConnections(listener, { serve: echo }, { observer });
  using client = await RawClient.connect(server.address);
  await assertEchoes(client);
  assertEquals(
    observer.acceptErrors.map(({ operation, code }) => [operation, code]),
    [["accept", "reset"], ["accept", "too-many-open-files"], ["accept", "reset"]],
  );
  assertEquals(observer.acceptErrors[0]?.address, server.address);
});

Deno.test("a server whose accept fails all the time can be drained at once", async () => {
  const failures = Array.from({ length: 100 }, () => new Error("Too many open files"));
  const listener = failing(await listenLocally(), failures);
  const observer = new Recorder();
  const server = serveConnections(listener, { serve: echo }, { observer });
  await until(() => observer.acceptErrors.length > 3);
  await deadline(server.drain());
});

Deno.test("peers that reset before they are accepted do no harm", async () => {
  const listener = await listenLocally();
  // All are in the backlog before the first accept.
  for (let i = 0; i < 50; i++) {
    const conn = await dial(listener.address);
    await conn.write(text("x"));
    conn.close();
  }
  const observer = new Recorder();
  await using server = serveConnections(listener, { serve: echo }, { observer });
  using client = await RawClient.connect(server.address);
  await assertEchoes(client);
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
