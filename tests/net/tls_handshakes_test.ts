/** TLS handshakes that fail, or never end: what they cost the server, and others. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { redirectErrors } from "../../lib/base/report.ts";
import { ConnectionError, dial, listen, serveConnections } from "../../lib/net/mod.ts";
import { resolveServerTls } from "../../lib/net/handshake_limits.ts";
import type { Address, Listener, ServerTls, TcpAddress } from "../../lib/net/mod.ts";
import { PendingHandshakes } from "../../lib/net/pending_handshakes.ts";
import { checkCertificate } from "../../lib/net/server_certificate.ts";
import { TlsListener } from "../../lib/net/tls_listener.ts";
import { deadline, until } from "../support/deadline.ts";
import { echo, LOOPBACK, Recorder } from "../support/peers.ts";
import { assertEchoes, NEXT_CA, NEXT_TLS, SERVER_TLS, TRUSTING } from "../support/tls.ts";

/** Serves echo over TLS. */
async function serveTls(limits: Partial<ServerTls> = {}) {
  const observer = new Recorder();
  const listener = await listen(LOOPBACK, { tls: { ...SERVER_TLS, ...limits } });
  const server = serveConnections(listener, { serve: echo }, { observer, drainTimeoutMs: 0 });
  return { server, observer, handshakes: listener.handshakes! };
}

/** Whether the server has closed it. */
async function isClosed(conn: Deno.Conn): Promise<boolean> {
  try {
    return await deadline(conn.read(new Uint8Array(1_000))) === null;
  } catch (error) {
    return error instanceof Deno.errors.ConnectionReset;
  }
}

Deno.test("a handshake that takes too long is closed, counted and told", async () => {
  const { server, observer, handshakes } = await serveTls({ handshakeTimeoutMs: 50 });
  await using _ = server;
  using silent = await dial(server.address);
  using slow = await dial(server.address);
  await slow.write(Uint8Array.of(22, 3, 1));
  // On a busy machine the first may be over before the second has come.
  await until(() => handshakes.pending + handshakes.failed === 2);
  assert(await isClosed(silent) && await isClosed(slow));
  await until(() => handshakes.pending === 0);
  assertEquals(handshakes.failed, 2);
  assertEquals(
    observer.acceptErrors.map(({ operation, code }) => [operation, code]),
    [["tls-handshake", "timed-out"], ["tls-handshake", "timed-out"]],
  );
  assertEquals([server.accepted, server.refused], [0, 0]);
  // On a busy machine, a handshake may take longer than it may here.
  await until(() => assertEchoes(server.address as TcpAddress).then(() => true, () => false));
});

Deno.test("what a program throws that is told of a failed handshake is reported", async () => {
  const reported: unknown[] = [];
  using _ = redirectErrors((error) => reported.push(error));
  using listener = await listen(LOOPBACK, { tls: SERVER_TLS });
  listener.handshakes!.onFailed = () => {
    throw new Error("mine");
  };
  const accepting = assertRejects(() => listener.accept());
  using client = await dial(listener.address);
  await client.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  await until(() => reported.length > 0);
  assertEquals(String(reported), "Error: mine");
  listener.close();
  await accepting;
});

Deno.test("one handshake too many ends the oldest that has not begun", async () => {
  const { server, observer, handshakes } = await serveTls({ maxHandshakes: 2 });
  await using _ = server;
  using begun = await dial(server.address);
  await begun.write(await clientHello());
  // The server has answered.
  assert((await deadline(begun.read(new Uint8Array(10_000))))! > 100);
  using silent = await dial(server.address);
  await until(() => handshakes.pending === 2);
  using third = await dial(server.address);
  assert(await isClosed(silent));
  await until(() => handshakes.failed === 1);
  assertEquals([handshakes.pending, observer.acceptErrors[0]?.code], [2, "tls"]);
  // Those that have begun have half of the room, so the first has to go.
  await third.write(await clientHello());
  assert((await deadline(third.read(new Uint8Array(10_000))))! > 100);
  await assertEchoes(server.address as TcpAddress);
  assertEquals([handshakes.pending, handshakes.failed], [1, 2]);
});

Deno.test("clients of one address that shake hands at once end no handshake of each other", async () => {
  const CLIENTS = 130;
  const { server, handshakes } = await serveTls();
  await using _ = server;
  const hello = await clientHello();
  const clients = await Promise.all(Array.from({ length: CLIENTS }, async () => {
    const client = await dial(server.address);
    await client.write(hello);
    return client;
  }));
  // An answer, not the end.
  for (const client of clients) {
    assert((await deadline(client.read(new Uint8Array(10_000))))! > 100);
  }
  assertEquals([handshakes.pending, handshakes.failed], [CLIENTS, 0]);
  for (const client of clients) client.close();
});

Deno.test("clients that come at once wait for each other, where there is little room", async () => {
  const CLIENTS = 40;
  const tls = { ...SERVER_TLS, maxHandshakes: 8 };
  const certificate = checkCertificate(tls, resolveServerTls(tls));
  const listener = new TlsListener(await listen(LOOPBACK), certificate, 60_000);
  await using _ = serveConnections(listener, { serve: echo });
  let most = 0;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    await assertEchoes(listener.address as TcpAddress);
    most = Math.max(most, listener.pending);
  }));
  assert(most <= 8, `${most} of 8`);
  assertEquals(listener.failed, 0);
});

Deno.test("clients that have sent something and wait for their turn count as handshakes too", async () => {
  const CLIENTS = 40;
  const { server, handshakes } = await serveTls({ maxHandshakes: 8 });
  await using _ = server;
  let most = 0;
  handshakes.onFailed = () => most = Math.max(most, handshakes.pending);
  const clients = await saidHello(CLIENTS, server.address);
  await until(() => handshakes.pending + handshakes.failed === CLIENTS);
  assert(most <= 8, `${most} of 8`);
  for (const client of clients) client.close();
});

Deno.test("PendingHandshakes gives up one of the network that has the most", () => {
  const pending = new PendingHandshakes<{ network: string; hasArrived: boolean; name: string }>();
  const add = (name: string, hasArrived = false) => {
    const handshake = { network: name[0]!, hasArrived, name };
    pending.add(handshake);
    return handshake;
  };
  assertEquals(pending.takeLeast(), undefined);
  add("a1", true);
  add("b1");
  const second = add("a2");
  add("a3");
  assertEquals(pending.size, 4);
  assertEquals([...pending].map(({ name }) => name).sort(), ["a1", "a2", "a3", "b1"]);
  assertEquals(pending.takeLeast()?.name, "a2");
  pending.delete(second);
  assertEquals(pending.size, 3);
  assertEquals(pending.takeLeast()?.name, "a3");
  assertEquals(pending.takeLeast()?.name, "a1", "of two with as many, the first");
  assertEquals([pending.takeLeast()?.name, pending.takeLeast()?.name], ["b1", undefined]);
  assertEquals(pending.size, 0);
});

Deno.test("PendingHandshakes leaves those alone who had no time to begin", () => {
  const pending = new PendingHandshakes<{ network: string; hasArrived: boolean; name: number }>();
  const all = Array.from(
    { length: 8 },
    (_, name) => ({ network: "a", hasArrived: name < 6, name }),
  );
  for (const handshake of all) pending.add(handshake);
  // Six of eight are old, and have begun.
  assertEquals(pending.takeLeast()?.name, 0);
  all[4]!.hasArrived = false;
  assertEquals(pending.takeLeast()?.name, 4);
});

Deno.test("handshakes begin by networks in turn: many of one hold up no other", async () => {
  const CLIENTS = 40;
  const inner = await listen(LOOPBACK);
  /** The networks of connections that were written to, in the order in which the first bytes went. */
  const answered: string[] = [];
  let accepted = 0;
  /** The last client comes from another network than all others. */
  const networks: Listener = {
    address: inner.address,
    secure: false,
    async accept() {
      const conn = await inner.accept();
      const hostname = ++accepted === CLIENTS ? "192.0.2.2" : "192.0.2.1";
      let isAnswered = false;
      return new Proxy(conn, {
        get(target, name) {
          if (name === "remoteAddr") return { ...target.remoteAddr, hostname };
          if (name === "write" && !isAnswered) {
            isAnswered = true;
            answered.push(hostname);
          }
          const value = Reflect.get(target, name);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    },
    close: () => inner.close(),
    [Symbol.dispose]: () => inner.close(),
  };
  const certificate = checkCertificate(SERVER_TLS, resolveServerTls(SERVER_TLS));
  using listener = new TlsListener(networks, certificate);
  const clients = await saidHello(CLIENTS, inner.address);
  const accepting = assertRejects(() => listener.accept());
  await until(() => answered.length === CLIENTS, "all are answered");
  const place = answered.indexOf("192.0.2.2");
  // Behind all others it would be the last. On a busy machine half of them begin before it is there.
  assert(place < CLIENTS * 3 / 4, `as number ${place + 1} of ${CLIENTS}`);
  listener.close();
  await accepting;
  for (const client of clients) client.close();
});

Deno.test("a connection that is accepted as its listener closes gets no handshake", async () => {
  using inner = await listen(LOOPBACK);
  const late = Promise.withResolvers<Deno.Conn>();
  const tls = { ...SERVER_TLS, handshakeTimeoutMs: 100_000 };
  const certificate = checkCertificate(tls, resolveServerTls(tls));
  const { address } = inner;
  const slow = { address, secure: false, accept: () => late.promise, close() {} } as Listener;
  const listener = new TlsListener(slow, certificate);
  const accepting = listener.accept();
  using client = await dial(address);
  const conn = await inner.accept();
  listener.close();
  await assertRejects(() => accepting, Deno.errors.BadResource);
  late.resolve(conn);
  assert(await isClosed(client));
  assertEquals(listener.pending, 0);
});

Deno.test("a listener that closes ends its handshakes, and rejects who waits", async () => {
  const listener = await listen(LOOPBACK, { tls: SERVER_TLS });
  const accepting = listener.accept();
  using silent = await dial(listener.address);
  await until(() => listener.handshakes!.pending === 1);
  listener.close();
  await assertRejects(() => deadline(accepting), Deno.errors.BadResource);
  await assertRejects(() => deadline(listener.accept()), Deno.errors.BadResource);
  assert(await isClosed(silent));
  assertEquals([listener.handshakes!.pending, listener.handshakes!.failed], [0, 0]);
});

Deno.test("limits of handshakes that are none are refused before anything listens", async () => {
  for (
    const limits of [
      { maxHandshakes: 0 },
      { maxHandshakes: 1.5 },
      { handshakeTimeoutMs: -1 },
      { handshakeTimeoutMs: NaN },
    ]
  ) {
    const error = await assertRejects(
      () => listen(LOOPBACK, { tls: { ...SERVER_TLS, ...limits } }),
      RangeError,
    );
    assert(error.message.startsWith("Cannot use "), error.message);
  }
});

Deno.test("another certificate is for who connects from then on; a broken one changes nothing", async () => {
  const { server, handshakes } = await serveTls();
  await using _ = server;
  using before = await dial(server.address, TRUSTING);
  await handshakes.renew(NEXT_TLS);
  await assertRejects(() => deadline(dial(server.address, TRUSTING)), ConnectionError);
  const error = await assertRejects(
    () => handshakes.renew({ cert: SERVER_TLS.cert, key: NEXT_TLS.key }),
    ConnectionError,
  );
  assertEquals([error.operation, error.code], ["listen", "tls"]);
  using after = await dial(server.address, { tls: { caCerts: [NEXT_CA] } });
  for (const conn of [before, after]) {
    await conn.write(Uint8Array.of(1));
    assertEquals(await deadline(conn.read(new Uint8Array(2))), 1);
  }
});

/** Clients that have said hello, one after the other. */
async function saidHello(count: number, address: Address): Promise<Deno.Conn[]> {
  const hello = await clientHello();
  const clients: Deno.Conn[] = [];
  for (let i = 0; i < count; i++) {
    const client = await dial(address);
    await client.write(hello);
    clients.push(client);
  }
  return clients;
}

/** What a client says first. */
async function clientHello(): Promise<Uint8Array> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const client = Deno.connectTls({ hostname: "127.0.0.1", port: listener.addr.port });
  const handshake = client.then((conn) => conn.handshake()).catch(() => {});
  const peer = await listener.accept();
  const bytes = new Uint8Array(10_000);
  const count = await deadline(peer.read(bytes));
  peer.close();
  await handshake;
  (await client).close();
  return bytes.subarray(0, count!);
}
