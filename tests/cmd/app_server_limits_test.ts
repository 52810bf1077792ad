import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { encodeFrame, jsonFrame } from "../../lib/frame/mod.ts";
import { parseAddress } from "../../lib/net/mod.ts";
import { until } from "../support/deadline.ts";
import { RawClient, rawFrame } from "../support/peers.ts";
import {
  innerAppServer,
  InnerProgram,
  type ServerProgram,
  start,
  startAppServer,
} from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";

const windows = Deno.build.os === "windows";
const REQUEST = encodeFrame(jsonFrame({ action: "search", value: "ring" }));

async function codeOf(client: RawClient): Promise<unknown> {
  return ((await client.json())["error"] as { code: unknown } | undefined)?.code;
}

/** The objects that a program printed so far. */
function events({ out }: InnerProgram): Record<string, unknown>[] {
  return out.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("a server refuses clients above --max-connections, and content above --max-content", async () => {
  await using server = await innerAppServer(["--max-connections=1", "--max-content", "1KiB"]);
  using client = await RawClient.connect(server.address);
  await client.send(REQUEST);
  assertEquals(await codeOf(client), undefined);
  {
    using refused = await RawClient.connect(server.address);
    assertEquals(await codeOf(refused), "too-many-connections");
    assertEquals(await refused.answer(), undefined);
  }
  await client.send({ content: new Uint8Array(1_024) });
  assertStringIncludes(
    new TextDecoder().decode((await client.answer())!.content),
    "First 10 bytes of request",
  );
  await client.send({ content: new Uint8Array(1_025) });
  assertEquals(await codeOf(client), "frame-too-large");
  assertEquals(await client.answer(), undefined);
});

Deno.test("a server closes clients that pass a limit in time, and says which", async () => {
  const limits = {
    idle: ["--idle-timeout", "200ms", REQUEST],
    "first-byte-timeout": ["--first-byte-timeout", "200ms", new Uint8Array(0)],
    "frame-timeout": ["--frame-timeout", "200ms", REQUEST.subarray(0, 20)],
  } as const;
  await Promise.all(
    Object.entries(limits).map(async ([reason, [flag, value, bytes]]) => {
      await using server = await innerAppServer([flag, value, "-v"]);
      using client = await RawClient.connect(server.address);
      await client.send(bytes);
      assert(await client.closed());
      await server.printed(`closed: ${reason}`);
    }),
  );
});

Deno.test("--json tells what happens as objects, a line each", async () => {
  await using server = new InnerProgram(["app-server", ":0", "--json", "-q"]);
  await server.printed("\n", "out");
  const [listening] = events(server);
  assertEquals(listening!["type"], "listening");
  {
    using client = await RawClient.connect(parseAddress(String(listening!["address"])));
    await client.send(REQUEST);
    await client.answer();
  }
  await until(() => events(server).length >= 3);
  const [, opened, closed] = events(server);
  assertEquals([opened!["type"], closed!["type"]], ["opened", "closed"]);
  assertEquals([closed!["reason"], closed!["readBytes"]], ["done", REQUEST.length]);
  assertEquals([closed!["id"], closed!["remote"]], [opened!["id"], opened!["remote"]]);
  assertEquals(server.err, "");
});

Deno.test("-v tells of connections and broken frames", async () => {
  await using server = await innerAppServer(["-v"]);
  {
    using client = await RawClient.connect(server.address);
    await client.send(rawFrame("{}"));
    assertEquals(await codeOf(client), "header-field");
    assertEquals(await client.answer(), undefined);
  }
  await server.printed("closed: protocol");
  const [, number] = /connection (\d+) from 127\.0\.0\.1:\d+\n/.exec(server.err)!;
  const said = server.err.replaceAll(`connection ${number} `, "it ");
  assertStringIncludes(said, "it sent a broken frame: The header lacks the field");
  assertMatch(said, /it closed: protocol, 4 B in, \d+ B out\n/);
  assertEquals(server.out, "");
});

Deno.test({
  name: "more connections than files are warned of",
  ignore: windows,
  fn: async () => {
    await using server = await startAppServer(["--max-connections", "10k"], { openFiles: 256 });
    assertMatch(server.err, /warning: 10000 connections need 10032 open files.*ulimit -n 10032/);
  },
});

/** Connects and gets an answer, so that the connection is being served. */
async function visit(server: Pick<ServerProgram, "address">): Promise<RawClient> {
  const client = await RawClient.connect(server.address);
  await client.send(REQUEST);
  await client.answer();
  return client;
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test({
    name: `${signal} drains the server, which then exits with 0`,
    ignore: windows,
    fn: async () => {
      await using server = await startAppServer();
      using idle = await visit(server);
      using late = await visit(server);
      await late.send(REQUEST.subarray(0, 20));
      // Once this is answered, so is what was sent before.
      using other = await visit(server);
      server.kill(signal);
      await server.printed("draining");
      assert(await idle.closed() && await other.closed());
      idle.close();
      other.close();
      await late.send(REQUEST.subarray(20));
      assertEquals(await codeOf(late), undefined);
      assertEquals(await late.answer(), undefined);
      late.close();
      const { code, err } = await server.finished();
      assertEquals(code, 0);
      assertMatch(
        err,
        /^listening on \S+\ndraining: open connections may finish \(once more ends at once\)\n$/,
      );
    },
  });
}

Deno.test({
  name: "the second signal ends a server at once",
  ignore: windows,
  fn: async () => {
    await using server = await startAppServer(["--drain-timeout", "1h"]);
    using client = await visit(server);
    await client.send(REQUEST.subarray(0, 20));
    using _other = await visit(server);
    server.kill("SIGTERM");
    await server.printed("draining");
    server.kill("SIGTERM");
    assertEquals((await server.finished()).code, 130);
    assert(await client.closed());
  },
});

Deno.test({
  name: "what does not finish within --drain-timeout is closed, and counted",
  ignore: windows,
  fn: async () => {
    await using server = await innerAppServer(["--drain-timeout", "200ms"]);
    using client = await visit(server);
    await client.send(REQUEST.subarray(0, 20));
    (await visit(server)).close();
    server.interrupt();
    const { code, err } = await server.finished();
    assertEquals(code, 0);
    assertStringIncludes(err, "warning: 1 connection did not finish in time\n");
    assert(await client.closed());
  },
});

Deno.test({
  name: "a server that is interrupted while it indexes ends quietly",
  ignore: windows,
  fn: async () => {
    using scratch = new Scratch();
    const records = Array.from(
      { length: 150_000 },
      (_, i) => JSON.stringify({ key: `k${i}`, text: `some words ${i} and more of them ${i * 7}` }),
    );
    const data = scratch.write("data.jsonl", records.join("\n"));
    const args = ["app-server", `unix:${scratch.at("s")}`, "--data", data, "--json"];
    await using server = start(args);
    // It listens first, so that a port in use is told of before the work.
    await until(() => [...Deno.readDirSync(scratch.path)].some(({ name }) => name === "s"));
    server.kill("SIGTERM");
    const { code, err } = await server.finished();
    assertEquals(code, 0, err);
    assertEquals(err, "draining: open connections may finish (once more ends at once)\n");
    assertEquals(server.out, "");
  },
});
