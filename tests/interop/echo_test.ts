/** Python's sockets, used as the tutorial uses them, against our programs, in both directions. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { exchangeEcho, serveEcho } from "../../lib/echo/mod.ts";
import { runLoad, runTutorialExchange } from "../../lib/load/mod.ts";
import type { TcpAddress } from "../../lib/net/mod.ts";
import { deadline } from "../support/deadline.ts";
import { listenLocally } from "../support/peers.ts";

const PEER = `${import.meta.dirname}/echo_peer.py`;

const ignore = !await hasPython();

async function hasPython(): Promise<boolean> {
  try {
    return (await new Deno.Command("python3", { args: ["--version"], stdout: "null" }).output())
      .success;
  } catch {
    return false;
  }
}

function peer(...args: string[]): Deno.ChildProcess {
  const command = new Deno.Command("python3", {
    args: [PEER, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    signal: AbortSignal.timeout(30_000),
  });
  return command.spawn();
}

/** Runs a client to its end; returns what it printed. */
async function talk(...args: string[]): Promise<string> {
  const { stdout, code } = await deadline(peer(...args).output());
  assertEquals(code, 0);
  return new TextDecoder().decode(stdout);
}

/** A server that runs, and what it prints behind its port. */
async function serve(...args: string[]) {
  const child = peer(...args);
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let first = "";
  while (!first.includes("\n")) {
    const { value, done } = await deadline(lines.read(), "the port");
    if (done) throw new Error("The Python server ended without a port");
    first += value;
  }
  const [port, ...rest] = first.split("\n");
  const address: TcpAddress = { transport: "tcp", hostname: "127.0.0.1", port: Number(port) };
  const ended = async () => {
    let text = rest.join("\n");
    for (let next = await lines.read(); !next.done; next = await lines.read()) text += next.value;
    return { text, code: (await child.status).code };
  };
  return { address, ended: () => deadline(ended(), "the end of a Python server") };
}

Deno.test({
  name: "a blocking Python client gets its text back from serveEcho()",
  ignore,
  async fn() {
    await using server = serveEcho(await listenLocally());
    const { hostname, port } = server.address as TcpAddress;
    assertEquals(await talk("talk", hostname, String(port)), "hello, universe.\nHi, friend.\n");
  },
});

Deno.test({
  name: "a Python client with many connections gets all messages back from serveEcho()",
  ignore,
  async fn() {
    await using server = serveEcho(await listenLocally());
    const { hostname, port } = server.address as TcpAddress;
    const out = await talk("talk-many", hostname, String(port), "20");
    assertEquals(out, "first message of a peer.second message.\n".repeat(20));
  },
});

Deno.test({
  name: "exchangeEcho() works with a blocking Python server",
  ignore,
  async fn() {
    const server = await serve("serve-one");
    const { bytes } = await exchangeEcho(server.address, new Blob(["hello"]).stream());
    assertEquals(bytes, 5);
    const { text, code } = await server.ended();
    assertEquals([text, code], ["hello\n", 0]);
  },
});

Deno.test({
  name: "runTutorialExchange() and runLoad() work with a Python server of many connections",
  ignore,
  async fn() {
    const server = await serve("serve-many", "12");
    const received: string[] = [];
    const { address } = server;
    const done = await deadline(runTutorialExchange({
      address,
      connections: 2,
      observer: {
        received: (_, bytes) => void received.push(new TextDecoder().decode(bytes)),
      },
    }));
    assertEquals(done, 2);
    assertStringIncludes(received.join(""), "hi message 2 from client.");
    const { summary } = await deadline(
      runLoad({ address, connections: 10, count: 50, verify: true }),
    );
    assertEquals([summary.messages, summary.errors], [500, 0]);
    assertEquals((await server.ended()).code, 0);
  },
});
