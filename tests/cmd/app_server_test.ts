import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { jsonFrame } from "../../lib/frame/mod.ts";
import { hashToken } from "../../lib/access/mod.ts";
import { formatAddress, type TcpAddress } from "../../lib/net/mod.ts";
import { RawClient } from "../support/peers.ts";
import {
  innerAppServer,
  type ServerProgram,
  socktool,
  startAppServer,
} from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { TLS_FILES } from "../support/tls.ts";

const windows = Deno.build.os === "windows";
const RING = "In the caves beneath the Misty Mountains. 💍";

async function ask(client: RawClient, request: object): Promise<Record<string, unknown>> {
  await client.send(jsonFrame(request));
  return await client.json();
}

/** What a search on a connection of its own gives. */
async function search(server: Pick<ServerProgram, "address">, value: string): Promise<unknown> {
  using client = await RawClient.connect(server.address);
  return (await ask(client, { action: "search", value }))["result"];
}

/** Starts a server, and expects it to fail. */
async function fails(...args: string[]): Promise<string> {
  const { code, out, err } = await socktool(["app-server", ...args]);
  assertEquals([code, out], [1, ""], err);
  assertMatch(err, /^error: cannot .+\n$/);
  return err;
}

Deno.test("a server of files finds what is in them", async () => {
  using scratch = new Scratch();
  Deno.mkdirSync(scratch.at("docs"));
  scratch.write("docs/tea.md", "# On tea\n\nBoil the water first.");
  scratch.write("docs/page.html", "<h1>On coffee</h1><p>Grind the beans.</p>");
  scratch.write(
    "facts.jsonl",
    '{"slug":"owl","caption":"Owls","fact":"Owls turn their heads."}\nnonsense\n' +
      '{"slug":"eel","caption":"Eels","fact":"Eels swim to Sargasso."}\n',
  );
  const args = ["--data", scratch.at("docs"), "--data", scratch.at("facts.jsonl")].concat(
    ["--key-field", "slug", "--title-field=caption", "--text-field", "fact", "--workers", "1"],
  );
  await using server = await innerAppServer(args);
  assertStringIncludes(server.err, `${scratch.at("facts.jsonl")}:2: record skipped`);
  assertMatch(server.err, /indexed in .+: 4 added, 1 broken and skipped/);
  assertStringIncludes(String(await search(server, "tea.md")), "Boil the water");
  assertStringIncludes(String(await search(server, "grind")), "Grind the beans");
  assertEquals(await search(server, "owl"), "Owls turn their heads.");
  assertStringIncludes(String(await search(server, "sargasso")), "Eels swim");
  assertEquals(await search(server, "morpheus"), "No match for 'morpheus'.");
  using client = await RawClient.connect(server.address);
  const { entry } = await ask(client, { action: "get", value: "eel" }) as { entry: object };
  assertEquals(entry, { key: "eel", title: "Eels", text: "Eels swim to Sargasso." });
});

Deno.test("a kept index starts at once, takes in what changed, and keeps what was stored", async () => {
  using scratch = new Scratch();
  const data = scratch.write("data.json", '{"a": "first text", "b": "second text"}');
  const args = ["--data", data, "--index", scratch.at("kept.db"), "--writable"];
  {
    await using server = await startAppServer(args);
    assertMatch(server.err, /: 2 added\n/);
    using client = await RawClient.connect(server.address);
    const reply = await ask(client, { action: "put", key: "neo", value: "no spoon" });
    assertEquals(reply["result"], "Stored 'neo'.");
    // What was answered as stored survives the hardest end.
    server.kill("SIGKILL");
    await server.finished();
  }
  scratch.write("data.json", '{"a": "first text", "b": "other text", "c": "third text"}');
  {
    await using server = await innerAppServer(args);
    assertMatch(server.err, /indexed in .*1 added.*1 updated/);
    assertEquals(await search(server, "neo"), "no spoon");
    assertEquals(await search(server, "b"), "other text");
    // Meanwhile nobody else gets at it.
    const err = await fails(":0", "--index", scratch.at("kept.db"));
    assertStringIncludes(err, scratch.at("kept.db"));
    assertMatch(err, /open|lock|use/);
    assertEquals(await search(server, "c"), "third text");
  }
  await using server = await innerAppServer(args);
  assertMatch(server.err, /unchanged/);
});

Deno.test({
  name: "links in the data are skipped, and followed with --follow",
  ignore: windows,
  fn: async () => {
    using scratch = new Scratch();
    Deno.mkdirSync(scratch.at("docs"));
    scratch.write("docs/a.txt", "an apple");
    Deno.symlinkSync(scratch.write("outside.txt", "a secret"), scratch.at("docs/b.txt"));
    const args = ["--data", scratch.at("docs")];
    {
      await using server = await innerAppServer(args);
      assertMatch(server.err, /skipped: a link.* \(--follow takes it in\): .*docs\/b\.txt/);
      assertStringIncludes(server.err, "1 added; 1 file skipped");
      assertEquals(await search(server, "b.txt"), "No match for 'b.txt'.");
    }
    await using server = await innerAppServer([...args, "--follow"]);
    assertEquals(await search(server, "b.txt"), "a secret");
  },
});

Deno.test("what is skipped or guessed is named without -v, with the flag that helps", async () => {
  using scratch = new Scratch();
  Deno.mkdirSync(scratch.at("d"));
  for (let i = 0; i < 8; i++) {
    Deno.writeFileSync(scratch.at(`d/${i}.bin`), new Uint8Array([0, 1, 0]));
  }
  Deno.writeFileSync(scratch.at("d/latin.csv"), new Uint8Array([0x61, 0x0a, 0xe9, 0x0a]));
  scratch.write("d/large.jsonl", `{"id":1,"text":"${"x".repeat(2000)}"}`);
  scratch.write("d/api.json", '{"status":"ok","results":[{"id":7,"text":"seven"}]}');
  const args = ["--data", scratch.at("d"), "--max-entry", "1KiB"];
  {
    await using server = await innerAppServer(args);
    assertMatch(server.err, /large\.jsonl:1: record skipped: .* \(--max-entry takes it in\)\n/);
    assertMatch(server.err, /skipped: binary: .*0\.bin, .*4\.bin, and 3 more \(-v\)\n/);
    assertMatch(
      server.err,
      /as windows-1252, by a guess \(--encoding says otherwise\): .*latin\.csv/,
    );
    assertMatch(server.err, /taken from "results" \(--records says otherwise\): .*api\.json/);
    assertEquals(await search(server, "7"), "seven");
  }
  await using server = await innerAppServer([...args, "-v", "--entries", "--key-field", "none"]);
  assertMatch(server.err, /7\.bin: skipped: binary/);
  assertEquals(await search(server, "api.json:1"), "ok");
});

Deno.test("flags of reading that cannot be meant are wrong usage", async () => {
  for (const args of [["--separator", "ab"], ["--separator", '"'], ["--encoding", "latin-9000"]]) {
    const { code, err } = await socktool(["app-server", "--data", "x", ...args]);
    assertEquals([code, err.includes(args[0]!)], [2, true]);
  }
});

Deno.test({
  name: "changes of the data are taken in while serving",
  // Watching is the operating system's business; what is tested here is the flag.
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    using scratch = new Scratch();
    Deno.mkdirSync(scratch.at("docs"));
    scratch.write("docs/a.txt", "an apple");
    await using server = await innerAppServer(["--data", scratch.at("docs"), "--watch"]);
    assertStringIncludes(String(await search(server, "apple")), "an apple");
    scratch.write("docs/b.txt", "a banana");
    await server.printed("1 added, 1 unchanged");
    assertStringIncludes(String(await search(server, "banana")), "a banana");
  },
});

Deno.test("what keeps a server from starting is told in a line", async () => {
  using scratch = new Scratch();
  await using running = await innerAppServer();
  const taken = formatAddress(running.address);
  const text = scratch.write("notes.txt", "This is no database. ".repeat(1_000));
  const { cert, key, ca } = TLS_FILES;
  const cases: [string[], string[]][] = [
    [[taken], [`listen on ${taken}: the address is in use`, "127.0.0.1:0 takes a free port"]],
    [["192.0.2.1:0"], ["no network interface has this address"]],
    [[":0", "--data", scratch.at("none")], [scratch.at("none"), "it does not exist"]],
    [[":0", "--index", text], [text, "no SQLite database"]],
    [[":0", "--index", scratch.path], [scratch.path]],
    [[":0", "--index", scratch.at("no/such/folder.db")], [scratch.at("no/such/folder.db")]],
    [[":0", "--tls-cert", scratch.at("none"), "--tls-key", key], ["read", "no such file"]],
    [[":0", "--tls-cert", cert, "--tls-key", text], [text, "no private key"]],
    [[":0", "--tls-cert", text, "--tls-key", key], [text, "no certificate"]],
    [[":0", "--tls-cert", ca, "--tls-key", key], [ca, key, "does not belong"]],
  ];
  const messages = await Promise.all(cases.map(([args]) => fails(...args)));
  for (const [i, [, parts]] of cases.entries()) {
    for (const part of parts) assertStringIncludes(messages[i]!, part);
  }
  assertEquals(Deno.readTextFileSync(text).length, 21_000);
});

Deno.test("a server serves TLS, and its clients check it", async () => {
  const { cert, key, ca, otherCa } = TLS_FILES;
  await using server = await innerAppServer(["--tls-cert", cert, "--tls-key", key]);
  const client = ["app-client", ...server.words, "search", "ring", "--connect-timeout", "20s"];
  const [good, unknown, other, plain] = await Promise.all([
    socktool([...client, "--tls", "--tls-ca", ca]),
    socktool([...client, "--tls"]),
    socktool([...client, "--tls", "--tls-ca", otherCa]),
    socktool(client),
  ]);
  assertEquals(good, { code: 0, out: `${RING}\n`, err: "" });
  for (const { code, out, err } of [unknown, other]) {
    assertEquals([code, out], [1, ""]);
    assertStringIncludes(err, "no authority that is trusted has signed its certificate");
    assertStringIncludes(err, "--tls-ca FILE trusts an authority of your own");
  }
  assertEquals([plain.code, plain.out], [1, ""]);
  assertStringIncludes(plain.err, "speaks TLS");
});

Deno.test({
  name: "a server serves a Unix socket, and takes its file away",
  ignore: windows,
  fn: async () => {
    using scratch = new Scratch();
    const address = `unix:${scratch.at("s")}`;
    await using server = await innerAppServer([address]);
    assertEquals(formatAddress(server.address), address);
    const answer = await socktool(["app-client", address, "search", "ring"]);
    assertEquals(answer, { code: 0, out: `${RING}\n`, err: "" });
    const second = await fails(address);
    assertStringIncludes(second, "the path is in use");
    server.interrupt();
    assertEquals((await server.finished()).code, 0);
    assertEquals([...Deno.readDirSync(scratch.path)], []);
    // What a killed server leaves behind is no hindrance.
    await using killed = await startAppServer([address]);
    killed.kill("SIGKILL");
    await killed.finished();
    await using next = await innerAppServer([address]);
    assertEquals(await search(next, "ring"), RING);
  },
});

Deno.test("what can be written is not open to other machines unasked", async () => {
  const refused = await socktool(["app-server", "0.0.0.0:0", "--writable"]);
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.err, "--auth FILE");
  for (const flags of [[], ["--writable", "--insecure"]]) {
    await using server = await innerAppServer(["0.0.0.0:0", ...flags]);
    assertStringIncludes(formatAddress(server.address), "0.0.0.0:");
  }
});

Deno.test("app-server --auth takes the broker's file, and asks who a client is", async () => {
  using scratch = new Scratch();
  const token = hashToken("t0ken");
  const auth = scratch.write(
    "auth.json",
    JSON.stringify({
      tokens: [{ name: "reader", token, publish: { allow: ["a"] }, actions: { allow: ["get"] } }],
    }),
  );
  await using server = await innerAppServer(["0.0.0.0:0", "--auth", auth, "--writable"]);
  const { transport, port } = server.address as TcpAddress;
  using client = await RawClient.connect({ transport, hostname: "127.0.0.1", port });
  const codes = [];
  for (
    const request of [
      { action: "get", value: "morpheus" },
      { action: "hello", token: "t0ken" },
      { action: "get", value: "morpheus" },
      { action: "put", key: "k", value: "v" },
    ]
  ) {
    const { error } = await ask(client, request) as { error?: { code: string } };
    codes.push(error?.code);
  }
  assertEquals(codes, ["unauthorized", undefined, undefined, "forbidden"]);
  const address = `127.0.0.1:${port}`;
  const get = ["app-client", address, "get", "morpheus", "--as", "json"];
  const none = await socktool(get);
  assertEquals([none.code, (none.out + none.err).includes("Say hello first")], [1, true]);
  const wrong = await socktool([...get, "--token", "wrong"]);
  assertEquals([wrong.code, (wrong.out + wrong.err).includes("not accepted")], [1, true]);
  const right = await socktool([...get, "--token", "t0ken"]);
  assertEquals([right.code, right.out], [0, "Follow the white rabbit. 🐰\n"]);
});
