import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type Address,
  ConnectionError,
  dial,
  type DialOptions,
  listen,
  type Listener,
  serveConnections,
} from "../../lib/net/mod.ts";
import { resolveServerTls } from "../../lib/net/handshake_limits.ts";
import { startNodeTls } from "../../lib/net/node_tls.ts";
import { checkCertificate } from "../../lib/net/server_certificate.ts";
import { TlsListener } from "../../lib/net/tls_listener.ts";
import { addressOf } from "../../lib/net/address_of.ts";
import { deadline, pause, until } from "../support/deadline.ts";
import { echo, listenLocally, LOOPBACK, Recorder } from "../support/peers.ts";
import { skip } from "../support/skip.ts";
import { CA, OTHER_CA, SERVER_TLS, TRUSTING } from "../support/tls.ts";

function listenTls(hostname = "127.0.0.1"): Promise<Listener> {
  return listen({ ...LOOPBACK, hostname }, { tls: SERVER_TLS });
}

function serveEcho(listener: Listener, observer = new Recorder()) {
  return serveConnections(listener, { serve: echo }, { observer, drainTimeoutMs: 0 });
}

async function assertEchoes(conn: Deno.Conn): Promise<void> {
  await conn.write(new TextEncoder().encode("hi"));
  const buffer = new Uint8Array(10);
  assertEquals(await deadline(conn.read(buffer)), 2);
}

async function assertTlsError(address: Address, options: DialOptions, message: RegExp) {
  const error = await assertRejects(() => deadline(dial(address, options)), ConnectionError);
  assertEquals([error.operation, error.code], ["tls-handshake", "tls"], error.message);
  assert(message.test(error.message), error.message);
}

Deno.test("TLS carries bytes where the authority is trusted", async () => {
  await using server = serveEcho(await listenTls());
  using conn = await dial(server.address, TRUSTING);
  await assertEchoes(conn);
  assertEquals(addressOf(conn.remoteAddr), server.address);
  const [accepted] = server.connections;
  assertEquals(accepted?.remote, addressOf(conn.localAddr));
});

Deno.test("TLS is dialled by name too, or with the name that is told", async () => {
  await using server = serveEcho(await listenTls());
  const { port } = server.address as { port: number };
  using byName = await dial({ transport: "tcp", hostname: "localhost", port }, TRUSTING);
  await assertEchoes(byName);
  const tls = { caCerts: [CA], serverName: "localhost" };
  using told = await dial(server.address, { tls });
  await assertEchoes(told);
});

Deno.test("TLS is dialled on IPv6", async () => {
  let listener: Listener;
  try {
    listener = await listenTls("::1");
  } catch {
    skip("this machine has no IPv6");
    return;
  }
  await using server = serveEcho(listener);
  using conn = await dial(server.address, TRUSTING);
  await assertEchoes(conn);
});

Deno.test("half-close works over TLS", async () => {
  await using server = serveEcho(await listenTls());
  using conn = await dial(server.address, TRUSTING);
  const sent = new Uint8Array(300_000).fill(7);
  const sending = (async () => {
    for (let at = 0; at < sent.length;) at += await conn.write(sent.subarray(at));
    await conn.closeWrite();
  })();
  let count = 0;
  const buffer = new Uint8Array(65_536);
  for (let n = await deadline(conn.read(buffer)); n !== null; n = await conn.read(buffer)) {
    count += n;
  }
  await deadline(sending);
  assertEquals(count, sent.length);
});

function oncePromised<T>(value: T): () => Promise<T> {
  let isTaken = false;
  return () => isTaken ? new Promise(() => {}) : (isTaken = true, Promise.resolve(value));
}

/** A connection whose writes wait until it is opened. */
function gated(conn: Deno.Conn): { readonly conn: Deno.Conn; shut(): void; open(): void } {
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  const held = {
    localAddr: conn.localAddr,
    remoteAddr: conn.remoteAddr,
    write: async (bytes: Uint8Array) => (await gate.promise, await conn.write(bytes)),
    read: (into: Uint8Array) => conn.read(into),
    closeWrite: () => conn.closeWrite(),
    close: () => conn.close(),
    ref() {},
    unref() {},
  } as unknown as Deno.Conn;
  return { conn: held, shut: () => gate = Promise.withResolvers(), open: () => gate.resolve() };
}

Deno.test("the end of a TLS stream is said when the socket has taken all of it, and nothing closes that before", async () => {
  for (const side of ["server", "client"] as const) {
    using tcp = await listen(LOOPBACK);
    const accepting = tcp.accept();
    const dialled = gated(await Deno.connect(tcp.address as Deno.ConnectOptions));
    const accepted = gated(await deadline(accepting));
    const inner = { ...tcp, accept: oncePromised(accepted.conn), close() {} };
    using listener = new TlsListener(
      inner,
      checkCertificate(SERVER_TLS, resolveServerTls(SERVER_TLS)),
    );
    const [client, server] = await deadline(Promise.all([
      startNodeTls(dialled.conn, "localhost", { insecure: true }, new AbortController().signal),
      listener.accept(),
    ]));
    const [ending, other, gate] = side === "server"
      ? [server, client, accepted]
      : [client, server, dialled];
    await other.closeWrite();
    assertEquals(await deadline(ending.read(new Uint8Array(1))), null);
    await ending.write(new Uint8Array(3).fill(7));
    gate.shut();
    let isSaid = false;
    const ended = (async () => {
      await ending.closeWrite();
      isSaid = true;
      ending.close();
    })();
    await pause(20);
    assertEquals(isSaid, false, side);
    gate.open();
    const into = new Uint8Array(9);
    assertEquals(await deadline(other.read(into)), 3, side);
    assertEquals(await deadline(other.read(into)), null, side);
    await deadline(ended);
    other.close();
  }
});

Deno.test("what TLS has encrypted and decrypted does not lie about until the next collection", async () => {
  const SENT_BYTES = 33_554_432;
  using listener = await listenTls();
  const [client, server] = await deadline(Promise.all([
    dial(listener.address, { tls: { insecure: true } }),
    listener.accept(),
  ]));
  const part = new Uint8Array(65_536);
  const into = new Uint8Array(65_536);
  for (const [from, to] of [[server, client], [client, server]] as const) {
    const before = Deno.memoryUsage().external;
    let most = before;
    const writing = (async () => {
      for (let sent = 0; sent < SENT_BYTES;) sent += await from.write(part);
    })();
    for (let left = SENT_BYTES; left > 0;) {
      left -= await deadline(to.read(into)) ?? left;
      most = Math.max(most, Deno.memoryUsage().external);
    }
    await deadline(writing);
    const more = most - before;
    assert(more < SENT_BYTES / 8, `${more} bytes more`);
  }
  client.close();
  server.close();
});

Deno.test("an authority that is not trusted ends the handshake", async () => {
  const observer = new Recorder();
  await using server = serveEcho(await listenTls(), observer);
  await assertTlsError(server.address, { tls: {} }, /certificate/);
  await assertTlsError(server.address, { tls: { caCerts: [OTHER_CA] } }, /certificate/);
  await until(() => observer.acceptErrors.length === 2, "the server was told");
  for (const { operation, code } of observer.acceptErrors) {
    assertEquals([operation, code], ["tls-handshake", "tls"]);
  }
  // The server goes on.
  using conn = await dial(server.address, TRUSTING);
  await assertEchoes(conn);
});

Deno.test("a certificate of another name ends the handshake", async () => {
  await using server = serveEcho(await listenTls());
  const tls = { caCerts: [CA], serverName: "example.org" };
  await assertTlsError(
    server.address,
    { tls },
    /is not for example\.org, only for localhost, 127\.0\.0\.1/,
  );
});

Deno.test("a TLS client of a server without TLS is told so", async () => {
  await using server = serveEcho(await listenLocally());
  await assertTlsError(server.address, TRUSTING, /./);
});

Deno.test("a plain client of a TLS server ends its own connection alone", async () => {
  const observer = new Recorder();
  await using server = serveEcho(await listenTls(), observer);
  using good = await dial(server.address, TRUSTING);
  await assertEchoes(good);
  using plain = await dial(server.address);
  await plain.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  const buffer = new Uint8Array(100);
  try {
    while (await deadline(plain.read(buffer)) !== null);
  } catch (error) {
    assert(error instanceof Deno.errors.ConnectionReset, String(error));
  }
  await until(() => observer.acceptErrors.length === 1, "the server was told");
  const [error] = observer.acceptErrors;
  assertEquals([error!.operation, error!.code], ["tls-handshake", "tls"]);
  assertEquals(error!.address, addressOf(plain.localAddr));
  assertEquals([server.accepted, server.connections.size], [1, 1]);
  await assertEchoes(good);
});

Deno.test("a handshake that hangs ends when its time is up, or when it is aborted", async () => {
  using silent = await listenLocally();
  const error = await assertRejects(
    () => deadline(dial(silent.address, { ...TRUSTING, timeoutMs: 100 })),
    ConnectionError,
  );
  assertEquals([error.operation, error.code], ["tls-handshake", "timed-out"]);
  const abort = new AbortController();
  const dialling = dial(silent.address, { ...TRUSTING, signal: abort.signal });
  using _first = await deadline(silent.accept());
  using _second = await deadline(silent.accept());
  abort.abort("enough");
  assertEquals(await deadline(dialling.catch((reason) => reason)), "enough");
});

Deno.test("certificates that cannot be read are told of, and nothing stays open", async () => {
  using listener = await listenLocally();
  const caCerts = ["-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"];
  const error = await assertRejects(
    () => deadline(dial(listener.address, { tls: { caCerts } })),
    ConnectionError,
  );
  assertEquals(error.code, "tls");
  for (
    const tls of [{ cert: "nonsense", key: SERVER_TLS.key }, { cert: SERVER_TLS.cert, key: "" }]
  ) {
    const error = await assertRejects(() => listen(LOOPBACK, { tls }), ConnectionError);
    assertEquals([error.operation, error.code], ["listen", "tls"], error.message);
  }
});
