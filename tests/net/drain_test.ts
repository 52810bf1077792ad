import { assert, assertEquals } from "@std/assert";
import { type Connection, ConnectionError, dial, serveConnections } from "../../lib/net/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { listenLocally, RawClient, Recorder } from "../support/peers.ts";

/** Reads until the peer ends; heeds no drain. */
async function stubborn(connection: Connection): Promise<void> {
  connection.onDrain = () => {};
  while (await connection.read()) connection.input.consume(connection.input.end);
}

Deno.test("draining closes what has nothing to finish, and refuses new connections", async () => {
  const observer = new Recorder();
  const server = serveConnections(await listenLocally(), {
    async serve(connection) {
      while (await connection.read());
    },
  }, { observer });
  using client = await RawClient.connect(server.address);
  await until(() => server.connections.size === 1);
  await deadline(server.drain());
  assertEquals(observer.reasons, ["drained"]);
  assertEquals([server.forced, observer.errors], [0, []]);
  assert(await client.closed());
  // The system may close the listener a moment after the runtime was told to.
  const isRefused = async () => {
    try {
      (await dial(server.address)).close();
      return false;
    } catch (error) {
      return error instanceof ConnectionError && error.code === "refused";
    }
  };
  await until(isRefused, "new connections are refused");
  // Once more is no harm.
  await deadline(server.drain());
});

Deno.test("a service is asked to finish, and gets the time for it", async () => {
  const observer = new Recorder();
  const finish = Promise.withResolvers<void>();
  let asked = 0;
  const server = serveConnections(await listenLocally(), {
    async serve(connection) {
      connection.onDrain = () => asked++;
      await finish.promise;
      connection.output.buffer.append(new Uint8Array([42]));
      await connection.finish("drained", false);
    },
  }, { observer });
  using client = await RawClient.connect(server.address);
  await until(() => server.connections.size === 1);
  const drained = server.drain(Infinity);
  await until(() => asked === 1);
  finish.resolve();
  assertEquals(await client.chunk(), new Uint8Array([42]));
  assertEquals(await client.chunk(), undefined);
  client.close();
  await deadline(drained);
  assertEquals([observer.reasons, asked], [["drained"], 1]);
});

Deno.test("what is open at the deadline is closed by force, and counted", async () => {
  const observer = new Recorder();
  const server = serveConnections(await listenLocally(), { serve: stubborn }, {
    observer,
    drainTimeoutMs: 50,
  });
  using a = await RawClient.connect(server.address);
  using b = await RawClient.connect(server.address);
  await until(() => server.connections.size === 2);
  await deadline(server.drain());
  assertEquals([observer.reasons, server.forced], [["forced", "forced"], 2]);
  assertEquals(observer.errors, []);
  assert(await a.closed() && await b.closed());
});

Deno.test("a second drain with less time hurries the first", async () => {
  const server = serveConnections(await listenLocally(), { serve: stubborn });
  using client = await RawClient.connect(server.address);
  await until(() => server.connections.size === 1);
  const first = server.drain(3_600_000);
  await deadline(server.drain(0));
  await deadline(first);
  assertEquals(server.forced, 1);
  assert(await client.closed());
});

Deno.test("a service that never returns cannot keep a server from ending by force", async () => {
  const observer = new Recorder();
  const never = new Promise<void>(() => {});
  const server = serveConnections(await listenLocally(), {
    serve(connection) {
      connection.onDrain = () => {};
      return never;
    },
  }, { observer });
  using client = await RawClient.connect(server.address);
  await until(() => server.connections.size === 1);
  await deadline(server.drain(10), "the end of the server");
  assertEquals([observer.reasons, server.forced], [["forced"], 1]);
  assert(await client.closed());
});

Deno.test("a peer that stops reading is closed at the deadline", async () => {
  const observer = new Recorder();
  const server = serveConnections(await listenLocally(), {
    async serve(connection) {
      connection.onDrain = () => {};
      connection.output.buffer.append(new Uint8Array(20_000_000));
      await connection.finish("done", false);
    },
  }, { observer });
  using client = await RawClient.connect(server.address);
  await until(() => server.connections.size === 1);
  await deadline(server.drain(50));
  assertEquals(observer.reasons, ["forced"]);
  assert(await client.closed());
});

Deno.test("a signal drains, also one that is aborted before the start", async () => {
  const abort = new AbortController();
  const listener = await listenLocally();
  const server = serveConnections(listener, { serve: stubborn }, {
    signal: abort.signal,
    drainTimeoutMs: 0,
  });
  using client = await RawClient.connect(server.address);
  await until(() => server.connections.size === 1);
  abort.abort();
  await deadline(server.finished);
  assert(await client.closed());
  const never = serveConnections(await listenLocally(), { serve: stubborn }, {
    signal: AbortSignal.abort(),
  });
  await deadline(never.finished);
  assertEquals(never.accepted, 0);
});

Deno.test("a connection that comes while the server drains is not left waiting", async () => {
  for (let i = 0; i < 20; i++) {
    const server = serveConnections(await listenLocally(), { serve: stubborn });
    const dialling = dial(server.address).catch(() => undefined);
    for (let turn = 0; turn < i; turn++) await Promise.resolve();
    const drained = server.drain(3_600_000);
    const conn = await deadline(dialling);
    if (conn) {
      using client = new RawClient(conn);
      // Accepted before the drain it is as stubborn as any other; else it is closed.
      if (server.accepted === 1) await server.drain(0);
      assert(await client.closed());
    }
    await deadline(drained, "the drain");
  }
});
