import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { serveEcho } from "../../lib/echo/mod.ts";
import { formatAddress } from "../../lib/net/mod.ts";
import { until } from "../support/deadline.ts";
import { serveFault } from "../support/faulty_servers.ts";
import { listenLocally, RawClient } from "../support/peers.ts";
import {
  type Finished,
  InnerProgram,
  InnerServer,
  Program,
  script,
  ServerProgram,
  socktool,
} from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";

const windows = Deno.build.os === "windows";
const linux = Deno.build.os === "linux";

function startServer(...args: string[]): Promise<InnerServer> {
  return InnerServer.start(["multiconn-server", ...args]);
}

/** Runs `multiconn-client ARGS…` to its end. */
function client(...args: string[]): Promise<Finished> {
  return socktool(["multiconn-client", ...args]);
}

/** The same as a process. */
async function clientProcess(...args: string[]): Promise<Finished> {
  await using program = new Program(script("cmd/multiconn_client.ts", ...args));
  return await program.finished();
}

function objects(text: string): Record<string, unknown>[] {
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("multiconn-client does what the tutorial's does, and multiconn-server tells of it", async () => {
  await using server = await ServerProgram.start(script("cmd/multiconn_server.ts", ":0", "-v"));
  const { code, out } = await clientProcess(...server.words, "2");
  assertEquals(code, 0);
  const where = formatAddress(server.address);
  for (const id of [1, 2]) {
    const lines = out.split("\n").filter((line) => line.includes(`connection ${id}`));
    assertEquals(lines.slice(0, 3), [
      `starting connection ${id} to ${where}`,
      `sending "hello message 1 from client." to connection ${id}`,
      `sending "hi message 2 from client." to connection ${id}`,
    ]);
    assertMatch(lines[3]!, /^received "hello message 1 from client\./);
    assertEquals(lines.at(-1), `closing connection ${id}`);
  }
  const count = (text: string) => server.out.split(text).length - 1;
  await until(() => count("closing connection to ") === 2, "the server told of both ends");
  assertEquals(count("accepted connection from "), 2);
  assertMatch(server.out, /closing connection to 127\.0\.0\.1:\d+: 53 B in, 53 B out, \S+ \S?s/);
  assertStringIncludes(server.out, 'echoing "hello message 1 from client.');
});

Deno.test("multiconn-server --json and --stats tell the same to programs", async () => {
  const words = ["multiconn-server", ":0", "--json", "--stats", "100ms"];
  await using server = new InnerProgram(words);
  await server.printed("\n", "out");
  const address = String(objects(server.out)[0]!["address"]);
  assertEquals((await client(address, "3", "-q")).out, "");
  await until(() => server.out.split('"type":"closed"').length === 4, "three ends");
  await until(() => /"type":"stats".*"accepted":3/.test(server.out), "figures of three clients");
  const types = new Set(
    objects(server.out.slice(0, server.out.lastIndexOf("\n")))
      .map(({ type }) => type),
  );
  assertEquals(types, new Set(["listening", "accepted", "closed", "stats"]));
});

Deno.test({
  name: "multiconn-server --workers serves one port with threads, and drains them",
  ignore: !linux,
  async fn() {
    await using server = await startServer(":0", "--workers", "2");
    const { code, err } = await client(...server.words, "20", "--count", "5", "--verify");
    assertEquals([code, err.includes("error")], [0, false]);
    await until(() => server.out.split("closing connection").length === 21, "20 ends");
    server.interrupt();
    assertEquals((await server.finished()).code, 0);
  },
});

Deno.test({
  name: "multiconn-server --workers says where it cannot",
  ignore: windows,
  async fn() {
    using scratch = new Scratch();
    const args = [`unix:${scratch.at("s")}`, "--workers", "2"];
    const { code, err } = await socktool(["multiconn-server", ...args]);
    assertEquals(code, 1);
    assertStringIncludes(err, "threads can share a port only on Linux, and only with TCP");
  },
});

Deno.test("multiconn-server --idle-timeout closes silent clients and says so", async () => {
  await using server = await startServer(":0", "--idle-timeout", "100ms");
  using silent = await RawClient.connect(server.address);
  assert(await silent.closed());
  await server.printed("(idle for too long)", "out");
});

Deno.test("multiconn-client with load flags measures, and writes what it is asked to", async () => {
  using scratch = new Scratch();
  await using server = serveEcho(await listenLocally());
  const where = formatAddress(server.address);
  const [hdr, report, save] = ["a.hdr", "a.html", "a.json"].map((name) => scratch.at(name));
  const first = await client(
    ...[where, "5", "--size", "1KiB", "--count", "40", "--verify"],
    ...["--hdr", hdr!, "--report", report!, "--save", save!],
  );
  assertEquals(first.code, 0);
  assertMatch(first.out, /^200 messages, 200 KiB in /);
  assertMatch(first.out, /^latency( +[\d.]+ (µs|ms|s)){8}$/m);
  assertStringIncludes(first.err, `closed loop: 5 connections to ${where}, `);
  assertMatch(await Deno.readTextFile(hdr!), /^ +Value +Percentile +TotalCount/);
  assertMatch(await Deno.readTextFile(report!), /^<!doctype html>/);
  const second = await client(where, "5", "--size", "1KiB", "--count", "10", "--compare", save!);
  assertEquals(second.code, 0);
  assertMatch(second.out, /^p99 .* × [\d.]+ .*too short to tell$/m);
});

Deno.test("multiconn-client --rate --json ends with a summary that has all figures", async () => {
  await using server = serveEcho(await listenLocally());
  const where = formatAddress(server.address);
  const flags = ["--rate", "500", "--duration", "600ms", "--workers", "2", "--json"];
  const { code, out } = await client(where, "4", ...flags);
  assertEquals(code, 0);
  const lines = objects(out);
  assertEquals(lines[0]!["type"], "interval");
  const summary = lines.at(-1)!;
  assertEquals([summary["type"], summary["mode"], summary["messages"], summary["errors"]], [
    "summary",
    "open loop",
    300,
    0,
  ]);
  assertEquals(Object.keys(summary["latency_us"] as object), [
    ...["min", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max"],
  ]);
});

Deno.test("multiconn-client --fail-if exits 3 and says by how much", async () => {
  await using server = serveEcho(await listenLocally());
  const where = formatAddress(server.address);
  const flags = ["--count", "5", "--fail-if", "max>0.001us", "--fail-if", "errors>0"];
  const { code, err } = await client(where, "2", ...flags);
  assertEquals(code, 3);
  assertMatch(err, /^error: max is .*, above /m);
  assert(!err.includes("errors is"));
});

Deno.test("multiconn-client tells of servers that fail, in both of its modes", async () => {
  await using server = await serveFault("short");
  const where = formatAddress(server.address);
  const tutorial = await client(where, "2");
  assertEquals(tutorial.code, 1);
  assertStringIncludes(tutorial.err, "error: connection 1: the server closed it after 3 bytes");
  assertStringIncludes(tutorial.err, "0 of 2 connections got their messages back");
  const load = await client(where, "2", "--count", "1");
  assertEquals(load.code, 1);
  assertStringIncludes(load.err, "error: the server closed 2 connections early");
  assertStringIncludes(load.out, "0 messages");
});

Deno.test({
  name: "multiconn-client exits 130 with its summary when it is interrupted",
  async fn() {
    await using server = serveEcho(await listenLocally());
    const where = formatAddress(server.address);
    const args = ["multiconn-client", where, "2", "--rate", "50", "--duration", "1m", "--json"];
    await using program = new InnerProgram(args);
    await program.printed('"type":"interval"', "out");
    program.interrupt();
    const { code, out } = await program.finished();
    assertEquals(code, 130);
    const summary = objects(out).at(-1)!;
    assertEquals([summary["type"], summary["interrupted"]], ["summary", true]);
  },
});

Deno.test("multiconn-client refuses what makes no sense with exit code 2", async () => {
  const results = await Promise.all([
    [":1", "0"],
    [":1", "many"],
    [":1", "2", "--size", "large"],
    [":1", "2", "--rate", "0"],
    [":1", "2", "--rate", "5", "--pipeline", "2"],
    [":1", "2", "--count", "5", "--duration", "1s"],
    [":1", "2", "--fail-if", "p99>5"],
  ].map((args) => client(...args)));
  for (const { code, err } of results) {
    assertEquals(code, 2, err);
    assertMatch(err, /^error: /);
  }
});

Deno.test({
  name: "multiconn-client checks the limit of open files first",
  ignore: windows,
  async fn() {
    const args = script("cmd/multiconn_client.ts", ":1", "500");
    await using program = new Program(args, { openFiles: 200 });
    const { code, err } = await program.finished();
    assertEquals(code, 1);
    assertStringIncludes(err, "500 connections need");
    assertStringIncludes(err, "ulimit -n");
  },
});

Deno.test({
  name: "multiconn-client counts what its threads need, and with as many files all goes well",
  ignore: !linux,
  async fn() {
    await using server = serveEcho(await listenLocally());
    const args = script(
      "cmd/multiconn_client.ts",
      ...[formatAddress(server.address), "100", "--workers", "2", "--count", "3"],
    );
    const asked = /need (\d+) open files/;
    await using tooFew = new Program(args, { openFiles: 132 });
    const refused = await tooFew.finished();
    assertEquals(refused.code, 1);
    const openFiles = Number(asked.exec(refused.err)?.[1]);
    await using enough = new Program(args, { openFiles });
    const { code, err } = await enough.finished();
    assertEquals(code, 0, err);
  },
});
