import { assert, assertEquals, assertRejects } from "@std/assert";
import { serveEcho } from "../../lib/echo/mod.ts";
import { AddressError, ConnectionError, dial, formatAddress, listen } from "../../lib/net/mod.ts";
import { type Proxy, serveProxy } from "../../lib/proxy/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { script, ServerProgram } from "../support/programs.ts";
import {
  CA,
  NEXT_CA,
  NEXT_TLS,
  OTHER_CA,
  SERVER_TLS,
  TLS_FILES,
  TRUSTING,
} from "../support/tls.ts";
import { assertReset, bytesOf, digestOf, readAll, writeAll } from "./ends.ts";

const ANY_PORT = "127.0.0.1:0";

interface Ends {
  readonly proxy: Proxy;
  readonly client: Deno.Conn;
  readonly upstream: Deno.Conn;
}

/** Calls a test with both ends of a connection, for each place where TLS may be. */
async function forEachPlace(test: (ends: Ends, place: string) => Promise<void>): Promise<void> {
  for (const place of ["client", "upstream", "client, upstream"]) {
    using listener = await listen(
      ANY_PORT,
      place.includes("upstream") ? { tls: SERVER_TLS } : {},
    );
    const accepting = listener.accept();
    accepting.catch(() => {});
    await using proxy = await serveProxy(ANY_PORT, listener.address, {
      ...place.includes("client") ? { tls: SERVER_TLS } : {},
      ...place.includes("upstream") ? { upstreamTls: { caCerts: [CA] } } : {},
    });
    using client = await deadline(
      dial(proxy.address, place.includes("client") ? TRUSTING : {}),
      place,
    );
    using upstream = await deadline(accepting, place);
    await test({ proxy, client, upstream }, place);
  }
}

Deno.test("TLS on either side or both passes bytes both ways, and the end of either half", async () => {
  const sent = bytesOf(3_000_000);
  const digest = await digestOf(sent);
  await forEachPlace(async ({ proxy, client, upstream }, place) => {
    for (const [from, to] of [[client, upstream], [upstream, client]] as const) {
      const [received] = await deadline(
        Promise.all([readAll(to), writeAll(from, sent).then(() => from.closeWrite())]),
        place,
      );
      assertEquals(await digestOf(received), digest, place);
    }
    await until(() => proxy.connections.size === 0, place);
  });
});

Deno.test("with TLS too, a fault resets both sockets", async () => {
  // The runtime's TLS hides a reset from who reads: two more proxies see what comes over the wire.
  const seen: string[] = [];
  const watching = (name: string) => ({
    observer: { reset: (_: unknown, by: string) => void seen.push(`${name}: ${by}`) },
  });
  using listener = await listen(ANY_PORT, { tls: SERVER_TLS });
  const accepting = listener.accept();
  await using inner = await serveProxy(ANY_PORT, listener.address, watching("inner"));
  await using proxy = await serveProxy(ANY_PORT, inner.address, {
    tls: SERVER_TLS,
    upstreamTls: { caCerts: [CA] },
  });
  await using outer = await serveProxy(ANY_PORT, proxy.address, watching("outer"));
  using client = await deadline(dial(outer.address, TRUSTING));
  using upstream = await deadline(accepting);
  await writeAll(client, bytesOf(10));
  assertEquals(await deadline(upstream.read(new Uint8Array(10))), 10);
  proxy.set(["both reset"]);
  await until(() => seen.length === 2);
  assertEquals(seen.sort(), ["inner: client", "outer: upstream"]);
});

Deno.test("with TLS too, a side that does not read costs a bounded amount", async () => {
  await forEachPlace(async ({ proxy, client, upstream }, place) => {
    const sent = bytesOf(30_000_000);
    let written = 0;
    const writing = writeAll(client, sent, (count) => written = count)
      .then(() => client.closeWrite());
    const { value: connection } = proxy.connections.values().next();
    let last = -1;
    await until(async () => {
      const before = last;
      last = connection!.upBytes;
      await new Promise((resolve) => setTimeout(resolve, 60));
      return before === last && last > 0;
    }, place);
    assert(written < sent.length, place);
    assertEquals(await digestOf(await deadline(readAll(upstream))), await digestOf(sent));
    await deadline(writing);
  });
});

Deno.test("an upstream whose certificate is not good resets the client, and the reason is told", async () => {
  const told: unknown[] = [];
  using listener = await listen(ANY_PORT, { tls: SERVER_TLS });
  listener.accept().catch(() => {});
  for (
    const [upstreamTls, problem] of [
      [{ caCerts: [OTHER_CA] }, "untrusted"],
      [{ caCerts: [CA], serverName: "example.org" }, "wrong-name"],
    ] as const
  ) {
    await using proxy = await serveProxy(ANY_PORT, listener.address, {
      upstreamTls,
      observer: { closed: (_, reason, error) => told.push(reason, error) },
    });
    await assertReset(proxy.address);
    await until(() => told.length === 2);
    const [reason, error] = told.splice(0);
    assert(error instanceof ConnectionError);
    assertEquals([reason, error.operation, error.tlsProblem], [
      "unreachable",
      "tls-handshake",
      problem,
    ]);
  }
});

Deno.test("an upstream is trusted by given certificates or by the system's, and the proxy remembers by which", async () => {
  // To the runtime, these are the system's.
  const env = { DENO_CERT: TLS_FILES.ca };
  for (const [ca, failed] of [[TLS_FILES.ca, 0], [TLS_FILES.otherCa, 1]] as const) {
    const listener = await listen(ANY_PORT, { tls: SERVER_TLS });
    await using server = serveEcho(listener);
    const upstream = formatAddress(server.address);
    await using proxy = await ServerProgram.start(
      script("cmd/proxy.ts", ANY_PORT, upstream, "--tls", "--tls-ca", ca),
      { env },
    );
    for (let i = 0; i < 3; i++) {
      using client = await dial(proxy.address);
      await client.write(Uint8Array.of(7));
      assertEquals(await deadline(client.read(new Uint8Array(1)), ca), 1);
    }
    await until(() => listener.handshakes!.failed === failed, "the first one alone tries both");
  }
});

Deno.test("a proxy takes another certificate, and says where it has none", async () => {
  await using proxy = await serveProxy(ANY_PORT, "127.0.0.1:1", { tls: SERVER_TLS });
  await proxy.renewTls(NEXT_TLS);
  await assertRejects(() => dial(proxy.address, TRUSTING), ConnectionError);
  (await dial(proxy.address, { tls: { caCerts: [NEXT_CA] } })).close();
  await using plain = await serveProxy(ANY_PORT, "127.0.0.1:1");
  await assertRejects(() => plain.renewTls(NEXT_TLS), ConnectionError, "does not serve TLS");
});

Deno.test("an upstream that could never be reached is refused at once", async () => {
  const refused = (to: string, options = {}) =>
    assertRejects(async () => await serveProxy(ANY_PORT, to, options));
  assert(await refused("ws://127.0.0.1:1/ws") instanceof AddressError);
  assert(await refused("127.0.0.1:0") instanceof AddressError);
  assert(await refused("unix:/x", { upstreamTls: {} }) instanceof ConnectionError);
  assert(
    await refused("127.0.0.1:1", { upstreamTls: { caCerts: ["x"] } }) instanceof ConnectionError,
  );
});
