import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { formatAddress } from "../../lib/net/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { ownAddress } from "../support/own_address.ts";
import { listenLocally, RawClient } from "../support/peers.ts";
import { innerAppServer, InnerProgram, socktool, start } from "../support/programs.ts";

const windows = Deno.build.os === "windows";
const MORPHEUS = "Follow the white rabbit. 🐰\n";
const RING = "In the caves beneath the Misty Mountains. 💍\n";

Deno.test("the tutorial's session works word for word", async () => {
  await using server = await innerAppServer(["127.0.0.1", "0"]);
  const ask = (...words: string[]) => socktool(["app-client", ...server.words, ...words]);
  const session: [words: string[], out: string][] = [
    [["search", "morpheus"], MORPHEUS],
    [["search", "🐶"], "🐾 Playing ball! 🏐\n"],
    [["search", "ring"], RING],
    [["search", "nothing"], "No match for 'nothing'.\n"],
    [["binary", "😃"], "First 10 bytes of request: binary😃\n"],
    [["double", "2"], "First 10 bytes of request: double2\n"],
  ];
  const answers = await Promise.all(session.map(([words]) => ask(...words)));
  for (const [i, [, out]] of session.entries()) {
    assertEquals(answers[i], { code: 0, out, err: "" });
  }
});

Deno.test("an answer is printed as JSON, with its hits, or as what it says failed", async () => {
  await using server = await innerAppServer(["--writable"]);
  const ask = (...words: string[]) => socktool(["app-client", ...server.words, ...words]);
  const stored = await ask("put", "There is no spoon.", "--as", "json", "--field", "key=neo");
  assertEquals(stored, { code: 0, out: "Stored 'neo'.\n", err: "" });
  const [json, hits, corrected, binary, failed, unknown, quiet, get] = await Promise.all([
    ask("search", "ring", "--json"),
    ask("search", "the", "--limit", "1"),
    ask("search", "spoom"),
    ask("binary", "\u{1f603}x", "--json"),
    ask("get", "nobody", "--as", "json"),
    ask("dance", "now", "--as=json", "--json"),
    ask("search", "spoom", "-q"),
    ask("get", "neo", "--as", "json", "--field", "limit=5", "--field", "note=a=b"),
  ]);
  const { result, exact, hits: [hit] } = JSON.parse(json.out);
  assertEquals([`${result}\n`, exact, hit.key, json.code, json.err], [RING, true, "ring", 0, ""]);
  assertEquals(hits.out.trimEnd().split("\n").length, 1);
  assertMatch(hits.out, /^\d+\.\d\d\t(ring|neo|morpheus)\t.+\n$/);
  assertEquals(hits.err, "1 of 2 matches\n");
  assertEquals([corrected.out, corrected.err], [
    "There is no spoon.\n",
    "corrected to: spoon\n",
  ]);
  assertEquals([quiet.out, quiet.err], ["There is no spoon.\n", ""]);
  const { header, base64 } = JSON.parse(binary.out);
  assertEquals(header["content-type"], "binary/custom-server-binary-type");
  assertEquals(
    new TextDecoder().decode(Uint8Array.fromBase64(base64)),
    "First 10 bytes of request: binary😃",
  );
  assertEquals([failed.code, failed.out], [1, "Error: There is no entry with the key 'nobody'\n"]);
  const [answer, error] = unknown.out.split("\n");
  assertEquals([unknown.code, answer], [1, `{"result":"Error: invalid action 'dance'."}`]);
  assertEquals(JSON.parse(error!).type, "error");
  assertEquals([get.code, get.out], [0, "There is no spoon.\n"]);
});

Deno.test("each action does what it says; other words are the tutorial's binary request", async () => {
  await using server = await innerAppServer(["--writable"]);
  const ask = async (words: string[], stdin?: string) => {
    const line = ["app-client", ...server.words, ...words];
    const { code, out, err } = await socktool(line, { stdin });
    return `${code} ${out || err}`;
  };
  const text = "Line one.\nLine two.\n".repeat(5000);
  assertEquals(await ask(["put", "5634", "a numeric key"]), "0 Stored '5634'.\n");
  assertEquals(
    await ask(["put", "notes", "-", "--field", "title=Notes"], text),
    "0 Stored 'notes'.\n",
  );
  assertEquals(await ask(["put", "The One", "--field", "key=neo"]), "0 Stored 'neo'.\n");
  assertEquals(await ask(["get", "notes"]), `0 ${text}\n`);
  assertEquals(await ask(["get", "-"], "neo\n5634\n"), "0 The One\na numeric key\n");
  assertEquals(await ask(["suggest", "note"]), "0 notes\tNotes\n");
  assertMatch(await ask(["stats"]), /^0 entries: 6\n/);
  assertEquals(await ask(["delete", "neo"]), "0 Deleted 'neo'.\n");
  assertEquals(await ask(["get", "neo"]), "1 Error: There is no entry with the key 'neo'\n");
  assertEquals(await ask(["dance", "now"]), "0 First 10 bytes of request: dancenow\n");
  assertEquals(await ask(["get", "x", "--as", "binary"]), "0 First 10 bytes of request: getx\n");
  for (const words of [["put", "k"], ["get"], ["get", "a", "b"], ["dance"], ["stats", "x", "y"]]) {
    assertMatch(await ask(words), /^2 error: /, words.join(" "));
  }
});

Deno.test("a request is repeated, and the latencies are summed up", async () => {
  await using server = await innerAppServer();
  const ask = (...words: string[]) => socktool(["app-client", ...server.words, ...words]);
  const [text, json, quiet] = await Promise.all([
    ask("search", "ring", "--repeat", "2k", "--pipeline", "64"),
    ask("search", "ring", "--repeat=300", "--json"),
    ask("search", "ring", "--repeat=3", "-q"),
  ]);
  assertEquals([text.code, text.out], [0, RING]);
  assertMatch(
    text.err,
    /^2,?000 answers in [\d.]+ m?s, [\d.,kM]+ answers\/s; latency: min .*p50 .*p99 .*max .*s\n$/,
  );
  const lines = json.out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals([lines.length, lines[1].type, lines[1].answers], [2, "summary", 300]);
  const { min, p50, p99, max } = lines[1].latency_us;
  assert(min <= p50 && p50 <= p99 && p99 <= max, json.out);
  assertEquals(quiet, { code: 0, out: RING, err: "" });
});

Deno.test("values are read from stdin, a line each", async () => {
  await using server = await innerAppServer();
  const ask = (stdin: string, ...words: string[]) =>
    socktool(["app-client", ...server.words, "search", "-", ...words], { stdin });
  const none = "No match for ''.\n";
  const many = Array.from({ length: 500 }, (_, i) => i % 2 ? "ring" : "morpheus");
  const [plain, crlf, empty, pipelined, repeated] = await Promise.all([
    ask("ring\nmorpheus\n"),
    ask("ring\r\n\r\nmorpheus"),
    ask(""),
    ask(many.join("\n"), "--pipeline", "32"),
    ask("ring\nmorpheus\n", "--repeat", "2", "-q"),
  ]);
  assertEquals(plain, { code: 0, out: RING + MORPHEUS, err: "" });
  assertEquals(crlf, { code: 0, out: RING + none + MORPHEUS, err: "" });
  assertEquals(empty, { code: 0, out: "", err: "" });
  assertEquals(pipelined.out, many.map((key) => key === "ring" ? RING : MORPHEUS).join(""));
  assertEquals([repeated.code, repeated.out], [0, RING]);
});

Deno.test("a line that is typed is answered before the next one comes", async () => {
  await using server = await innerAppServer();
  for (const pipeline of ["1", "8"]) {
    const args = ["app-client", ...server.words, "search", "-", "--pipeline", pipeline];
    await using client = new InnerProgram(args, { stdin: "" });
    client.type("ring\n");
    await client.printed(RING, "out");
    client.type("morpheus\n");
    await client.printed(MORPHEUS, "out");
    client.endStdin();
    assertEquals(await client.finished(), { code: 0, out: RING + MORPHEUS, err: "" });
  }
});

Deno.test({
  name: "a reader that has seen enough ends the client quietly",
  ignore: windows,
  fn: async () => {
    await using server = await innerAppServer();
    const script = '{ "$0" "$@"; echo "exit $?" >&2; } | head -n 1';
    const program = new URL("../../cmd/socktool.ts", import.meta.url).pathname;
    const child = new Deno.Command("sh", {
      args: ["-c", script, Deno.execPath(), "run", "-A", program, "app-client", ...server.words]
        .concat(["search", "-", "--pipeline", "64"]),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    const line = new TextEncoder().encode("ring\n".repeat(10_000));
    const typing = (async () => {
      while (true) await writer.write(line);
    })().catch(() => {});
    const { stdout, stderr } = await deadline(child.output(), "the end of the client");
    await typing;
    assertEquals(new TextDecoder().decode(stdout), RING);
    assertEquals(new TextDecoder().decode(stderr), "exit 0\n");
  },
});

Deno.test({
  name: "a client that is interrupted while it waits says so and exits with 130",
  ignore: windows,
  fn: async () => {
    using silent = await listenLocally();
    const args = ["app-client", formatAddress(silent.address), "search"];
    await using waiting = start([...args, "ring"]);
    using _conn = await deadline(silent.accept());
    waiting.kill("SIGINT");
    const stopping = "stopping (once more ends at once)\n";
    assertEquals(await waiting.finished(), { code: 130, out: "", err: stopping });

    await using reading = new InnerProgram([...args, "-"], { stdin: "" });
    using _other = await deadline(silent.accept());
    reading.interrupt();
    assertEquals((await reading.finished()).code, 130);
  },
});

Deno.test("a server that is not there, or not as it should be, is told of", async () => {
  const address = formatAddress(ownAddress());
  using silent = await listenLocally();
  const quiet = formatAddress(silent.address);
  const [refused, late, noHost] = await Promise.all([
    socktool(["app-client", address, "search", "ring"]),
    socktool(["app-client", quiet, "search", "ring", "--timeout", "100ms"]),
    socktool(["app-client", "no-such-host.invalid:80", "search", "ring"]),
  ]);
  assertEquals(refused, {
    code: 1,
    out: "",
    err:
      `error: cannot connect to ${address}: the connection was refused (no server listens there)\n`,
  });
  assertEquals([late.code, late.out], [1, ""]);
  assertStringIncludes(late.err, `error: cannot read from ${quiet}: `);
  assertStringIncludes(late.err, "no answer");
  assertEquals(noHost.code, 1);
  assertStringIncludes(noHost.err, "there is no host of this name");
});

Deno.test("a server that closes, or answers with what is no frame, is told of", async () => {
  const faults: [(client: RawClient) => Promise<void>, RegExp][] = [
    [async () => {}, /^error: cannot read from .*clos/],
    [(client) => client.send(new Uint8Array([0, 0])), /^error: .*header/],
    [(client) => client.send(new Uint8Array([0, 9, 123])), /^error: .*ended inside the header/],
    [
      (client) => client.send({ header: { "content-type": "text/json" }, content: "{" }),
      /^error: .*not JSON/,
    ],
  ];
  for (const [fault, message] of faults) {
    using listener = await listenLocally();
    const words = ["app-client", formatAddress(listener.address), "search", "ring"];
    await using program = new InnerProgram(words);
    using client = new RawClient(await deadline(listener.accept()));
    await client.answer();
    await fault(client);
    await client.closeWrite();
    const { code, out, err } = await program.finished();
    assertEquals([code, out], [1, ""]);
    assertMatch(err, message);
    assertEquals(err.trimEnd().split("\n").length, 1, err);
    await until(() => client.closed());
  }
});
