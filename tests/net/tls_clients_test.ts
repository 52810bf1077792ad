/** What clients of all kinds do to a TLS server, correctly or not. */
import { assert, assertEquals } from "@std/assert";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { before } from "../../lib/base/before.ts";
import { serveEcho } from "../../lib/echo/mod.ts";
import { type CloseReason, dial, listen, serveConnections } from "../../lib/net/mod.ts";
import type { TcpAddress } from "../../lib/net/mod.ts";
import { deadline, pause, until } from "../support/deadline.ts";
import { LOOPBACK, Recorder } from "../support/peers.ts";
import { soakSize } from "../support/soak_size.ts";
import { SERVER_TLS, TLS_FILES, TRUSTING } from "../support/tls.ts";
import { isInstalled, runTool } from "../support/tools.ts";

/** Serves echo over TLS, and keeps what is told of it. */
async function echoOverTls() {
  const observer = new Recorder();
  const listener = await listen(LOOPBACK, { tls: SERVER_TLS });
  const server = serveEcho(listener, { observer, drainTimeoutMs: 0 });
  return { server, observer, address: server.address as TcpAddress };
}

interface Client {
  readonly tool: string;
  readonly args: (port: number) => readonly string[];
  readonly stdin?: string;
  /** What is told of it. @default {"done"} */
  readonly reason?: CloseReason;
}

/** A script that has a TLS socket `s` over the socket `raw`. */
function python(body: string, setup = ""): Client {
  const script = `
import socket, ssl, struct, sys
context = ssl.create_default_context(cafile=sys.argv[2])
${setup}
raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s = context.wrap_socket(raw, server_hostname="localhost", do_handshake_on_connect=True)
def echo():
    s.sendall(b"hello")
    assert s.recv(100) == b"hello"
${body}`;
  return { tool: "python3", args: (port) => ["-c", script, String(port), TLS_FILES.ca] };
}

const shell = (tool: string, line: string): Client => ({
  tool,
  args: (
    port,
  ) => ["-c", line.replaceAll("PORT", String(port)).replaceAll("AUTHORITY", TLS_FILES.ca)],
});

const CLIENTS: Record<string, Client> = {
  "Python that says close_notify": python("echo(); s.unwrap().close()"),
  "Python that just closes": python("echo(); s.close()"),
  "Python that closes its sending half alone": python(
    "echo(); s.shutdown(socket.SHUT_WR); s.close()",
  ),
  "Python that ends": python("echo()"),
  "Python with TLS 1.2": python(
    "echo(); s.close()",
    "context.maximum_version = ssl.TLSVersion.TLSv1_2",
  ),
  "Python that closes after the handshake": python("s.close()"),
  "Python that resets": {
    ...python(
      "echo(); s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); s.close()",
    ),
    reason: "reset",
  },
  "openssl s_client with input": shell(
    "openssl",
    "(echo hello; sleep 0.1) | openssl s_client -connect 127.0.0.1:PORT -CAfile AUTHORITY -quiet -no_ign_eof",
  ),
  "openssl s_client without input": shell(
    "openssl",
    "openssl s_client -connect 127.0.0.1:PORT -CAfile AUTHORITY </dev/null",
  ),
  "curl": shell(
    "curl",
    "curl -s --http0.9 -m 1 --cacert AUTHORITY https://localhost:PORT/ --output /dev/null; true",
  ),
  "ncat": shell("ncat", "(echo hello; sleep 0.1) | ncat --ssl 127.0.0.1 PORT"),
};

for (const [name, { tool, args, reason = "done" }] of Object.entries(CLIENTS)) {
  Deno.test({
    name: `a TLS server tells of ${name}: ${reason}`,
    ignore: Deno.build.os === "windows" || !isInstalled(tool, name),
    async fn() {
      const { server, observer, address } = await echoOverTls();
      await using _ = server;
      const { code, err } = await runTool(tool === "python3" ? tool : "sh", args(address.port));
      assertEquals(code, 0, err);
      assertEquals(await observer.ended(1), [reason]);
      assertEquals(observer.errors.length, reason === "done" ? 0 : 1);
      assertEquals(observer.acceptErrors, []);
    },
  });
}

Deno.test("a TLS server tells of its own clients: done, however they close", async () => {
  const { server, observer, address } = await echoOverTls();
  await using _ = server;
  const bytes = new Uint8Array(10);
  const ways: ((conn: Deno.Conn) => Promise<unknown>)[] = [
    () => Promise.resolve(),
    async (conn) => {
      await conn.write(Uint8Array.of(1));
      await conn.read(bytes);
    },
    async (conn) => {
      await conn.write(Uint8Array.of(1));
      await conn.closeWrite();
      while (await conn.read(bytes) !== null);
    },
  ];
  for (const way of ways) {
    const conn = await dial(address, TRUSTING);
    await deadline(way(conn));
    conn.close();
  }
  assertEquals(await observer.ended(ways.length), ["done", "done", "done"]);
  assertEquals([observer.errors, observer.acceptErrors], [[], []]);
});

Deno.test("bytes of any number, in pieces of any size, go through TLS as they are", async () => {
  const { server, address } = await echoOverTls();
  await using _ = server;
  using conn = await dial(address, TRUSTING);
  const sent = crypto.getRandomValues(new Uint8Array(60_000));
  const rounds = 50;
  const sending = (async () => {
    for (let round = 0; round < rounds; round++) {
      for (let at = 0; at < sent.length;) {
        const size = 1 + Math.floor(Math.random() ** 3 * sent.length);
        at += await conn.write(sent.subarray(at, at + size));
      }
    }
    await conn.closeWrite();
  })();
  const bytes = new Uint8Array(100_000);
  let received = 0;
  for (;;) {
    const size = 1 + Math.floor(Math.random() ** 3 * bytes.length);
    const count = await deadline(conn.read(bytes.subarray(0, size)));
    if (count === null) break;
    for (let i = 0; i < count; i++) {
      if (bytes[i] !== sent[(received + i) % sent.length]) throw new Error(`byte ${received + i}`);
    }
    received += count;
  }
  await deadline(sending);
  assertEquals(received, sent.length * rounds);
});

Deno.test("over TLS a server can end its half first", async () => {
  const observer = new Recorder();
  await using server = serveConnections(await listen(LOOPBACK, { tls: SERVER_TLS }), {
    async serve(connection) {
      await connection.finish("done", false);
    },
  }, { observer });
  using conn = await dial(server.address, TRUSTING);
  assertEquals(await deadline(conn.read(new Uint8Array(1))), null);
  await conn.write(Uint8Array.of(1));
  await conn.closeWrite();
  assertEquals(await observer.ended(1), ["done"]);
});

/** More than kernels and buffers hold of a connection on which the other side does not move. */
const MOST_HELD_BYTES = 16_777_216;

Deno.test("a TLS client that is not read from cannot send without end", async () => {
  const held = Promise.withResolvers<void>();
  await using server = serveConnections(await listen(LOOPBACK, { tls: SERVER_TLS }), {
    serve: () => held.promise,
  });
  using conn = await dial(server.address, TRUSTING);
  let sent = 0;
  const sending = (async () => {
    const bytes = new Uint8Array(65_536);
    while (sent <= MOST_HELD_BYTES) sent += await conn.write(bytes);
  })();
  await standsStill(() => sent);
  assert(sent <= MOST_HELD_BYTES, `${sent} bytes were taken that nobody reads`);
  held.resolve();
  await deadline(sending.catch(() => {}));
});

Deno.test("a TLS client that does not read makes the server's writes wait", async () => {
  using listener = await listen(LOOPBACK, { tls: SERVER_TLS });
  const dialling = dial(listener.address, TRUSTING);
  using peer = await deadline(listener.accept());
  using conn = await deadline(dialling);
  let sent = 0;
  const sending = (async () => {
    const bytes = new Uint8Array(262_144).fill(9);
    while (sent <= MOST_HELD_BYTES) sent += await peer.write(bytes);
  })();
  await standsStill(() => sent);
  assert(sent <= MOST_HELD_BYTES, `${sent} bytes were taken that nobody reads`);
  const bytes = new Uint8Array(65_536);
  let received = 0;
  while (received <= MOST_HELD_BYTES) received += (await deadline(conn.read(bytes)))!;
  await deadline(sending);
});

/** Waits until a number has not changed for a while. */
async function standsStill(count: () => number): Promise<void> {
  let before = -1;
  await until(async () => {
    const now = count();
    await pause(200);
    const still = now > 0 && now === before;
    before = now;
    return still;
  }, "it stands still");
}

Deno.test("a record that was changed on its way ends its connection with a TLS error", async () => {
  const { server, observer, address } = await echoOverTls();
  await using _ = server;
  let isChanging = false;
  await using proxy = await Proxy.to(address, (bytes, { up }) => {
    if (!up || !isChanging) return bytes;
    const changed = new Uint8Array(bytes);
    changed[changed.length - 1]! ^= 1;
    return changed;
  });
  using conn = await dial(proxy.address, TRUSTING);
  const buffer = new Uint8Array(10_000);
  await conn.write(new Uint8Array(200));
  assertEquals(await deadline(conn.read(buffer)), 200);
  isChanging = true;
  await conn.write(new Uint8Array(200));
  await deadline(conn.read(buffer)).catch(() => {});
  assertEquals(await observer.ended(1), ["reset"]);
  assertEquals((observer.errors[0] as { code?: unknown }).code, "tls");
});

Deno.test("streams that are cut, changed or stalled at any byte do a TLS server no harm", async () => {
  const listener = await listen(LOOPBACK, { tls: { ...SERVER_TLS, handshakeTimeoutMs: 100 } });
  await using server = serveEcho(listener, { drainTimeoutMs: 0 });
  const address = server.address as TcpAddress;
  const faults = ["cut", "reset", "end", "change", "stall", "insert"] as const;
  const random = (below: number) => Math.floor(Math.random() * below);
  await using proxy = await Proxy.to(address, (bytes, { up, seen, kind, cutUp, at, end }) => {
    if (up !== cutUp || seen + bytes.length <= at) return bytes;
    const head = bytes.subarray(0, Math.max(0, at - seen));
    switch (faults[kind % faults.length]!) {
      case "cut":
      case "reset":
      case "end":
        end(faults[kind % faults.length] as "cut" | "reset" | "end");
        return head;
      case "change": {
        const changed = new Uint8Array(bytes);
        changed[Math.min(changed.length - 1, head.length)]! ^= 1 << random(8);
        return changed;
      }
      case "stall":
        return head;
      case "insert":
        return new Uint8Array([...head, ...crypto.getRandomValues(new Uint8Array(30))]);
    }
  });
  const visit = async () => {
    try {
      using conn = await dial(proxy.address, { ...TRUSTING, timeoutMs: 300 });
      const talking = (async () => {
        for (let i = random(3); i >= 0; i--) {
          await conn.write(new Uint8Array(1 + random(1_000)));
          await conn.read(new Uint8Array(2_000));
        }
        if (random(2) === 1) await conn.closeWrite();
      })();
      await before(talking.catch(() => {}), 150);
    } catch {
      // What a client is told is its own.
    }
  };
  for (let round = 0; round < soakSize(4, 15); round++) {
    await Promise.all(Array.from({ length: 40 }, visit));
  }
  // On a busy machine, a handshake may take longer than it may.
  await until(async () => {
    try {
      using conn = await dial(address, TRUSTING);
      await conn.write(Uint8Array.of(1));
      return await deadline(conn.read(new Uint8Array(10))) === 1;
    } catch {
      return false;
    }
  }, "the server goes on");
  await until(() => listener.handshakes!.pending === 0, "no handshake is under way");
});

/** What a proxy knows of one direction of a connection. */
interface Passing {
  /** Whether it goes to the server. */
  readonly up: boolean;
  /** Bytes that went this way before. */
  readonly seen: number;
  /** Chosen at random for the connection: a number, a direction and a byte in it. */
  readonly kind: number;
  readonly cutUp: boolean;
  readonly at: number;
  /** Ends the connection after what is passed on. */
  end(how: "cut" | "reset" | "end"): void;
}

/** Passes bytes on, and changes them on their way. */
class Proxy implements AsyncDisposable {
  readonly address: TcpAddress;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    const { port } = server.address() as AddressInfo;
    this.address = { transport: "tcp", hostname: "127.0.0.1", port };
  }

  static async to(
    { hostname, port }: TcpAddress,
    pass: (bytes: Uint8Array, passing: Passing) => Uint8Array,
  ): Promise<Proxy> {
    const server = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ host: hostname, port, allowHalfOpen: true });
      let ending: "cut" | "reset" | "end" | undefined;
      const chosen = {
        kind: Math.floor(Math.random() * 1_000),
        cutUp: Math.random() < 0.5,
        at: Math.floor(Math.random() ** 2 * 3_000),
        end: (how: "cut" | "reset" | "end") => void (ending = how),
      };
      for (const [from, to] of [[near, far], [far, near]] as const) {
        let seen = 0;
        proxy.#sockets.add(from);
        from.on("error", () => {});
        from.on("data", (bytes: Uint8Array) => {
          const passed = pass(bytes, { up: from === near, seen, ...chosen });
          seen += bytes.length;
          if (!to.destroyed) to.write(passed);
          if (ending === "end") far.end();
          else if (ending === "reset") far.resetAndDestroy();
          if (ending === "cut" || ending === "reset") {
            for (const each of [near, far]) each.destroy();
          }
        });
        from.on("end", () => to.end());
        from.on("close", () => {
          proxy.#sockets.delete(from);
          to.destroy();
        });
      }
    });
    const listening = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", () => listening.resolve());
    await listening.promise;
    const proxy = new Proxy(server);
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    await deadline(closed.promise, "the end of a proxy");
  }
}
