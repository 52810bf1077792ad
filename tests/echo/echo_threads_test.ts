import { assert, assertEquals, assertRejects } from "@std/assert";
import { redirectErrors } from "../../lib/base/report.ts";
import { type EchoPeer, exchangeEcho, serveEcho, serveEchoThreads } from "../../lib/echo/mod.ts";
import { type CloseReason, ConnectionError, type TcpAddress } from "../../lib/net/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { listenLocally, LOOPBACK } from "../support/peers.ts";
import { Scratch } from "../support/scratch.ts";
import { CA, NEXT_CA, NEXT_TLS, SERVER_TLS } from "../support/tls.ts";

const ignore = Deno.build.os !== "linux";

Deno.test({
  name: "serveEchoThreads() serves one port from several threads and reports every connection",
  ignore,
  async fn() {
    const opened: EchoPeer[] = [];
    const closed: [EchoPeer, CloseReason][] = [];
    const texts: string[] = [];
    const server = await serveEchoThreads(LOOPBACK, 2, {
      observer: {
        opened: (peer) => void opened.push(peer),
        closed: (peer, reason) => void closed.push([peer, reason]),
        received: (_, bytes) => void texts.push(new TextDecoder().decode(bytes)),
      },
    });
    await Promise.all(Array.from(
      { length: 20 },
      () => exchangeEcho(server.address, new Blob(["hello"]).stream()),
    ));
    await until(() => closed.length === 20, "all connections ended");
    assertEquals(new Set(opened.map(({ id }) => id)).size, 20);
    assert(closed.every(([peer]) => peer.readBytes === 5 && peer.writtenBytes === 5));
    assert(closed.every(([peer]) => opened.some(({ id }) => id === peer.id)));
    assertEquals(texts, Array(20).fill("hello"));
    await server.drain();
    const { accepted, readBytes, writtenBytes, connections } = server.figures();
    assertEquals([accepted, readBytes, writtenBytes, connections], [20, 100, 100, 0]);
  },
});

Deno.test({
  name: "serveEchoThreads() drains when its signal is aborted",
  ignore,
  async fn() {
    const controller = new AbortController();
    const server = await serveEchoThreads(LOOPBACK, 2, { signal: controller.signal });
    controller.abort();
    await deadline(server.finished, "the server's end");
  },
});

Deno.test({
  name: "serveEchoThreads() has no more handshakes under way in all threads than one server has",
  ignore,
  async fn() {
    const tls = { ...SERVER_TLS, handshakeTimeoutMs: 600_000 };
    await using server = await serveEchoThreads(LOOPBACK, 2, { tls: { ...tls, maxHandshakes: 8 } });
    await server.renewTls({ ...tls, maxHandshakes: 4 });
    const { port } = server.address as TcpAddress;
    const silent = await Promise.all(Array.from({ length: 60 }, () => Deno.connect({ port })));
    let open = silent.length;
    for (const conn of silent) {
      conn.read(new Uint8Array(1)).catch(() => null).then(() => open--);
    }
    await until(() => open <= 4, "the others are given up");
    for (const conn of silent) conn.close();
  },
});

/** Does something while the workers that are started are noted, and told of. */
async function withWorkers(
  work: (workers: readonly Worker[]) => Promise<void>,
  started: (worker: Worker) => void = () => {},
): Promise<void> {
  const original = globalThis.Worker;
  const workers: Worker[] = [];
  globalThis.Worker = class extends original {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      workers.push(this);
      // When somebody listens to it.
      queueMicrotask(() => started(this));
    }
  };
  try {
    await work(workers);
  } finally {
    globalThis.Worker = original;
  }
}

/** What the runtime tells of a thread that died. */
function die(worker: Worker): void {
  worker.dispatchEvent(new ErrorEvent("error", { message: "told to die", cancelable: true }));
}

Deno.test({
  name: "serveEchoThreads() goes on without a thread that died, and reports its death",
  ignore,
  async fn() {
    const reported: unknown[] = [];
    using _ = redirectErrors((error, what) => reported.push(what, (error as Error).message));
    await withWorkers(async (workers) => {
      const server = await serveEchoThreads(LOOPBACK, 2);
      die(workers[0]!);
      assertEquals(reported, ["A thread of the echo server died", "told to die"]);
      // Until its listener is closed too, the kernel may still give connections to the dead thread.
      const echoes = () => exchangeEcho(server.address, new Blob(["hello"]).stream());
      await until(() => echoes().then(() => true, () => false), "the other thread serves");
      await deadline(server.drain(), "the server's end");
      assertEquals(reported.length, 2);
    });
  },
});

Deno.test({
  name: "serveEchoThreads() fails if a thread dies before it listens",
  ignore,
  async fn() {
    await withWorkers(async () => {
      await assertRejects(() => serveEchoThreads(LOOPBACK, 2), Error, "told to die");
    }, die);
  },
});

Deno.test({
  name: "serveEchoThreads() says that a port is in use, with the system's error",
  ignore,
  async fn() {
    using listener = await listenLocally();
    const error = await assertRejects(
      () => serveEchoThreads(listener.address, 2),
      ConnectionError,
    );
    assertEquals([error.operation, error.code], ["listen", "address-in-use"]);
  },
});

Deno.test({
  name: "serveEchoThreads() does not share a port with another server's threads",
  ignore,
  async fn() {
    await using first = await serveEchoThreads(LOOPBACK, 2);
    const { port } = first.address as { port: number };
    for (const hostname of ["127.0.0.1", "0.0.0.0"]) {
      const address = { transport: "tcp", hostname, port } as const;
      const error = await assertRejects(() => serveEchoThreads(address, 2), ConnectionError);
      assertEquals([error.operation, error.code], ["listen", "address-in-use"]);
      assertEquals(error.address, address);
    }
    // Each of its connections still comes to it.
    for (let i = 0; i < 8; i++) await exchangeEcho(first.address, new Blob(["hello"]).stream());
    assertEquals(first.figures().refused, 0);
  },
});

Deno.test("serveEchoThreads() says where a port cannot be shared", async () => {
  using scratch = new Scratch();
  const address = { transport: "unix", path: scratch.at("s") } as const;
  const error = await assertRejects(() => serveEchoThreads(address, 2), ConnectionError);
  assertEquals(error.code, "not-supported");
});

const trusting = (ca: string) => ({ tls: { caCerts: [ca] } });

Deno.test({
  name: "all threads use another certificate together, or none does",
  ignore,
  async fn() {
    await using server = await serveEchoThreads(LOOPBACK, 3, { tls: SERVER_TLS });
    const echoes = (ca: string) =>
      exchangeEcho(server.address, new Blob(["x"]).stream(), trusting(ca));
    await server.renewTls(NEXT_TLS);
    for (let i = 0; i < 24; i++) await echoes(NEXT_CA);
    const broken = { cert: SERVER_TLS.cert, key: NEXT_TLS.key };
    const error = await assertRejects(() => server.renewTls(broken), ConnectionError);
    assertEquals([error.operation, error.code], ["listen", "tls"]);
    await assertRejects(() => server.renewTls({ ...SERVER_TLS, maxHandshakes: 0 }), RangeError);
    for (let i = 0; i < 12; i++) await echoes(NEXT_CA);
    await Promise.all([server.renewTls(NEXT_TLS), server.renewTls(SERVER_TLS)]);
    for (let i = 0; i < 24; i++) await echoes(CA);
  },
});

Deno.test("a server without TLS takes no certificate", async () => {
  await using server = await serveEcho(LOOPBACK);
  const error = await assertRejects(() => server.renewTls(SERVER_TLS), ConnectionError);
  assertEquals([error.operation, error.code], ["listen", "tls"]);
});

Deno.test({
  name: "a server whose thread dies, or that ends, leaves nobody waiting for a certificate",
  ignore,
  async fn() {
    using _ = redirectErrors(() => {});
    await withWorkers(async (workers) => {
      const server = await serveEchoThreads(LOOPBACK, 2, { tls: SERVER_TLS });
      const renewing = server.renewTls(NEXT_TLS);
      die(workers[0]!);
      await deadline(renewing, "the thread that is left");
      const [, renewed] = [server.drain(), server.renewTls(SERVER_TLS)];
      await deadline(renewed, "a server that ends");
      await deadline(server.finished);
      await deadline(server.renewTls(SERVER_TLS), "a server that has ended");
    });
  },
});
