/** The app programs against a second implementation of the protocol, in Python. */
import { assert, assertEquals } from "@std/assert";
import { encodeFrame, jsonFrame } from "../../lib/frame/mod.ts";
import { deadline } from "../support/deadline.ts";
import { rawFrame } from "../support/peers.ts";
import { innerAppServer, socktool } from "../support/programs.ts";
import { soakSize } from "../support/soak_size.ts";

const PEER = `${import.meta.dirname}/peer.py`;
const PYTHON = Deno.build.os === "windows" ? "python" : "python3";

const MORPHEUS = "Follow the white rabbit. 🐰";
const RING = "In the caves beneath the Misty Mountains. 💍";

/** Starts the Python peer. */
function peer(args: readonly string[], stdin: "null" | "piped"): Deno.ChildProcess {
  try {
    return new Deno.Command(PYTHON, {
      args: ["-B", PEER, ...args],
      env: { PYTHONIOENCODING: "utf-8" },
      stdin,
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
  } catch (cause) {
    throw new Error(`These tests need ${PYTHON} (3.10 or later) on the PATH`, { cause });
  }
}

/** The Python server; it ends with the test. */
async function servePeer(...flags: string[]) {
  const child = peer(["serve", "0", ...flags], "null");
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await deadline(reader.read(), "the peer's first line");
    if (done) throw new Error(`The peer ended after printing ${JSON.stringify(text)}`);
    text += value;
  }
  const port = /^listening (\d+)/.exec(text)![1]!;
  return {
    words: ["127.0.0.1", port],
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    },
  };
}

/** What the Python client prints for a response, and for the end of its connection. */
interface Line {
  readonly header: Record<string, unknown>;
  readonly compact: boolean;
  readonly text?: string;
  readonly base64?: string;
  readonly end?: string;
}

/** Has the Python client send requests; returns its lines, the last of which tells the end. */
async function request(words: string[], commands: readonly object[]): Promise<Line[]> {
  const child = peer(["request", ...words], "piped");
  const writer = child.stdin.getWriter();
  const lines = commands.map((command) => JSON.stringify(command)).join("\n");
  await writer.write(new TextEncoder().encode(lines));
  await writer.close();
  const { code, stdout } = await deadline(child.output(), "the end of the peer");
  const printed = new TextDecoder().decode(stdout).trim().split("\n");
  const all = printed.map((line) => JSON.parse(line) as Line);
  assertEquals(code, 0, JSON.stringify(all));
  for (const { header, compact } of all) if (header) assert(compact, "a header is not compact");
  return all;
}

const result = ({ text }: Line) => (JSON.parse(text!) as { result: unknown }).result;
const codeOf = ({ text }: Line) => JSON.parse(text!).error?.code;
const raw = (bytes: Uint8Array) => ({ raw: bytes.toBase64() });

for (const flags of [[], ["--close-after-each"]]) {
  const kind = flags.length === 0 ? "keeps connections" : "closes after each answer";
  Deno.test(`our client talks to a Python server that ${kind}`, async () => {
    await using server = await servePeer(...flags);
    const ask = (...words: string[]) => socktool(["app-client", ...server.words, ...words]);
    const keys = Array.from({ length: 40 }, (_, i) => i % 3 ? "ring" : "morpheus");
    const due = keys.map((key) => `${key === "ring" ? RING : MORPHEUS}\n`).join("");
    const fromStdin = (pipeline: string) =>
      socktool(["app-client", ...server.words, "search", "-", "--pipeline", pipeline], {
        stdin: keys.join("\n"),
      });
    const [morpheus, dog, none, binary, invalid, one, many, repeated] = await Promise.all([
      ask("search", "morpheus"),
      ask("search", "🐶"),
      ask("search", "nothing"),
      ask("binary", "😃 and more"),
      ask("dance", "now", "--as", "json"),
      fromStdin("1"),
      fromStdin("16"),
      ask("search", "ring", "--repeat", "50", "--pipeline", "8", "-q"),
    ]);
    assertEquals(morpheus, { code: 0, out: `${MORPHEUS}\n`, err: "" });
    assertEquals(dog.out, "🐾 Playing ball! 🏐\n");
    assertEquals(none.out, "No match for 'nothing'.\n");
    assertEquals(binary, { code: 0, out: "First 10 bytes of request: binary😃\n", err: "" });
    assertEquals([invalid.code, invalid.out], [1, "Error: invalid action 'dance'.\n"]);
    assertEquals(one, { code: 0, out: due, err: "" });
    assertEquals(many, { code: 0, out: due, err: "" });
    assertEquals(repeated, { code: 0, out: `${RING}\n`, err: "" });
  });
}

Deno.test("a Python client talks to our server, in any encoding and byte order", async () => {
  await using server = await innerAppServer();
  const search = { action: "search", value: "ring" };
  const lines = await request(server.words, [
    { json: search },
    { json: search, encoding: "utf-16" },
    { json: search, encoding: "utf-16", byteorder: "big" },
    { json: search, encoding: "latin-1", byteorder: "big" },
    { json: search, encoding: "utf_8", header: { note: "ignored", nested: { a: [1] } } },
    { json: { action: "search", value: "🐶" } },
    { json: { action: "search", value: "nothing" } },
    { json: { action: "dance", value: 1 } },
    { json: ["no", "object"] },
    { binary: new TextEncoder().encode("0123456789abc").toBase64() },
    { binary: "", type: "image/png" },
  ]);
  assertEquals(lines.length, 12);
  for (const line of lines.slice(0, 5)) assertEquals(result(line), RING);
  assertEquals(lines.slice(5, 8).map(result), [
    "🐾 Playing ball! 🏐",
    "No match for 'nothing'.",
    "Error: invalid action 'dance'.",
  ]);
  assertEquals(codeOf(lines[8]!), "bad-request");
  for (const [line, first] of [[lines[9]!, "0123456789"], [lines[10]!, ""]] as const) {
    assertEquals(line.header["content-type"], "binary/custom-server-binary-type");
    assertEquals(
      new TextDecoder().decode(Uint8Array.fromBase64(line.base64!)),
      `First 10 bytes of request: ${first}`,
    );
  }
  assertEquals(lines[11], { end: "closed by us" } as unknown as Line);
});

Deno.test("a Python client pipelines, closes its half, and reads every answer", async () => {
  await using server = await innerAppServer();
  const commands = Array.from({ length: 500 }, (_, i) => ({
    json: { action: "search", value: i % 2 ? "ring" : `nothing ${i}` },
    pipeline: i < 499,
    half_close: i === 499,
  }));
  const lines = await request(server.words, commands);
  assertEquals(lines.pop(), { end: "closed by peer" } as unknown as Line);
  assertEquals(
    lines.map(result),
    commands.map(({ json: { value } }) => value === "ring" ? RING : `No match for '${value}'.`),
  );
});

Deno.test("a Python client that sends what is no frame reads one last error", async () => {
  await using server = await innerAppServer(["--max-content", "100"]);
  const good = encodeFrame(jsonFrame({ action: "search", value: "ring" }));
  const header = (length: unknown) =>
    `{"byteorder":"big","content-type":"text/json","content-encoding":"utf-8","content-length":${length}}`;
  const broken: [Uint8Array, string, boolean?][] = [
    [rawFrame("[1]"), "header-syntax"],
    [rawFrame(header(-1)), "header-field"],
    [rawFrame(header(101), "x".repeat(101)), "frame-too-large"],
    [good.subarray(0, good.length - 1), "truncated", true],
    [rawFrame(""), "header-syntax"],
    [rawFrame("{}"), "header-field"],
    [good.subarray(0, 1), "truncated", true],
    [good.subarray(0, 50), "truncated", true],
  ];
  // The first ones are of each kind.
  const tried = broken.slice(0, soakSize(4, broken.length));
  const all = await Promise.all(tried.map(([bytes, _, atEnd]) =>
    request(server.words, [
      { ...raw(good), pipeline: true },
      { ...raw(bytes), ...(atEnd ? { half_close: true } : { until_close: true }) },
    ])
  ));
  for (const [i, [, code]] of tried.entries()) {
    const [answer, error, end] = all[i]!;
    assertEquals([result(answer!), codeOf(error!), end?.end], [RING, code, "closed by peer"]);
  }
  assertEquals(result((await request(server.words, [raw(good)]))[0]!), RING);
});

Deno.test("what a Python client stores, ours finds", async () => {
  await using server = await innerAppServer(["--writable"]);
  const json = { action: "put", key: "neo", title: "The One", value: "No spoon. ☎" };
  const [stored] = await request(server.words, [{ json, encoding: "utf-16", byteorder: "big" }]);
  assertEquals(result(stored!), "Stored 'neo'.");
  const found = await socktool(["app-client", ...server.words, "search", "neo"]);
  assertEquals(found.out, "No spoon. ☎\n");
});
