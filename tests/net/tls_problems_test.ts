import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { once } from "node:events";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { describeError } from "../../cmd/_cli/mod.ts";
import { exchangeEcho, serveEcho } from "../../lib/echo/mod.ts";
import {
  type Address,
  type ClientTls,
  ConnectionError,
  dial,
  listen,
  serveConnections,
} from "../../lib/net/mod.ts";
import { serveRequests } from "../../lib/request/mod.ts";
import { exchange } from "../../lib/request/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { listenLocally, LOOPBACK, Recorder } from "../support/peers.ts";
import { CA, ODD_CA, oddFiles, type Oddity, SERVER_TLS } from "../support/tls.ts";

/** A server of the runtime's own, which serves certificates that ours refuses to. It echoes. */
class OddServer implements AsyncDisposable {
  readonly address: Address;
  readonly #server: Server;
  readonly #sockets: Set<TLSSocket>;

  private constructor(server: Server, sockets: Set<TLSSocket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.address = { ...LOOPBACK, port: (server.address() as { port: number }).port };
  }

  static async start(oddity: Oddity): Promise<OddServer> {
    const { cert, key } = oddFiles(oddity);
    const sockets = new Set<TLSSocket>();
    const server = createServer(
      { cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) },
      (socket) => {
        sockets.add(socket);
        socket.on("error", () => {});
        socket.pipe(socket);
      },
    );
    server.listen(0, "127.0.0.1");
    await deadline(once(server, "listening"));
    return new OddServer(server, sockets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await deadline(new Promise((resolve) => this.#server.close(resolve)));
  }
}

async function failure(address: Address, tls: ClientTls): Promise<ConnectionError> {
  const error = await assertRejects(() => deadline(dial(address, { tls })), ConnectionError);
  assertEquals(error.operation, "tls-handshake", error.message);
  return error;
}

/** What only the server can mend, and how the message says it. */
const ODDITIES: Record<Oddity, [problem: string, text: string]> = {
  authority: ["authority", "that of an authority (CA:TRUE)"],
  client_only: ["wrong-purpose", "is not for servers"],
  expired: ["expired", "expired on 2021-01-01"],
  no_name: ["no-name", "has no subjectAltName"],
  not_yet_valid: ["not-yet-valid", "not valid yet, only from 2100-01-01"],
  version_1: ["version-1", "is of version 1"],
};

for (const [oddity, [problem, text]] of Object.entries(ODDITIES)) {
  Deno.test(`a client says what is wrong with a server's certificate: ${problem}`, async () => {
    await using server = await OddServer.start(oddity as Oddity);
    const tls = { caCerts: [ODD_CA], serverName: "localhost" };
    const error = await failure(server.address, tls);
    assertEquals([error.code, error.tlsProblem], ["tls", problem], error.message);
    assertStringIncludes(error.message, text);
    const told = describeError(error);
    assertStringIncludes(told, text);
    assert(!told.includes("--tls"), told);
    // With `insecure` it serves all the same.
    using conn = await deadline(dial(server.address, { tls: { insecure: true } }));
    await conn.write(new TextEncoder().encode("hello"));
    const buffer = new Uint8Array(10);
    assertEquals(await deadline(conn.read(buffer)), 5);
  });
}

Deno.test("a client says that an authority is not trusted, or a name is wrong, and which flag helps", async () => {
  await using server = serveEcho(await listen(LOOPBACK, { tls: SERVER_TLS }));
  const cases: [ClientTls, string, string][] = [
    [{}, "untrusted", "--tls-ca FILE"],
    [{ caCerts: [ODD_CA] }, "untrusted", "--tls-ca FILE"],
    [{ caCerts: [CA], serverName: "example.org" }, "wrong-name", "--tls-name"],
  ];
  for (const [tls, problem, advice] of cases) {
    const error = await failure(server.address, tls);
    assertEquals(error.tlsProblem, problem, error.message);
    assertStringIncludes(describeError(error), advice);
  }
});

Deno.test("lists of authorities without a certificate are refused before anything is sent", async () => {
  using listener = await listenLocally();
  for (const caCerts of [["hello"], [CA, ""], [SERVER_TLS.key]]) {
    const error = await failure(listener.address, { caCerts });
    assertEquals([error.code, error.tlsProblem], ["tls", "no-certificate"], error.message);
    assertStringIncludes(error.message, `caCerts[${caCerts.length - 1}]`);
  }
});

/** Servers without TLS, and what each does with a client's first bytes. */
const PLAIN: Record<string, (conn: Deno.Conn) => Promise<unknown>> = {
  "sends them back": async (conn) => {
    const buffer = new Uint8Array(4_096);
    await conn.write(buffer.subarray(0, await conn.read(buffer) ?? 0));
  },
  "greets first": (conn) => conn.write(new TextEncoder().encode("220 ready\r\n")),
  "answers in HTTP": async (conn) => {
    await conn.read(new Uint8Array(4_096));
    await conn.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
  },
};

for (const [what, serve] of Object.entries(PLAIN)) {
  for (const tls of [{}, { insecure: true }]) {
    const how = "insecure" in tls ? ", and does not check it" : "";
    Deno.test(`a client with TLS${how} says that a server has none that ${what}`, async () => {
      using listener = await listenLocally();
      const serving = listener.accept().then(async (conn) => {
        await serve(conn);
        return conn;
      });
      const error = await failure(listener.address, tls);
      assertEquals([error.code, error.tlsProblem], ["tls", "not-tls"], error.message);
      assertStringIncludes(describeError(error), "it does not speak TLS (leave out --tls");
      (await deadline(serving)).close();
    });
  }
}

Deno.test("a client with TLS says that a server may have none that closes, or is silent", async () => {
  using listener = await listenLocally();
  for (const tls of [{}, { insecure: true }]) {
    const closing = listener.accept().then((conn) => conn.close());
    const closed = await failure(listener.address, tls);
    await closing;
    assertStringIncludes(describeError(closed), "does it speak TLS?");
    const silent = await assertRejects(
      () => deadline(dial(listener.address, { tls, timeoutMs: 100 })),
      ConnectionError,
    );
    assertEquals(silent.code, "timed-out");
    assertStringIncludes(describeError(silent), "does it speak TLS?");
    (await listener.accept()).close();
  }
});

Deno.test("a framed server without TLS tells a client with TLS so at once", async () => {
  const observer = new Recorder();
  await using server = await serveRequests("127.0.0.1:0", () => "never", { observer });
  const error = await failure(server.address, {});
  assertEquals(error.tlsProblem, "not-tls", error.message);
  await until(() => observer.frameErrors.length === 1);
  assertStringIncludes(observer.frameErrors[0]!.message, "The peer speaks TLS");
});

Deno.test("clients without TLS say that a server has it", async () => {
  const observer = new Recorder();
  await using server = serveConnections(await listen(LOOPBACK, { tls: SERVER_TLS }), {
    async serve(connection) {
      await connection.finish("done", true);
    },
  }, { observer });
  for (const text of ["hello, universe", "GET / HTTP/1.0\r\n\r\n", "x".repeat(1_000)]) {
    const error = await assertRejects(
      () => deadline(exchangeEcho(server.address, new Blob([text]).stream())),
      ConnectionError,
    );
    assertEquals(error.tlsProblem, "is-tls", error.message);
    assertStringIncludes(describeError(error), "connect with --tls");
  }
  const framed = await assertRejects(async () => {
    for await (const _ of exchange(server.address, ["x"])) break;
  });
  assertStringIncludes(describeError(framed), "speaks TLS");
  await until(() => observer.acceptErrors.length === 4);
  for (const error of observer.acceptErrors) {
    assertEquals([error.code, error.tlsProblem], ["tls", "not-tls"]);
  }
});

Deno.test("an echo of bytes that look like TLS is an echo", async () => {
  await using server = await serveEcho("127.0.0.1:0");
  const bytes = Uint8Array.of(0x15, 3, 3, 0, 2, 2, 40);
  const result = await exchangeEcho(server.address, new Blob([bytes]).stream());
  assertEquals(result.bytes, bytes.length);
});

Deno.test("TLS that is not checked carries bytes both ways, and half-closes", async () => {
  await using server = serveEcho(await listen(LOOPBACK, { tls: SERVER_TLS }));
  const bytes = new Uint8Array(300_000).map((_, i) => i % 251);
  const tls = { insecure: true, serverName: "any.name" };
  const result = await deadline(
    exchangeEcho(server.address, new Blob([bytes]).stream(), { tls }),
  );
  assertEquals(result.bytes, bytes.length);
  using conn = await dial(server.address, { tls });
  await conn.write(bytes.subarray(0, 5));
  await conn.closeWrite();
  const buffer = new Uint8Array(10);
  assertEquals(await deadline(conn.read(buffer)), 5);
  assertEquals(await deadline(conn.read(buffer)), null);
  const abort = AbortSignal.abort("enough");
  assertEquals(await dial(server.address, { tls, signal: abort }).catch((why) => why), "enough");
});

Deno.test("a name that no certificate can have is refused", async () => {
  for (const serverName of ["a b", "*", ""]) {
    await assertRejects(
      () => dial(LOOPBACK, { tls: { serverName } }),
      Error,
      "is no host name",
    );
  }
});
