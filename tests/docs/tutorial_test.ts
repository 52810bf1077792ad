/** The tutorial's programs, against Python's sockets and ours; what its pages show, pages_test runs. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { serveEcho } from "../../lib/echo/mod.ts";
import { jsonFrame } from "../../lib/frame/mod.ts";
import type { Address } from "../../lib/net/mod.ts";
import { connectRequests, serveRequests } from "../../lib/request/mod.ts";
import { deadline } from "../support/deadline.ts";
import { ownAddress } from "../support/own_address.ts";
import { Program, ROOT } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";

const FOLDER = `${ROOT}docs/tutorial/`;
const PROGRAMS = [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
  .filter((name) => name.endsWith(".ts")).sort();
const PYTHON = `${ROOT}tests/interop/echo_peer.py`;
const withoutPython = Deno.build.os === "windows";

const run = (name: string, ...args: readonly string[]) =>
  new Program(["run", "-A", "--no-check", FOLDER + name, ...args]);

/** What a program prints to its end, which must be a good one. */
async function outputOf(name: string, ...args: readonly string[]): Promise<string> {
  await using program = run(name, ...args);
  const { code, out, err } = await program.finished();
  assertEquals(code, 0, err);
  return out;
}

/** Starts a server of the tutorial's. @returns it, and the words that name it. */
async function start(name: string, ...before: readonly string[]) {
  const address = ownAddress();
  const words = wordsOf(address);
  const server = run(name, ...before, ...words);
  await server.printed("listening on", "out");
  return { server, words, address };
}

const wordsOf = (address: Address) => {
  assert(address.transport === "tcp");
  return [address.hostname, String(address.port)];
};

async function python(...args: readonly string[]): Promise<string> {
  const { code, stdout } = await deadline(
    new Deno.Command("python3", { args: [PYTHON, ...args], stdin: "null", stderr: "inherit" })
      .output(),
  );
  assertEquals(code, 0);
  return new TextDecoder().decode(stdout);
}

Deno.test("no program of the tutorial has more than 80 lines, or uses anything but Deno and others", () => {
  assert(PROGRAMS.length >= 9);
  for (const name of PROGRAMS) {
    const text = Deno.readTextFileSync(FOLDER + name);
    assert(text.trimEnd().split("\n").length <= 80, name);
    for (const [, from] of text.matchAll(/from "([^"]+)"/g)) assert(/^\.\/\d\d_/.test(from!), name);
  }
});

Deno.test("every program of the tutorial is on a page of it", () => {
  const pages = [...Deno.readDirSync(FOLDER)].filter(({ name }) => name.endsWith(".md"))
    .map(({ name }) => Deno.readTextFileSync(FOLDER + name)).join("\n");
  for (const name of PROGRAMS) assertStringIncludes(pages, name);
});

Deno.test({
  name: "the tutorial's servers echo for Python's clients",
  ignore: withoutPython,
  fn: async () => {
    const one = await start("02_echo_server.ts");
    await using _one = one.server;
    await python("talk", ...one.words);
    assertEquals((await one.server.finished()).code, 0);
    const { server, words } = await start("03_many_server.ts");
    await using _ = server;
    await python("talk-many", ...words, "20");
    await server.printed("client 20 has ended after", "out");
  },
});

Deno.test({
  name: "a client that reads once has one letter of a slow echo, as the page says",
  ignore: withoutPython,
  fn: async () => {
    const { server, words } = await start("02_slow_echo.ts");
    await using _ = server;
    assertEquals(await python("talk", ...words), "h\n");
  },
});

Deno.test("the tutorial's clients take what our echo server sends, whole or byte by byte", async () => {
  await using server = await serveEcho("127.0.0.1:0");
  const words = wordsOf(server.address);
  assertEquals(await outputOf("02_echo_client.ts", ...words), "hello, universe.\nHi, friend.\n");
  const lines = (await outputOf("03_many_client.ts", ...words, "10")).trimEnd().split("\n");
  assertEquals(lines, lines.map((_, i) => `connection ${i + 1}: both messages came back`));
  assertEquals(lines.length, 10);
  const slow = await start("02_slow_echo.ts");
  await using _ = slow.server;
  assertEquals(await outputOf("02_echo_client.ts", ...slow.words, "é🐰\n", "ü"), "é🐰\nü\n");
});

Deno.test("one reset client of the tutorial's server is no end for the others", async () => {
  const { server, address, words } = await start("03_many_server.ts");
  await using _ = server;
  assert(address.transport === "tcp");
  {
    // Closing with unread bytes resets the connection.
    using rude = await Deno.connect(address);
    await rude.write(new Uint8Array(1_000_000).fill(120));
  }
  await server.printed("client 1 ", "out");
  assertEquals(
    await outputOf("02_echo_client.ts", ...words, "still ", "there?"),
    "still there?\n",
  );
});

Deno.test("the tutorial's search app speaks our frames, in both directions", async () => {
  for (const name of ["06_search_server.ts", "07_patient_server.ts"]) {
    const { server, address, words } = await start(name);
    await using _ = server;
    await using client = await connectRequests(address);
    const ask = (value: unknown) => client.request(jsonFrame({ action: "search", value }));
    const replies = await Promise.all(["dog", "ring", "constructor"].map(ask));
    assertEquals(replies.map((reply) => reply.json<{ result: string }>().result), [
      "Good boy.",
      "In the caves beneath the Misty Mountains.",
      "No match for 'constructor'.",
    ]);
    assertEquals(await outputOf("06_search_client.ts", ...words, "dog"), "dog: Good boy.\n");
  }
  await using ours = await serveRequests("127.0.0.1:0", (request) => {
    const { value } = request.json<{ value: string }>();
    return jsonFrame({ result: value.toUpperCase() });
  });
  const words = wordsOf(ours.address);
  assertEquals(await outputOf("06_search_client.ts", ...words, "a", "b"), "a: A\nb: B\n");
});

Deno.test("a request that makes no sense is answered, and the next one too", async () => {
  const { server, address } = await start("06_search_server.ts");
  await using _ = server;
  await using client = await connectRequests(address);
  for (const wrong of [null, [], "x", { action: "fly" }]) {
    const reply = await client.request(jsonFrame(wrong)).catch((error: Error) => error);
    assertStringIncludes(String(reply), "search");
  }
  const reply = await client.request(jsonFrame({ action: "search", value: "dog" }));
  assertEquals(reply.json(), { result: "Good boy." });
});

Deno.test("the tutorial's patient server ends when it is told to, and its clients have left", async () => {
  const { server, address } = await start("07_patient_server.ts");
  await using _ = server;
  {
    await using client = await connectRequests(address);
    await client.request(jsonFrame({ action: "search", value: "dog" }));
    server.kill("SIGTERM");
    await server.printed("draining 1 clients", "out");
    await client.request(jsonFrame({ action: "search", value: "ring" }));
  }
  assertEquals((await server.finished()).code, 0);
});

Deno.test("of what the tutorial's broker passes on, nothing is lost without being told", async () => {
  const { server, words } = await start("08_broker.ts");
  await using _ = server;
  await using quick = run("08_pub_sub.ts", ...words, "sub", "t", "3000");
  await using slow = run("08_pub_sub.ts", ...words, "slow-sub", "t", "3000");
  await quick.printed("subscribed", "out");
  await slow.printed("subscribed", "out");
  await outputOf("08_pub_sub.ts", ...words, "pub", "t", "3000");
  for (const subscriber of [quick, slow]) {
    assertStringIncludes((await subscriber.finished()).out, "missed = 3000");
  }
});

Deno.test("the tutorial's log has after a kill what it said was kept, and nothing of what is half", async () => {
  using scratch = new Scratch();
  const path = scratch.at("log.frames");
  let kept = 0;
  for (let round = 1; round <= 3; round++) {
    const { server, words } = await start("09_log_server.ts", path);
    await using _ = server;
    assertStringIncludes(server.out, `${kept} messages kept`);
    const texts = Array.from({ length: 20 }, (_, i) => `${round}.${i}`);
    const out = await outputOf("09_log_client.ts", ...words, "pub", ...texts);
    kept += texts.length;
    assertStringIncludes(out, `${texts.at(-1)}: kept as ${kept}`);
    const read = await outputOf("09_log_client.ts", ...words, "read", String(kept - 1), "2");
    assertEquals(read, `${kept - 1}: ${round}.18\n${kept}: ${round}.19\n`);
    server.kill("SIGKILL");
    await server.finished();
    const half = Deno.readFileSync(path).subarray(0, 10 * round);
    Deno.writeFileSync(path, half, { append: true });
  }
});
