/** `--http` of the servers. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { TO_LIVE_PAGE } from "../../cmd/_web/live_routes.ts";
import { openHttp } from "../../cmd/_web/open_http.ts";
import type { Context } from "../../cmd/_cli/mod.ts";
import { dial, parseAddress } from "../../lib/net/mod.ts";
import { until } from "../support/deadline.ts";
import { lacksSignals } from "../support/skip.ts";
import {
  InnerProgram,
  InnerServer,
  script,
  ServerProgram,
  socktool,
  start,
} from "../support/programs.ts";
import { TLS_FILES } from "../support/tls.ts";

/** Where the pages of a server are. */
const pagesOf = ({ err }: { readonly err: string }) => /^pages on (\S+\/)\n/m.exec(err)![1]!;

const SERVERS = ["echo-server", "multiconn-server", "app-server", "broker"];

Deno.test("each server tells its health over HTTP", async () => {
  for (const name of SERVERS) {
    await using server = await InnerServer.start([name, ":0", "--http", ":0"]);
    const url = pagesOf(server);
    for (const path of ["healthz", "readyz"]) {
      const response = await fetch(url + path);
      assertEquals([response.status, await response.json()], [200, { status: "ok" }], name);
    }
    server.interrupt();
    assertEquals((await server.finished()).code, 0, name);
  }
});

Deno.test("other machines reach an HTTP side only where somebody said that they may", async () => {
  for (const name of ["echo-server", "app-server", "broker"]) {
    const { code, err } = await socktool([name, ":0", "--http", "0.0.0.0:0"]);
    assertEquals(code, 2, err);
    assertStringIncludes(err, "other machines can connect to 0.0.0.0:0: say ");
    assertEquals(err.includes("--auth FILE"), name !== "echo-server");
  }
  for (
    const [flags, problem] of [
      [["--http", ":0", "--allow-origin", "*"], 'cannot use "*" as a'],
      [["--http", ":0", "--http-host", "a b"], 'cannot use "a b" as a host name'],
      [["--http-host", "a.example"], "--http-host"],
    ] as const
  ) {
    const { code, err } = await socktool(["broker", ":0", ...flags]);
    assertEquals(code, 2, err);
    assertStringIncludes(err, problem);
  }
});

Deno.test("handshakes that never end leave descriptors over for the server's own address", async () => {
  const tls = ["--tls-cert", TLS_FILES.cert, "--tls-key", TLS_FILES.key];
  // A quarter of as many handshakes as connections.
  const limit = ["--max-connections", "100"];
  const command = script("cmd/echo_server.ts", ":0", "--http", ":0", ...limit, ...tls);
  await using server = await ServerProgram.start(command);
  const port = Number(new URL(pagesOf(server)).port);
  const silent = await Promise.all(Array.from({ length: 50 }, () => Deno.connect({ port })));
  let open = silent.length;
  for (const conn of silent) {
    conn.read(new Uint8Array(1)).catch(() => null).then(() => open--);
  }
  // Sooner than a handshake's time of ten seconds is over.
  await until(() => open <= 25, "the others are given up", 9_000);
  for (const conn of silent) conn.close();
});

Deno.test("pub, sub, app-client and load reach a server over WebSocket", async () => {
  await using broker = await InnerServer.start(["broker", ":0", "--http", ":0"]);
  const url = `${pagesOf(broker).replace("http", "ws")}ws`;
  const words = ["sub", "-s", url, "news.>", "--count", "1", "--timeout", "20s"];
  await using sub = new InnerProgram(words);
  // Refused for as long as nobody subscribes.
  const publish = () =>
    socktool(["pub", "-s", url, "news.today", "hello", "--confirm", "--min-receivers", "1"]);
  await until(async () => (await publish()).code === 0);
  assertEquals((await sub.finished()).out, "hello\n");
  await using server = await InnerServer.start(["app-server", ":0", "--http", ":0"]);
  const app = `${pagesOf(server).replace("http", "ws")}ws`;
  const found = await socktool(["app-client", app, "search", "morpheus"]);
  assertStringIncludes(found.out, "Follow the white rabbit");
  const { code, err } = await socktool([
    "app-client",
    app.replace("/ws", "/no"),
    "search",
    "morpheus",
  ]);
  assertEquals(code, 1);
  assertStringIncludes(err, "answered 404 Not Found");
  assert(err.includes("WebSockets of socktool's servers are at /ws"), err);
  // Without ws:// it is dialled as a server of frames.
  const where = new URL(app).host;
  for (
    const words of [
      ["app-client", where, "search", "morpheus"],
      ["load", where, "1", "--protocol", "frames", "--request", "{}"],
    ]
  ) {
    const { code, err } = await socktool(words);
    assertEquals(code, 1);
    assertStringIncludes(err, `says "HTTP/1.1 400 Bad Request"; a server's --http is ${app}`);
  }
});

Deno.test("health tells scripts how a server is", async () => {
  await using server = await InnerServer.start(["broker", ":0", "--http", ":0"]);
  const where = new URL(pagesOf(server)).host;
  assertEquals(await socktool(["health", where]), { code: 0, out: `${where} is ok\n`, err: "" });
  assertEquals(await socktool(["health", where, "--ready", "-q"]), { code: 0, out: "", err: "" });
  const json = await socktool(["health", where, "--json"]);
  assertEquals(JSON.parse(json.out), { type: "health", well: true, status: "ok" });
  const framed = new URL(`tcp://${server.words.join(":")}`).host;
  const other = await socktool(["health", framed, "--connect-timeout", "300ms"]);
  assertEquals(other.code, 1);
  assertStringIncludes(other.err, `${framed} `);
  const none = await socktool(["health", "127.0.0.1:1"]);
  assertEquals(none.code, 1);
  assertStringIncludes(none.err, "the connection was refused");
});

Deno.test("while a server drains it is not well, and as long as it starts it is not ready", async () => {
  const flags = {
    http: parseAddress("127.0.0.1:0"),
    "http-host": [],
    "allow-origin": [],
    insecure: false,
    json: true,
  };
  const lines: { url?: string }[] = [];
  const none = () => {};
  const draining = new AbortController();
  let failure: string | undefined = undefined;
  const http = (await openHttp(flags, { failure: () => failure as string | undefined }, {
    out: { json: (line: object) => void lines.push(line) },
    log: { detail: none, warn: none, info: none, error: none },
    signal: draining.signal,
  } as unknown as Context))!;
  const ask = async (path: string) => {
    const response = await fetch(`${lines[0]!.url}${path}`);
    return [response.status, await response.json()];
  };
  http.starting = { detail: "indexing", progress: 0.5 };
  const starting = { status: "starting", detail: "indexing", progress: 0.5 };
  assertEquals(await ask("readyz"), [503, starting]);
  assertEquals(await ask("healthz"), [200, starting]);
  // What has no page yet may have one in a moment: a browser that comes back is to try again.
  const early = { error: { code: "starting", message: "The server is starting" } };
  for (const path of ["", "live", "api/stats"]) assertEquals(await ask(path), [503, early]);
  http.add([TO_LIVE_PAGE]);
  http.ready();
  assertEquals(await ask("readyz"), [200, { status: "ok" }]);
  const missing = { error: { code: "not-found", message: "There is no /live" } };
  for (const path of ["", "live"]) assertEquals(await ask(path), [404, missing]);
  draining.abort();
  for (const path of ["readyz", "healthz"]) {
    assertEquals(await ask(path), [503, { status: "draining" }]);
  }
  const where = new URL(lines[0]!.url!).host;
  const { code, err } = await socktool(["health", where]);
  assertEquals([code, err], [1, `error: ${where} is draining\n`]);
  failure = "the disk failed";
  for (const path of ["readyz", "healthz"]) {
    assertEquals(await ask(path), [503, { status: "failed", detail: "the disk failed" }]);
  }
  await http[Symbol.asyncDispose]();
});

Deno.test("--log-format json makes an object of every line, from the start to draining", async () => {
  const args = [":0", "--http", ":0", "--log-format", "json", "-v"];
  await using server = start(["app-server", ...args]);
  await server.printed("listening on");
  const [, address] = /listening on ([0-9.:]+)/.exec(server.err)!;
  {
    using client = await dial(address!);
    await client.write(Uint8Array.of(0, 2, 120, 120));
    while (await client.read(new Uint8Array(1_000)) !== null);
  }
  await server.printed("broken frame");
  if (lacksSignals()) return;
  server.kill("SIGTERM");
  const { code, err } = await server.finished();
  const lines = err.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(code, 0);
  for (const { time, level, message } of lines) {
    assert(Date.parse(time) > 0 && typeof message === "string" && typeof level === "string");
  }
  const find = (part: string) => lines.find(({ message }) => message.includes(part));
  assertEquals(find("broken frame").connection, 1);
  assertEquals(find("draining").level, "info");
  assertEquals(find("pages on").level, "info");
  // So are the lines that other servers print on stdout.
  const flags = ["-v", "--stats=100ms", "--log-format", "json"];
  await using echo = new InnerProgram(["multiconn-server", ":0", ...flags]);
  await echo.printed("listening on");
  {
    using client = await dial(/listening on ([0-9.:]+)/.exec(echo.err)![1]!);
    await client.write(Uint8Array.of(104, 105));
    await client.read(new Uint8Array(10));
    await until(() => echo.out.includes("1 connection open"));
  }
  await until(() => echo.out.includes("closing"));
  echo.interrupt();
  const { out } = await echo.finished();
  const said = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  const { connection: number } = said.find(({ connection }) => connection !== undefined);
  for (const part of ["accepted connection", "echoing", "closing connection"]) {
    const { time, level, connection } = said.find(({ message }) => message.startsWith(part));
    assertEquals([Date.parse(time) > 0, level, connection], [true, "info", number], part);
  }
  // What is wrong before the server runs is one too.
  const wrong = await socktool(["app-server", "--log-format=json", "--nonsense"]);
  const problems = wrong.err.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals([wrong.code, problems[0].level], [2, "error"]);
});
