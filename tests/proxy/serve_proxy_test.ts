import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type Address,
  ConnectionError,
  dial,
  formatAddress,
  listen,
  type TcpAddress,
} from "../../lib/net/mod.ts";
import { redirectErrors } from "../../lib/base/report.ts";
import { exchangeEcho, serveEcho } from "../../lib/echo/mod.ts";
import {
  listenForProxy,
  type Proxy,
  ProxyError,
  type ProxyOptions,
  serveProxy,
} from "../../lib/proxy/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { assertReset, bytesOf, dialResettable, digestOf, readAll, writeAll } from "./ends.ts";
import { ownAddress } from "../support/own_address.ts";
import { Scratch } from "../support/scratch.ts";
import { SERVER_TLS, TRUSTING } from "../support/tls.ts";

const ANY_PORT = "127.0.0.1:0";

/** A proxy before a listener, and both ends of a connection through it. */
class Joined implements AsyncDisposable {
  readonly proxy: Proxy;
  readonly client: Deno.Conn;
  readonly upstream: Deno.Conn;
  readonly events: string[];
  readonly #listener: Disposable;

  private constructor(
    proxy: Proxy,
    client: Deno.Conn,
    upstream: Deno.Conn,
    listener: Disposable,
    events: string[],
  ) {
    this.proxy = proxy;
    this.client = client;
    this.upstream = upstream;
    this.#listener = listener;
    this.events = events;
  }

  static async make(
    options: ProxyOptions = {},
    at: Address | string = ANY_PORT,
    to: Address | string = ANY_PORT,
  ): Promise<Joined> {
    const events: string[] = [];
    const listener = await listen(to);
    const proxy = await serveProxy(at, listener.address, {
      ...options,
      observer: {
        opened: ({ id }) => events.push(`${id} opened`),
        halfClosed: ({ id }, direction) => events.push(`${id} half-closed ${direction}`),
        reset: ({ id }, by) => events.push(`${id} reset by ${by}`),
        closed: ({ id, upBytes, downBytes }, reason) =>
          events.push(`${id} closed ${reason} ${upBytes}/${downBytes}`),
      },
    });
    const [client, upstream] = await deadline(
      Promise.all([dial(proxy.address), listener.accept()]),
      "a connection through the proxy",
    );
    return new Joined(proxy, client, upstream, listener, events);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const conn of [this.client, this.upstream]) {
      try {
        conn.close();
      } catch {
        // The test closed it.
      }
    }
    this.#listener[Symbol.dispose]();
    await this.proxy[Symbol.asyncDispose]();
  }
}

Deno.test("a proxy passes bytes both ways at once, and the end of either half", async () => {
  for (const first of ["client", "upstream"] as const) {
    await using joined = await Joined.make();
    const { client, upstream, events } = joined;
    const [one, other] = first === "client" ? [client, upstream] : [upstream, client];
    const sent = bytesOf(3_000_000);
    const [received] = await deadline(Promise.all([
      readAll(other),
      writeAll(one, sent).then(() => one.closeWrite()),
    ]));
    assertEquals(await digestOf(received), await digestOf(sent));
    // The other half goes on.
    const answer = bytesOf(2_000_000, 7);
    const [answered] = await deadline(Promise.all([
      readAll(one),
      writeAll(other, answer).then(() => other.closeWrite()),
    ]));
    assertEquals(await digestOf(answered), await digestOf(answer));
    await until(() => events.length === 4);
    const ways = first === "client" ? ["up", "down"] : ["down", "up"];
    const [up, down] = first === "client" ? [3e6, 2e6] : [2e6, 3e6];
    assertEquals(events, [
      "1 opened",
      ...ways.map((way) => `1 half-closed ${way}`),
      `1 closed done ${up}/${down}`,
    ]);
    assertEquals(joined.proxy.connections.size, 0);
  }
});

Deno.test("a proxy lends the bytes that it passes, with their offsets", async () => {
  let passed = "";
  await using server = await serveEcho(ANY_PORT);
  await using proxy = await serveProxy(ANY_PORT, server.address, {
    observer: {
      passed(connection, direction, bytes, offset) {
        assertEquals(offset, direction === "up" ? connection.upBytes : connection.downBytes);
        passed += `${direction} ${new TextDecoder().decode(bytes)};`;
      },
    },
  });
  using client = await dial(proxy.address);
  await writeAll(client, new TextEncoder().encode("abc"));
  await client.closeWrite();
  assertEquals(new TextDecoder().decode(await deadline(readAll(client))), "abc");
  assertEquals(passed, "up abc;down abc;");
});

Deno.test("a reset of either side comes out at the other", async () => {
  for (const who of ["client", "upstream"] as const) {
    const events: string[] = [];
    // What is dialled through a proxy without an upstream is reset: so is this proxy's connection.
    await using resetting = await serveProxy(ANY_PORT, ownAddress());
    using target = await listen(ANY_PORT);
    const upstream = who === "client" ? target.address : resetting.address;
    await using proxy = await serveProxy(ANY_PORT, upstream, {
      observer: { reset: (_, by) => events.push(by) },
    });
    if (who === "client") {
      const client = await dialResettable(proxy.address);
      using accepted = await deadline(target.accept());
      client.write("abc");
      assertEquals(await deadline(accepted.read(new Uint8Array(3))), 3);
      client.resetAndDestroy();
      await assertReset(accepted);
    } else await assertReset(proxy.address);
    await until(() => events.length > 0);
    assertEquals(events, [who]);
  }
});

Deno.test("a client whose upstream cannot be reached is reset, and the reason is told", async () => {
  const told: unknown[] = [];
  await using proxy = await serveProxy(ANY_PORT, ownAddress(), {
    observer: { closed: (_, reason, error) => told.push(reason, error) },
  });
  await assertReset(proxy.address);
  await until(() => told.length > 0);
  assertEquals(told[0], "unreachable");
  assert(told[1] instanceof ConnectionError);
  assertEquals([told[1].code, told[1].operation], ["refused", "connect"]);
});

Deno.test("a side that does not read costs a bounded amount, and loses nothing", async () => {
  for (const reader of ["client", "upstream"] as const) {
    await using joined = await Joined.make();
    const { client, upstream, proxy } = joined;
    const [from, to] = reader === "client" ? [upstream, client] : [client, upstream];
    const sent = bytesOf(30_000_000);
    let written = 0;
    const writing = writeAll(from, sent, (count) => written = count)
      .then(() => from.closeWrite());
    const connection = proxy.connections.values().next().value!;
    const taken = () => reader === "client" ? connection.downBytes : connection.upBytes;
    // It stands still: the systems' buffers are full.
    let last = -1;
    await until(async () => {
      const before = last;
      last = taken();
      await new Promise((resolve) => setTimeout(resolve, 50));
      return before === last && last > 0;
    });
    assert(written < sent.length, "the writer is held back");
    const received = await deadline(readAll(to));
    await deadline(writing);
    assertEquals(await digestOf(received), await digestOf(sent));
  }
});

Deno.test("faults that are set while a side does not read lose nothing, nor does clearing them", async () => {
  await using joined = await Joined.make({ seed: 1 });
  const { client, upstream, proxy } = joined;
  const sent = bytesOf(8_000_000);
  const writing = writeAll(client, sent).then(() => client.closeWrite());
  const connection = proxy.connections.values().next().value!;
  let last = -1;
  await until(async () => {
    const before = last;
    last = connection.upBytes;
    await new Promise((resolve) => setTimeout(resolve, 50));
    return before === last && last > 0;
  });
  proxy.set(["both delay 10ms", "up slice 1000..2000B"]);
  const first = new Uint8Array(3_000_000);
  for (let at = 0; at < first.length;) {
    at += await deadline(upstream.read(first.subarray(at))) ?? first.length;
  }
  proxy.set([]);
  const rest = await deadline(readAll(upstream));
  await deadline(writing);
  const received = new Uint8Array(sent.length);
  received.set(first);
  received.set(rest, first.length);
  assertEquals([first.length + rest.length, await digestOf(received)], [
    sent.length,
    await digestOf(sent),
  ]);
});

Deno.test("a proxy on localhost listens on 127.0.0.1 and ::1, as servers do, and is no upstream of its own", async () => {
  await using server = await serveEcho("localhost:0");
  const { hostname } = server.address as TcpAddress;
  const hosts = hostname === "localhost" ? ["127.0.0.1", "[::1]"] : [hostname];
  for (const tls of [undefined, SERVER_TLS]) {
    await using proxy = await serveProxy("localhost:0", server.address, { tls });
    const { hostname: told, port } = proxy.address as TcpAddress;
    assertEquals(told, hostname);
    for (const host of hosts) {
      using client = await dial(`${host}:${port}`, tls ? TRUSTING : {});
      await writeAll(client, bytesOf(3));
      assertEquals(await deadline(client.read(new Uint8Array(9))), 3);
      const error = await assertRejects(
        () => serveProxy(`localhost:${port}`, `${host}:${port}`),
        Error,
      );
      assert(error instanceof ConnectionError && error.code === "address-in-use", String(error));
    }
  }
  using listener = await listenForProxy("localhost:0");
  const { port } = listener.address as TcpAddress;
  for (const host of ["localhost", ...hosts]) {
    assertThrows(() => serveProxy(listener, `${host}:${port}`), ProxyError, "listens there");
  }
});

Deno.test("a proxy stands between Unix sockets, and between those and TCP", async () => {
  using folder = new Scratch();
  const [one, other] = [`unix:${folder.at("one")}`, `unix:${folder.at("other")}`];
  for (const [at, to] of [[one, other], [ANY_PORT, other], [one, ANY_PORT]] as const) {
    await using joined = await Joined.make({}, at, to);
    const { client, upstream, proxy } = joined;
    if (at === one) assertEquals(formatAddress(proxy.address), one);
    await writeAll(client, bytesOf(100_000));
    await client.closeWrite();
    assertEquals((await deadline(readAll(upstream))).length, 100_000);
    await writeAll(upstream, bytesOf(5));
    await upstream.closeWrite();
    assertEquals((await deadline(readAll(client))).length, 5);
  }
});

Deno.test("a proxy to itself is refused, and one that is led back to itself resets", async () => {
  const error = await assertRejects(async () => {
    const listener = await listenForProxy(ANY_PORT);
    try {
      serveProxy(listener, listener.address);
    } finally {
      listener.close();
    }
  }, ProxyError);
  assertEquals(error.code, "loop");
  // Two proxies that lead to each other: neither address tells.
  const reasons: string[] = [];
  const observer = { closed: (_: unknown, reason: string) => void reasons.push(reason) };
  const listener = await listenForProxy(ANY_PORT);
  await using second = await serveProxy(ANY_PORT, listener.address, { observer });
  await using _first = serveProxy(listener, second.address, { observer });
  await assertReset(second.address);
  await until(() => second.connections.size === 0);
  assert(reasons.includes("loop"), reasons.join());
});

Deno.test("above the limit of connections clients are reset, and others stay", async () => {
  await using joined = await Joined.make({ maxConnections: 1 });
  await writeAll(joined.client, bytesOf(3));
  await until(() => [...joined.proxy.connections].every(({ upBytes }) => upBytes === 3));
  await assertReset(joined.proxy.address);
  await joined.client.closeWrite();
  assertEquals((await deadline(readAll(joined.upstream))).length, 3);
});

Deno.test("a proxy that drains lets connections finish, and breaks off the others in time", async () => {
  await using joined = await Joined.make();
  const { proxy, client, upstream, events } = joined;
  const draining = proxy.drain();
  await writeAll(client, bytesOf(3));
  await client.closeWrite();
  assertEquals((await deadline(readAll(upstream))).length, 3);
  await upstream.closeWrite();
  await deadline(draining);
  assertEquals([proxy.forced, events.at(-1)], [0, "1 closed drained 3/0"]);
  await using late = await Joined.make();
  await deadline(late.proxy.drain(10));
  assertEquals([late.proxy.forced, late.events.at(-1)], [1, "1 closed forced 0/0"]);
  await assertReset(late.client);
});

Deno.test("a listener of listen() is refused: its connections could not be reset", async () => {
  using listener = await listen(ANY_PORT);
  try {
    serveProxy(listener as never, "127.0.0.1:1");
    throw new Error("not refused");
  } catch (error) {
    assert(error instanceof TypeError);
    assert(error.message.includes("listenForProxy"));
  }
});

Deno.test("many clients at once are no loop, whatever ports the system gives to whom", async () => {
  const reasons: string[] = [];
  await using server = await serveEcho(ANY_PORT);
  await using proxy = await serveProxy(ANY_PORT, server.address, {
    observer: { closed: (_, reason) => reasons.push(reason) },
  });
  // With so many, some clients have the port of a connection to the upstream.
  const clients = await deadline(
    Promise.all(Array.from({ length: 300 }, () => dial(proxy.address))),
  );
  await deadline(Promise.all(clients.map(async (client, i) => {
    await writeAll(client, bytesOf(10, i));
    await client.closeWrite();
    assertEquals(await readAll(client), bytesOf(10, i));
    client.close();
  })));
  await until(() => reasons.length === clients.length);
  assertEquals([...new Set(reasons)], ["done"]);
});

Deno.test("methods of an observer are called as its own, and what they throw is reported", async () => {
  const reported: string[] = [];
  using _ = redirectErrors((error) => reported.push((error as Error).message));
  class Observer {
    readonly seen: string[] = [];
    opened() {
      this.seen.push("opened");
    }
    passed() {
      this.seen.push("passed");
      throw new Error("mine");
    }
    closed() {
      this.seen.push("closed");
    }
  }
  const observer = new Observer();
  await using echo = await serveEcho("127.0.0.1:0");
  {
    await using proxy = await serveProxy("127.0.0.1:0", echo.address, { observer });
    await deadline(exchangeEcho(proxy.address, new Blob(["x"]).stream()));
  }
  assertEquals(new Set(observer.seen), new Set(["opened", "passed", "closed"]));
  assertEquals(new Set(reported), new Set(["mine"]));
});
