/** Connections over WebSockets as browsers have them: bytes both ways, bounds, and every way to end. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AddressError, ConnectionError, formatAddress } from "../../lib/net/mod.ts";
import { openWebSocket, toWebSocketAddress } from "../../lib/net/web_socket.ts";
import type { ByteDuplex } from "../../lib/net/bytes/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { serveBareWebSockets, serveWebSockets } from "../support/web_socket_peers.ts";

const open = (url: string) =>
  deadline(openWebSocket(toWebSocketAddress(url)), "opening a WebSocket");

async function readAll(duplex: ByteDuplex, count: number, most = 1_000): Promise<Uint8Array> {
  const all = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const read = await deadline(duplex.read(all.subarray(at, at + most)), "a read");
    assert(read !== null, `the end after ${at} of ${count} bytes`);
    at += read;
  }
  return all;
}

const shown = (text: string | URL) => formatAddress(toWebSocketAddress(text));

Deno.test("toWebSocketAddress() reads what browsers take for one, and nothing else", () => {
  const good: Readonly<Record<string, string>> = {
    "ws://localhost:9090/ws": "ws://localhost:9090/ws",
    "wss://example.org": "wss://example.org:443/",
    "ws://h/ws?x=1": "ws://h:80/ws?x=1",
    "http://127.0.0.1:1/ws?x=1#part": "ws://127.0.0.1:1/ws?x=1",
    "HTTPS://[::1]:8443/ws": "wss://[::1]:8443/ws",
    "https://[::1]/ws": "wss://[::1]:443/ws",
  };
  for (const [text, expected] of Object.entries(good)) {
    assertEquals(shown(text), expected);
    assertEquals(shown(new URL(text)), expected);
  }
  for (
    const text of ["", "/ws", "localhost:9090", "ftp://x/", "ws://", "ws://h:99999/", "unix:/x"]
  ) {
    assertThrows(() => toWebSocketAddress(text), AddressError, "ws://HOST:PORT/PATH", text);
  }
  for (const scheme of ["ws", "wss", "http", "https"]) {
    const text = `${scheme}://ada:secret@h/ws`;
    const error = assertThrows(() => toWebSocketAddress(text), AddressError, "user");
    assert(!error.message.includes("secret") && !error.text.includes("secret"));
  }
});

Deno.test("in a page, toWebSocketAddress() takes the rest from the page", () => {
  const there = Object.getOwnPropertyDescriptor(globalThis, "location")!;
  try {
    for (
      const [page, text, expected] of [
        ["https://h:8443/live?x", "/ws", "wss://h:8443/ws"],
        ["http://h/a/b", "ws", "ws://h:80/a/ws"],
        ["http://h/", "ws://other:1/ws", "ws://other:1/ws"],
      ] as const
    ) {
      Object.defineProperty(globalThis, "location", { value: { href: page }, configurable: true });
      assertEquals(shown(text), expected);
    }
  } finally {
    Object.defineProperty(globalThis, "location", there);
  }
});

Deno.test("bytes go both ways, however they are cut and read", async () => {
  await using server = serveWebSockets((socket) => {
    let size = 1;
    socket.onmessage = ({ data }) => {
      for (let at = 0; at < data.byteLength; at += size, size = size * 3 % 1_001 + 1) {
        socket.send(data.slice(at, at + size));
        if (size % 2 === 0) socket.send(new Uint8Array(0));
      }
    };
  });
  const duplex = await open(server.url);
  const memory = new Uint8Array(100_000);
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 5_000 }),
      fc.integer({ min: 1, max: 2_000 }),
      async (bytes, most) => {
        memory.set(bytes);
        for (let at = 0; at < bytes.length;) {
          at += await deadline(duplex.write(memory.subarray(at, bytes.length)), "a write");
        }
        // The memory is the caller's again.
        memory.fill(0, 0, bytes.length);
        assertEquals(await readAll(duplex, bytes.length, most), bytes);
      },
    ),
    { numRuns: 30 },
  );
  assertEquals(await duplex.write(memory), 65_536);
  await readAll(duplex, 65_536);
  duplex.close();
  assertEquals(await duplex.read(memory), null);
  await assertRejects(() => duplex.write(memory), ConnectionError, "closed");
});

Deno.test("a server that does not read holds up writes, and its end fails them", async () => {
  let conn: Deno.Conn | undefined;
  await using server = serveBareWebSockets((opened) => conn = opened);
  const duplex = await open(server.url);
  const chunk = new Uint8Array(1_000_000);
  let written = 0;
  let last = -1;
  const failed = assertRejects(async () => {
    while (written < 100_000_000) written += await duplex.write(chunk);
  }, ConnectionError);
  // As long as something is taken, it was not held up.
  await until(() => {
    const same = written === last && written > 0;
    last = written;
    return same;
  }, "a write that waits");
  assert(written < 50_000_000, `${written} bytes were taken`);
  conn!.close();
  await deadline(failed, "the writes' end");
});

Deno.test("what nobody reads has a bound, and going over it ends the connection", async () => {
  await using server = serveWebSockets((socket) => {
    for (let i = 0; i < 20; i++) socket.send(new Uint8Array(1_000_000));
  });
  const duplex = await open(server.url);
  await until(async () => {
    // Writing tells that it has ended, and reads nothing.
    try {
      await duplex.write(new Uint8Array(1));
      return false;
    } catch {
      return true;
    }
  }, "the end of the connection");
  const error = await assertRejects(() => duplex.read(new Uint8Array(10)), ConnectionError);
  assertEquals([error.operation, error.code], ["read", "failed"]);
  assert(error.message.includes("16777216 bytes came that were not read"), error.message);
});

Deno.test("each way in which a WebSocket ends is told, behind what came before", async () => {
  const ends: readonly (readonly [end: (socket: WebSocket) => void, code: string, says: string])[] =
    [
      [(socket) => socket.close(), "end", ""],
      [(socket) => socket.close(1000, "done"), "end", ""],
      [(socket) => socket.close(3001, "no room"), "failed", "code 3001: no room"],
      [(socket) => socket.send("text"), "failed", "text"],
    ];
  for (const [end, code, says] of ends) {
    await using server = serveWebSockets((socket) => {
      socket.send(new Uint8Array([1, 2, 3]));
      end(socket);
    });
    const duplex = await open(server.url);
    const read = () => deadline(duplex.read(new Uint8Array(2)), "a read");
    if (code === "end") {
      assertEquals([await read(), await read(), await read(), await read()], [2, 1, null, null]);
      continue;
    }
    const error = await assertRejects(
      async () => {
        while (await read() !== null);
      },
      ConnectionError,
      says,
    );
    assertEquals([error.operation, error.code], ["read", code]);
  }
});

Deno.test("a connection that breaks off is no end", async () => {
  const conns: Deno.Conn[] = [];
  await using server = serveBareWebSockets((conn) => conns.push(conn));
  const duplex = await open(server.url);
  await until(() => conns.length === 1);
  await conns[0]!.write(new Uint8Array([0x82, 3, 1, 2, 3, 0x82, 5, 1]));
  assertEquals(await readAll(duplex, 3), new Uint8Array([1, 2, 3]));
  const reading = assertRejects(() => duplex.read(new Uint8Array(1)), ConnectionError);
  conns[0]!.close();
  const { operation, code } = await deadline(reading);
  assertEquals([operation, code], ["read", "reset"]);
});

Deno.test("opening fails in time, and as the caller says", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = toWebSocketAddress(`ws://127.0.0.1:${silent.addr.port}/ws`);
  const late = await assertRejects(
    () => openWebSocket(address, { timeoutMs: 20 }),
    ConnectionError,
    "it took too long",
  );
  assertEquals([late.operation, late.code], ["connect", "timed-out"]);
  const enough = new Error("enough");
  for (const signal of [AbortSignal.abort(enough), laterAborted(enough)]) {
    assertEquals(await assertRejects(() => openWebSocket(address, { signal })), enough);
  }
  await assertRejects(() => openWebSocket(address, { timeoutMs: -1 }), RangeError, "timeoutMs");
  silent.close();
  const refused = await assertRejects(() => openWebSocket(address), ConnectionError);
  assertEquals([refused.operation, refused.address], ["connect", address]);
});

function laterAborted(reason: unknown): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 1);
  return controller.signal;
}
