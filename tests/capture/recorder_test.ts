import { assert, assertEquals, assertThrows } from "@std/assert";
import { CaptureError, openRecorder } from "../../lib/capture/mod.ts";
import { type Address, parseAddress } from "../../lib/net/mod.ts";
import { skip } from "../support/skip.ts";
import { Scratch } from "../support/scratch.ts";
import { readAll } from "./packets.ts";

const CLIENT = parseAddress("127.0.0.1:50000");
const SERVER = parseAddress("127.0.0.1:5634");

function isWindows(what: string): boolean {
  if (Deno.build.os === "windows") skip(`Windows has no ${what}`);
  return Deno.build.os === "windows";
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("what is recorded is read again, with the addresses, the order and both ends", async () => {
  using scratch = new Scratch();
  const cases: readonly (readonly [Address, Address, string, string])[] = [
    [CLIENT, SERVER, "127.0.0.1:50000", "127.0.0.1:5634"],
    [parseAddress("[::1]:50000"), parseAddress("[::1]:80"), "[::1]:50000", "[::1]:80"],
    [
      parseAddress("[fe80::1%2]:9"),
      parseAddress("[2001:db8::5:0:0:1]:80"),
      "[fe80::1]:9",
      "[2001:db8::5:0:0:1]:80",
    ],
    [
      parseAddress("[::ffff:10.1.2.3]:9"),
      SERVER,
      "[::ffff:a01:203]:9",
      "[::ffff:7f00:1]:5634",
    ],
    [
      parseAddress("unix:/tmp/a"),
      parseAddress("unix:/tmp/x.sock"),
      "127.0.0.1:49153",
      "127.0.0.1:1",
    ],
  ];
  for (const [client, server, from, to] of cases) {
    const path = scratch.at("a.pcapng");
    {
      using recorder = openRecorder({ path, application: "test 1", description: "here" });
      const connection = recorder.open(client, server);
      connection.bytes("up", bytes("hello"));
      connection.bytes("down", new Uint8Array(200_000).fill(97));
      connection.ended("up");
      connection.bytes("down", bytes("b"));
      connection.ended("down");
    }
    const { seen, damage, unfinishedBytes, repeatedBytes, skippedPackets } = await readAll(
      Deno.readFileSync(path),
      10_000,
    );
    assertEquals([damage, unfinishedBytes, repeatedBytes, skippedPackets.other], [
      undefined,
      0,
      0,
      0,
    ]);
    const [{ connection, up, down, how, ended, times }] = seen as [typeof seen[0]];
    assertEquals([connection.client, connection.server], [from, to]);
    assertEquals([up, down, how, ended], [
      ["hello"],
      [`${"a".repeat(200_000)}b`],
      "closed",
      "up down ",
    ]);
    assert(Math.abs(times[0]! / 1_000 - Date.now()) < 60_000);
    assertEquals(times, times.toSorted((a, b) => a - b));
  }
});

Deno.test("a connection that is broken off is recorded as reset", async () => {
  using scratch = new Scratch();
  const path = scratch.at("a.pcapng");
  {
    using recorder = openRecorder({ path });
    const connection = recorder.open(CLIENT, SERVER);
    connection.bytes("up", bytes("x"));
    connection.reset("down");
    connection.ended("up");
  }
  const { seen } = await readAll(Deno.readFileSync(path));
  assertEquals([seen[0]!.how, seen[0]!.up], ["reset", ["x"]]);
});

Deno.test("only its owner may read a recording, also where a file was there that others could read", () => {
  if (isWindows("modes of files")) return;
  using scratch = new Scratch();
  const path = scratch.write("a.pcapng", "");
  Deno.chmodSync(path, 0o644);
  for (let i = 0; i < 2; i++) {
    openRecorder({ path }).close();
    assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
  }
});

Deno.test("a file that is no recording is not replaced, and a folder that is missing is told", () => {
  using scratch = new Scratch();
  const path = scratch.write("notes.txt", "important");
  const error = assertThrows(() => openRecorder({ path }), CaptureError, path);
  assertEquals(error.code, "not-a-recording");
  assertEquals(Deno.readTextFileSync(path), "important");
  assertThrows(() => openRecorder({ path: scratch.at("no/a.pcapng") }), Deno.errors.NotFound);
  assertThrows(
    () => openRecorder({ path: scratch.at("b"), maxBytes: 1 }),
    RangeError,
    "Cannot use 1 as maxBytes",
  );
});

Deno.test("a full disk ends the recording once, and loudly; the connection goes on", () => {
  if (isWindows("/dev/full")) return;
  assertThrows(() => openRecorder({ path: "/dev/full" }), Error, "No space left");
  using scratch = new Scratch();
  const path = scratch.at("a.pcapng");
  const failures: unknown[] = [];
  using recorder = openRecorder({
    path,
    maxBytes: 1_048_576,
    onFailed: (error) => failures.push(error),
  });
  // The next file cannot be begun: a folder stands in the way of the old one's new name.
  Deno.mkdirSync(scratch.at("a.1.pcapng/x"), { recursive: true });
  const connection = recorder.open(CLIENT, SERVER);
  for (let i = 0; i < 30; i++) connection.bytes("up", new Uint8Array(100_000));
  assertEquals([failures.length, recorder.isOver], [1, true]);
  connection.ended("up");
  recorder.open(CLIENT, SERVER).bytes("down", bytes("x"));
  recorder.close();
  assertEquals(failures.length, 1);
});

Deno.test("recordings rotate at their size, and go on in the middle of a connection", async () => {
  using scratch = new Scratch();
  const path = scratch.at("a.pcapng");
  const maxBytes = 1_048_576;
  let sent = 0;
  {
    using recorder = openRecorder({ path, maxBytes });
    const connection = recorder.open(CLIENT, SERVER);
    for (; sent < 3_500_000; sent += 50_000) connection.bytes("up", new Uint8Array(50_000));
    connection.ended("up");
  }
  const files = [scratch.at("a.1.pcapng"), path];
  assertEquals([...Deno.readDirSync(scratch.path)].length, 2);
  let kept = 0;
  for (const file of files) {
    const content = Deno.readFileSync(file);
    assert(content.length <= maxBytes);
    const { seen, damage } = await readAll(content);
    assertEquals(damage, undefined);
    assertEquals(seen[0]!.up.length, 1);
    kept += String(seen[0]!.up[0]).length;
  }
  assert(kept > maxBytes && kept < 2 * maxBytes && kept < sent);
});
