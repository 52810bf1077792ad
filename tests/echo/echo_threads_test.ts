import { assert, assertEquals, assertRejects } from "@std/assert";
import { type EchoPeer, exchangeEcho, serveEchoThreads } from "../../lib/echo/mod.ts";
import { type CloseReason, ConnectionError } from "../../lib/net/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { listenLocally, LOOPBACK } from "../support/peers.ts";
import { Scratch } from "../support/scratch.ts";

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

Deno.test("serveEchoThreads() says where a port cannot be shared", async () => {
  using scratch = new Scratch();
  const address = { transport: "unix", path: scratch.at("s") } as const;
  const error = await assertRejects(() => serveEchoThreads(address, 2), ConnectionError);
  assertEquals(error.code, "not-supported");
});
