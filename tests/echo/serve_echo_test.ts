import { assert, assertEquals } from "@std/assert";
import { type EchoPeer, serveEcho } from "../../lib/echo/mod.ts";
import { dial, listen } from "../../lib/net/mod.ts";
import { deadline, pause, until } from "../support/deadline.ts";
import { listenLocally, RawClient, Recorder } from "../support/peers.ts";
import { Scratch } from "../support/scratch.ts";
import { CA, SERVER_TLS } from "../support/tls.ts";

const hello = new TextEncoder().encode("hello");

/** Sends what it is given, ends its sending side, and returns all that came back. */
async function sendAndDrain(client: RawClient, bytes: Uint8Array): Promise<Uint8Array> {
  const received: Uint8Array[] = [];
  const reading = (async () => {
    for (let chunk = await client.chunk(); chunk; chunk = await client.chunk()) {
      received.push(chunk.slice());
    }
  })();
  await client.send(bytes);
  await client.closeWrite();
  await reading;
  return new Uint8Array(await new Blob(received as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

Deno.test("serveEcho() sends bytes back and closes after the peer's end of stream", async () => {
  const recorder = new Recorder();
  await using server = serveEcho(await listenLocally(), { observer: recorder });
  using client = await RawClient.connect(server.address);
  await client.send(hello);
  assertEquals(await client.chunk(), hello);
  await client.closeWrite();
  assertEquals(await client.chunk(), undefined);
  assertEquals(await recorder.ended(1), ["done"]);
  const { connections, accepted, readBytes, writtenBytes } = server.figures();
  assertEquals([connections, accepted, readBytes, writtenBytes], [0, 1, 5, 5]);
});

Deno.test("serveEcho() serves many connections at once", async () => {
  await using server = serveEcho(await listenLocally());
  const echoes = await Promise.all(Array.from({ length: 100 }, async (_, i) => {
    using client = await RawClient.connect(server.address);
    const bytes = new TextEncoder().encode(`client ${i} `.repeat(1_000));
    return [await sendAndDrain(client, bytes), bytes] as const;
  }));
  for (const [echo, bytes] of echoes) assertEquals(echo, bytes);
});

Deno.test("serveEcho() echoes all of a large stream to a client that has shut down sending", async () => {
  const total = 64 * 1_048_576;
  await using server = serveEcho(await listenLocally());
  using conn = await dial(server.address);
  const block = crypto.getRandomValues(new Uint8Array(65_536));
  const sending = (async () => {
    for (let sent = 0; sent < total;) {
      sent += await conn.write(block.subarray(sent % block.length));
    }
    await conn.closeWrite();
  })();
  const buffer = new Uint8Array(262_144);
  let received = 0;
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    for (let at = 0; at < count; at += 4_099) {
      assertEquals(buffer[at], block[(received + at) % block.length]);
    }
    received += count;
  }
  await sending;
  assertEquals(received, total);
});

Deno.test("serveEcho() does not read from a client that does not read", async () => {
  await using server = serveEcho(await listenLocally());
  using conn = await dial(server.address);
  const block = new Uint8Array(1_048_576);
  let sent = 0;
  let over = false;
  const sending = (async () => {
    while (!over) sent += await conn.write(block);
  })().catch(() => {});
  // The kernel's buffers of both directions fill; then nothing moves any more.
  let before = -1;
  await until(async () => {
    before = sent;
    await pause(100);
    return sent > 0 && sent === before;
  }, "the client is held back");
  const { readBytes, writtenBytes } = server.figures();
  assert(readBytes - writtenBytes <= 131_072, `${readBytes - writtenBytes} bytes are held`);
  over = true;
  conn.close();
  await sending;
});

Deno.test("serveEcho() closes connections on which nothing moves", async () => {
  const recorder = new Recorder();
  await using server = serveEcho(await listenLocally(), { idleTimeoutMs: 50, observer: recorder });
  using client = await RawClient.connect(server.address);
  assert(await client.closed());
  assertEquals(await recorder.ended(1), ["idle"]);
});

Deno.test("serveEcho() refuses connections above its limit", async () => {
  await using server = serveEcho(await listenLocally(), { maxConnections: 1 });
  using first = await RawClient.connect(server.address);
  await first.send(hello);
  await first.chunk();
  using second = await RawClient.connect(server.address);
  assert(await second.closed());
  assertEquals(server.figures().refused, 1);
  await first.send(hello);
  assertEquals(await first.chunk(), hello);
});

Deno.test("serveEcho() drains: what came is echoed, then the connection ends", async () => {
  const recorder = new Recorder();
  const controller = new AbortController();
  const { signal } = controller;
  const server = serveEcho(await listenLocally(), { signal, observer: recorder });
  using client = await RawClient.connect(server.address);
  await client.send(hello);
  assertEquals(await client.chunk(), hello);
  controller.abort();
  assertEquals(await client.chunk(), undefined);
  client.close();
  await deadline(server.finished, "the server's end");
  assertEquals(recorder.reasons, ["drained"]);
  assertEquals(server.forced, 0);
});

Deno.test("serveEcho() ends after one client with maxAccepted 1", async () => {
  const server = serveEcho(await listenLocally(), { maxAccepted: 1 });
  using client = await RawClient.connect(server.address);
  assertEquals(await sendAndDrain(client, hello), hello);
  await deadline(server.finished, "the server's end");
});

Deno.test("serveEcho() outlives a client that resets", async () => {
  const recorder = new Recorder();
  await using server = serveEcho(await listenLocally(), { observer: recorder });
  const rude = await RawClient.connect(server.address);
  await rude.send(new Uint8Array(100_000));
  rude.close();
  await recorder.ended(1);
  using client = await RawClient.connect(server.address);
  assertEquals(await sendAndDrain(client, hello), hello);
});

Deno.test("serveEcho() shows the data to its observer", async () => {
  const seen: [EchoPeer, string][] = [];
  await using server = serveEcho(await listenLocally(), {
    observer: { received: (peer, bytes) => seen.push([peer, new TextDecoder().decode(bytes)]) },
  });
  using client = await RawClient.connect(server.address);
  await sendAndDrain(client, hello);
  assertEquals(seen.map(([peer, text]) => [peer.remote.transport, text]), [["tcp", "hello"]]);
});

Deno.test("serveEcho() works over TLS, IPv6 and Unix sockets", async () => {
  using scratch = new Scratch();
  const windows = Deno.build.os === "windows";
  for (
    const [address, tls] of [
      [{ transport: "tcp", hostname: "localhost", port: 0 }, SERVER_TLS],
      [{ transport: "tcp", hostname: "::1", port: 0 }, undefined],
      ...(windows ? [] : [[{ transport: "unix", path: scratch.at("s") }, undefined] as const]),
    ] as const
  ) {
    await using server = serveEcho(await listen(address, { tls }));
    const dialled = tls && server.address.transport === "tcp"
      ? { ...server.address, hostname: "localhost" }
      : server.address;
    const caCerts = [CA];
    using client = await RawClient.connect(dialled, { tls: tls && { caCerts } });
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    assertEquals(await sendAndDrain(client, bytes), bytes);
  }
});
