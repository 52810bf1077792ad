/** The limits of a web server, in time, connections and memory, and its end. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Route } from "../../lib/web/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { ownAddress } from "../support/own_address.ts";
import { readToEnd, sendRaw } from "./raw_http.ts";
import { ROUTES, serve } from "./sample_site.ts";

Deno.test("limits in time close what stands still, and nothing else", async () => {
  const body = "x".repeat(16 * 1_048_576);
  await using server = await serve({
    headerTimeoutMs: 200,
    bodyTimeoutMs: 200,
    idleTimeoutMs: 200,
    writeTimeoutMs: 200,
    routes: [...ROUTES, { method: "GET", path: "/large", handle: () => ({ status: 200, body }) }],
  });
  // Neither a silent client nor one that sends a byte now and then holds a connection.
  const silent = sendRaw(server, "");
  const slow = (async () => {
    using conn = await Deno.connect(server.address as Deno.ConnectOptions);
    const reading = readToEnd(conn);
    const bytes = new TextEncoder().encode(
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"y".repeat(4_000)}`,
    );
    let open = true;
    void reading.then(() => open = false);
    for (let at = 0; open && at < bytes.length; at++) {
      await conn.write(bytes.subarray(at, at + 1)).catch(() => open = false);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return await reading;
  })();
  const part = sendRaw(
    server,
    "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhel",
  );
  const idle = sendRaw(server, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const deaf = await Deno.connect(server.address as Deno.ConnectOptions);
  await deaf.write(new TextEncoder().encode("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  assertEquals((await silent).status, 408);
  assertMatch(await deadline(slow, "a slow head"), /^HTTP\/1\.1 408 /);
  assertEquals((await part).status, 408);
  assertEquals((await idle).status, 200);
  await until(() => server.connections === 0);
  deaf.close();
});

Deno.test("with too many connections, one is closed that waits for nothing, or sends nothing", async () => {
  const gate = Promise.withResolvers<void>();
  const routes: Route[] = [...ROUTES, {
    method: "GET",
    path: "/wait",
    handle: async () => {
      await gate.promise;
      return { status: 200, body: "waited" };
    },
  }];
  await using server = await serve({ maxConnections: 8, routes });
  const request = (path: string, close = true) =>
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${close ? "Connection: close\r\n" : ""}\r\n`;
  const silent = sendRaw(server, "");
  await until(() => server.connections === 1);
  const busy = sendRaw(server, request("/wait"));
  // They keep their connections: the first one is closed, before the one that has asked nothing yet.
  const idle = sendRaw(server, request("/healthz", false));
  await until(() => server.connections === 3);
  const kept: Deno.Conn[] = [];
  const ask = async (conn: Deno.Conn) => {
    await conn.write(new TextEncoder().encode(request("/healthz", false)));
    return (await deadline(conn.read(new Uint8Array(1_000)), "an answer"))!;
  };
  for (let i = 0; i < 5; i++) {
    const conn = await Deno.connect(server.address as Deno.ConnectOptions);
    kept.push(conn);
    assert(await ask(conn) > 12);
  }
  assertEquals((await sendRaw(server, request("/healthz"))).status, 200);
  assertEquals((await idle).status, 200);
  assertEquals(server.displaced, 1);
  await until(() => server.connections === 7);
  // Those that begin a request and do not end it keep nobody out, as many as they are. When they have
  // a quarter of the room, they push out nobody else who was answered before.
  const slow = Array.from({ length: 20 }, () => sendRaw(server, "GET / HTTP/1.1\r\nHost: "));
  await until(() => server.displaced >= 20);
  for (let i = 0; i < 5; i++) {
    assertEquals((await sendRaw(server, request("/healthz"))).status, 200);
    await until(() => server.connections < 8);
  }
  assertEquals((await silent).status, 0);
  const [first, ...others] = kept;
  first!.close();
  for (const conn of others) {
    assert(await ask(conn) > 12);
    conn.close();
  }
  gate.resolve();
  assertEquals((await busy).body, "waited");
  await server.drain(0);
  await Promise.all(slow);
});

Deno.test("replies that nobody takes have a bound in memory", async () => {
  const routes: Route[] = [...ROUTES, {
    method: "GET",
    path: "/large",
    handle: () => ({ status: 200, body: new Uint8Array(16 * 1_048_576) }),
  }];
  await using server = await serve({ routes, maxMemoryBytes: 33 * 1_048_576 });
  const deaf: Deno.Conn[] = [];
  const ask = async () => {
    const conn = await Deno.connect(server.address as Deno.ConnectOptions);
    deaf.push(conn);
    await conn.write(
      new TextEncoder().encode(
        "GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      ),
    );
    const bytes = new Uint8Array(12);
    await conn.read(bytes);
    return new TextDecoder().decode(bytes);
  };
  assertEquals(await ask(), "HTTP/1.1 200");
  assertEquals(await ask(), "HTTP/1.1 200");
  assertEquals(await ask(), "HTTP/1.1 503");
  for (const conn of deaf) conn.close();
  await until(() => server.connections === 0);
  const reply = await sendRaw(
    server,
    "GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
  );
  assertEquals([reply.status, reply.body.length], [200, 16 * 1_048_576]);
});

Deno.test("draining answers what is at work, and closes what is idle", async () => {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const routes: Route[] = [...ROUTES, {
    method: "GET",
    path: "/wait",
    async handle() {
      begun.resolve();
      await gate.promise;
      return { status: 200, body: "waited" };
    },
  }];
  await using server = await serve({ routes }, ownAddress());
  const idle = sendRaw(server, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const busy = sendRaw(server, "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await begun.promise;
  const drained = server.drain();
  assertEquals((await idle).status, 200);
  gate.resolve();
  const { body, headers } = await busy;
  assertEquals([body, headers["connection"]], ["waited", "close"]);
  await deadline(drained, "draining");
  await assertRejects(() => sendRaw(server, ""), Deno.errors.ConnectionRefused);
});
