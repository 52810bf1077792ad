import { assert, assertEquals, assertMatch } from "@std/assert";
import { encodeFrame, jsonFrame } from "../../lib/frame/mod.ts";
import { openRecorder } from "../../lib/capture/mod.ts";
import { parseAddress } from "../../lib/net/mod.ts";
import { Scratch } from "../support/scratch.ts";
import { socktool, start } from "../support/programs.ts";

/** Records a short session; returns its file. */
function session(scratch: Scratch): string {
  const path = scratch.at("s.pcapng");
  using recorder = openRecorder({ path });
  const connection = recorder.open(parseAddress("127.0.0.1:50000"), parseAddress("[::1]:5634"));
  connection.bytes("up", encodeFrame({ header: { op: "hello", id: 1, token: "s3cret" } }));
  connection.bytes("down", encodeFrame({ header: { op: "ok", id: 1 } }));
  const value = "\x1b]0;title\x07\n\u202e🐶".repeat(20);
  connection.bytes(
    "up",
    encodeFrame({ header: { op: "pub", topic: "a.b\x1b[2J" }, content: value }),
  );
  connection.bytes("up", encodeFrame(jsonFrame({ action: "search", value: "x" })));
  connection.bytes("down", encodeFrame(jsonFrame({ result: "", error: { code: "busy" } })));
  connection.bytes("up", new Uint8Array([0, 5, 1, 2, 3, 4, 5]));
  connection.ended("up");
  connection.ended("down");
  return path;
}

Deno.test("inspect shows frames, conversations and a summary, without credentials or escapes", async () => {
  using scratch = new Scratch();
  const { code, out, err } = await socktool(["inspect", session(scratch)]);
  assertEquals([code, err], [0, ""]);
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x09\x0b-\x1f\x7f\u202e]|s3cret/.test(out), out);
  const lines = out.split("\n");
  assertMatch(lines[0]!, /^ +\d\.\d{6} +#1 > hello id=1 token=\*\*\*$/);
  assertMatch(lines[1]!, /^ +\d\.\d{6} +\+\S+ \S+ #1 < ok id=1$/);
  assertMatch(
    lines[2]!,
    /#1 > pub topic=a\.b\\x1b\[2J .* 360 B \\x1b\]0;title\\x07\\n\\u202e🐶.*…$/,
  );
  assertMatch(lines[4]!, /#1 < answer text\/json \d+ B \{"result"/);
  assertMatch(lines[5]!, /#1 > broken: header-syntax: .* \(at byte \d+\)$/);
  assertMatch(lines[6]!, /#1 > skipped: 7 B that are no frame: after a broken frame/);
  assertMatch(lines[7]!, /^#1 \[::ffff:7f00:1\]:50000 > \[::1\]:5634: 3 frames .* up, 2 .* down/);
  assertMatch(out, /^1 connection \(1 closed\), 5 frames, /m);
  assertMatch(out, /^> search +1 +\d+ B +1 +\d+/m);
  assertMatch(out, /^errors: 1 busy$/m);
});

Deno.test("inspect chooses what is shown, and prints objects for programs", async () => {
  using scratch = new Scratch();
  const path = session(scratch);
  const matching = await socktool(
    ["inspect", path, "--show", "frames", "--match", "action=search", "--hex", "3"],
  );
  assertEquals(
    matching.out.split("\n").slice(0, 2).map((line) => line.slice(22)),
    [
      "#1 > search text/json 31 B 7b 22 61 …",
      "#1 < answer text/json 37 B 7b 22 72 …",
    ].map((line) => line),
  );
  const { out } = await socktool(["inspect", path, "--json", "--no-redact"]);
  const objects = out.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(objects.map(({ type }) => type), [
    ...Array(5).fill("frame"),
    "broken",
    "skipped",
    "connection",
    "summary",
  ]);
  assertEquals([objects[0].header.token, objects[4].error, objects[1].answers], [
    "s3cret",
    "busy",
    "hello",
  ]);
  const { frames, skipped_bytes, format, packets, kinds } = objects.at(-1);
  assertEquals([frames, skipped_bytes, format, packets], [5, 7, "pcapng", 11]);
  assertEquals(kinds[0].kind, "hello");
});

Deno.test("inspect reads stdin, tells of damage, and refuses what it cannot read", async () => {
  using scratch = new Scratch();
  const bytes = Deno.readFileSync(session(scratch));
  const piped = async (stdin: Uint8Array, ...args: string[]) => {
    await using program = start(["inspect", "-", ...args], { stdin: "" });
    await program.type(stdin);
    await program.endStdin();
    return await program.finished();
  };
  const torn = await piped(bytes.subarray(0, -50), "--show", "summary");
  assertEquals(torn.code, 0);
  assertMatch(torn.err, /^warning: stdin ends within a packet, .* its writer was ended by force/);
  const broken = bytes.slice();
  broken.fill(0xff, bytes.length - 60);
  const damaged = await piped(broken, "--show", "summary");
  assertEquals(damaged.code, 1);
  assertMatch(damaged.err, /^error: stdin: the capture is damaged at byte \d+: /);
  assertMatch(damaged.out, /5 frames/);
  const frames = await piped(encodeFrame({ header: { op: "ping" } }), "--show", "frames");
  assertMatch(frames.out, /#1 > ping$/m);
  const refused = await Promise.all([
    socktool(["inspect", scratch.at("none")]),
    socktool(["inspect", scratch.path]),
    socktool(["inspect", "-", "--match", "op"]),
    socktool(["inspect"]),
  ]);
  assertEquals(refused.map(({ code }) => code), [1, 1, 2, 2]);
  assertMatch(refused[1]!.err, /^error: cannot read \S+: it is a folder/);
});
