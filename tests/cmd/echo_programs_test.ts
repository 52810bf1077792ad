import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exchangeEcho } from "../../lib/echo/mod.ts";
import { formatAddress } from "../../lib/net/mod.ts";
import { ownAddress } from "../support/own_address.ts";
import { listenLocally, RawClient } from "../support/peers.ts";
import {
  type Finished,
  InnerServer,
  Program,
  type ProgramOptions,
  script,
  socktool,
} from "../support/programs.ts";
import { ServerProgram } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { serveFault } from "../support/faulty_servers.ts";
import { TLS_FILES } from "../support/tls.ts";

const windows = Deno.build.os === "windows";

function startServer(...args: string[]): Promise<InnerServer> {
  return InnerServer.start(["echo-server", ...args]);
}

/** Runs `echo-client ARGS…` to its end. */
const client = (args: readonly string[]) => socktool(["echo-client", ...args]);

/** The same as a process. */
async function clientProcess(
  args: readonly string[],
  options?: ProgramOptions,
): Promise<Finished> {
  await using program = new Program(script("cmd/echo_client.ts", ...args), options);
  if (options?.stdin !== undefined) {
    await program.type(options.stdin);
    await program.endStdin();
  }
  return await program.finished();
}

Deno.test("echo-server and echo-client talk, and the server drains on SIGINT", async () => {
  await using server = await ServerProgram.start(script("cmd/echo_server.ts", ":0"));
  assertEquals(await clientProcess([...server.words, "hello, universe"]), {
    code: 0,
    out: "hello, universe",
    err: "",
  });
  const stdin = "line one\nline two\n".repeat(20_000);
  const piped = await clientProcess(server.words, { stdin });
  assertEquals([piped.code, piped.out === stdin], [0, true]);
  const dashed = await socktool(["echo-client", ...server.words, "-"], { stdin: "x" });
  assertEquals(dashed.out, "x");
  if (windows) return;
  server.kill("SIGINT");
  const { code, err } = await server.finished();
  assertEquals(code, 0);
  assertStringIncludes(err, "draining");
});

Deno.test("echo-server --once ends after the first client", async () => {
  await using server = await startServer(":0", "--once", "-v");
  await exchangeEcho(server.address, new Blob(["hello"]).stream());
  const { code, out } = await server.finished();
  assertEquals(code, 0);
  assertMatch(out, /^accepted connection from 127\.0\.0\.1:\d+$/m);
  assertMatch(out, /^echoing "hello" to 127\.0\.0\.1:\d+$/m);
  assertMatch(out, /^closing connection to 127\.0\.0\.1:\d+: 5 B in, 5 B out, .*s$/m);
});

Deno.test("echo-server and echo-client work over TLS, and on a Unix socket", async () => {
  const { cert, key, ca } = TLS_FILES;
  await using secure = await startServer("localhost:0", "--tls-cert", cert, "--tls-key", key);
  const [, port] = secure.words as [string, string];
  const answered = await client(["localhost", port, "hi", "--tls", "--tls-ca", ca]);
  assertEquals([answered.code, answered.out], [0, "hi"]);
  if (windows) return;
  using scratch = new Scratch();
  await using unix = await startServer(`unix:${scratch.at("s")}`);
  assertEquals((await client([...unix.words, "hi"])).out, "hi");
});

Deno.test("echo-server says that the port is in use", async () => {
  using listener = await listenLocally();
  const where = formatAddress(listener.address);
  const { code, err } = await socktool(["echo-server", where]);
  assertEquals(code, 1);
  assertStringIncludes(err, `cannot listen on ${where}: the address is in use`);
});

Deno.test("echo-client --hex shows both directions with times", async () => {
  await using server = await startServer(":0");
  const { out } = await client([...server.words, "hello, universe\x01", "--hex"]);
  const dump = "00000000  68 65 6c 6c 6f 2c 20 75  6e 69 76 65 72 73 65 01  |hello, universe.|";
  const lines = out.trimEnd().split("\n");
  assertEquals(lines.map((line) => line.replace(/^\d+\.\d{6} /, "")), [`> ${dump}`, `< ${dump}`]);
});

Deno.test("echo-client --json tells what passed", async () => {
  await using server = await startServer(":0");
  const { out } = await client([...server.words, "hello", "--json"]);
  const events = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(events.map(({ type, text, bytes }) => [type, text ?? bytes]), [
    ["sent", "hello"],
    ["received", "hello"],
    ["summary", 5],
  ]);
});

Deno.test("echo-client exits 1 when the echo is wrong, short, or does not come", async () => {
  for (
    const [fault, message] of [
      ["wrong", "the echo differs at byte 3: 0x93 came, 0x6c was sent"],
      ["short", "the server closed the connection: 3 of 5 bytes came back"],
      ["silent", "no byte moved for 100 ms: 0 of 5 bytes came back"],
      ["surplus", "the server sent more than the 5 bytes it was sent"],
    ] as const
  ) {
    await using server = await serveFault(fault);
    const { hostname, port } = server.address as { hostname: string; port: number };
    const args = [hostname, String(port), "hello", "--idle-timeout", "100ms"];
    const { code, err, out } = await client(args);
    assertEquals([code, err], [1, `error: ${message}\n`]);
    if (fault === "surplus") assertEquals(out, "hello");
  }
});

Deno.test("echo-client says that nobody listens, and refuses wrong flags", async () => {
  const nobody = formatAddress(ownAddress());
  const refused = await client([nobody, "x"]);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.err, `cannot connect to ${nobody}: the connection was refused`);
  const wrong = await client(["--idle-timout", "1s"]);
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.err, "did you mean --idle-timeout?");
});

Deno.test({
  name: "echo-client exits 130 when it is interrupted",
  ignore: windows,
  async fn() {
    await using server = await serveFault("silent");
    const where = formatAddress(server.address);
    await using program = new Program(script("cmd/echo_client.ts", where, "hello", "-v"));
    await program.printed("connected to");
    program.kill("SIGINT");
    assertEquals((await program.finished()).code, 130);
  },
});

Deno.test("echo-server refuses clients above --max-connections", async () => {
  await using server = await startServer(":0", "--max-connections", "1", "-v");
  using first = await RawClient.connect(server.address);
  await first.send(new Uint8Array([1]));
  await first.chunk();
  using second = await RawClient.connect(server.address);
  assert(await second.closed());
  await server.printed("refused: too many connections", "out");
});
