import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import { until } from "../../support/deadline.ts";
import { bytesOf } from "../ends.ts";
import { TestLine } from "./line.ts";

/** A frame as a publisher sends it. */
function publication(topic: string, content: string | Uint8Array = topic): Uint8Array {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return encodeFrame({ header: { op: "pub", topic }, content: bytes });
}

const PING = encodeFrame({ header: { op: "ping" }, content: new Uint8Array() });
const FRAMES = [
  publication("orders.eu"),
  PING,
  publication("orders.us.new", bytesOf(3_000)),
  publication("stock"),
];

async function passed(faults: readonly string[], frames: readonly Uint8Array[], chunk?: number) {
  using line = new TestLine(faults);
  return [await line.pass(concat(frames), chunk), line.fired, line.notices] as const;
}

Deno.test("frames are dropped, sent twice and exchanged, wherever the stream is cut", async () => {
  const [orders, ping, more, stock] = FRAMES as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const cases: readonly (readonly [fault: string, left: readonly Uint8Array[], fired: number])[] = [
    ["up drop frame", [], 4],
    ["up drop frame op=pub", [ping], 3],
    ["up drop frame topic=orders.>", [ping, stock], 2],
    ["up drop frame topic=orders.*", [ping, more, stock], 1],
    ["up drop frame op=pub topic=stock", [orders, ping, more], 1],
    ["up drop frame topic=orders", FRAMES, 0],
    ["up drop frame frames 2..3", [orders, stock], 2],
    ["up drop frame content-length=0", [orders, more, stock], 1],
    ["up duplicate frame frames 2", [orders, ping, ping, more, stock], 1],
    ["up duplicate frame frames 3", [orders, ping, more, more, stock], 1],
    ["up reorder frame frames 1", [ping, orders, more, stock], 1],
    ["up reorder frame frames 3", [orders, ping, stock, more], 1],
    ["up reorder frame", [ping, orders, stock, more], 2],
    // There is none after it.
    ["up reorder frame frames 4", FRAMES, 0],
  ];
  for (const [fault, left, count] of cases) {
    for (const chunk of [1, 7, 200, 65_536]) {
      const [bytes, fired, notices] = await passed([fault], FRAMES, chunk);
      assertEquals(bytes, concat(left), `${fault}, chunks of ${chunk}`);
      assertEquals([fired.length, notices], [count, []], fault);
    }
  }
});

Deno.test("a frame that waits for another, and what may be a header, do not wait for ever", async () => {
  using line = new TestLine(["up reorder frame"]);
  // A program that speaks no frames waits for the answer to one letter.
  using letter = new TestLine(["up drop frame"]);
  line.line.received(FRAMES[0]!);
  letter.line.received(new TextEncoder().encode("q"));
  assertEquals([line.bytes.length, letter.bytes.length], [0, 0]);
  await until(() => line.bytes.length > 0 && letter.bytes.length > 0);
  assertEquals(line.bytes, FRAMES[0]);
  assertEquals(letter.notices, ["no-frames"]);
  using word = new TestLine(["up drop frame"]);
  word.line.received(new TextEncoder().encode("quit"));
  assertEquals(word.bytes.length, 4, "at once, if it cannot be a frame");
});

Deno.test("other faults concern the frames that are selected, and only those", async () => {
  const [corrupted, fired] = await passed(["up corrupt 100% topic=stock"], FRAMES, 700);
  const start = concat(FRAMES.slice(0, 3)).length;
  assertEquals(corrupted.subarray(0, start), concat(FRAMES.slice(0, 3)));
  assert(corrupted.subarray(start).every((byte, i) => byte !== FRAMES[3]![i]));
  assertEquals(fired.length, FRAMES[3]!.length);
  for (const chunk of [1, 700, 65_536]) {
    using line = new TestLine(["up reset frames 3"]);
    for (let at = 0; at < start; at += chunk) {
      line.line.received(concat(FRAMES).subarray(at, at + chunk));
    }
    await until(() => line.marks.length > 0);
    assertEquals(line.marks, ["reset"]);
    assertEquals(line.bytes, concat(FRAMES.slice(0, 2)), "nothing of the third frame passes");
  }
});

Deno.test("bytes that are no frames are passed, and that is told once", async () => {
  for (
    const sent of [new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n".repeat(5_000)), bytesOf(9)]
  ) {
    for (const chunk of [1, 1_460, 65_536]) {
      const [bytes, fired, notices] = await passed(["up drop frame", "up corrupt 100% op=x"], [
        sent,
      ], chunk);
      assertEquals(bytes, sent);
      assertEquals(fired, []);
      assert(notices.length <= 1);
    }
  }
  const broken = concat([FRAMES[0]!, new Uint8Array(40)]);
  const [bytes, fired, notices] = await passed(["up drop frame"], [broken], 13);
  assertEquals([bytes.length, fired.length, notices], [40, 1, ["no-frames"]]);
});

Deno.test("connections are selected by number, share and network", async () => {
  const hit = async (fault: string, connection: number, hostname = "127.0.0.1", seed = 1) => {
    using line = new TestLine([fault], { connection, hostname, seed });
    await line.pass(bytesOf(10));
    return line.fired.length > 0;
  };
  for (const [connection, expected] of [[1, false], [2, true], [4, true], [5, false]] as const) {
    assertEquals(await hit("up corrupt 100% conn 2..4", connection), expected);
  }
  const networks: readonly (readonly [string, string, boolean])[] = [
    ["10.0.0.0/8", "10.9.9.9", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["127.0.0.1", "127.0.0.1", true],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["fd00::/8", "fd12::1", true],
    ["fd00::/8", "fe80::1", false],
    ["0.0.0.0/0", "::1", false],
  ];
  for (const [network, hostname, expected] of networks) {
    const name = `${network} ${hostname}`;
    assertEquals(await hit(`up corrupt 100% from ${network}`, 1, hostname), expected, name);
  }
  const some = new Set<number>();
  const more = new Set<number>();
  for (let connection = 1; connection <= 1_000; connection++) {
    if (await hit("up corrupt 100% 10%", connection)) some.add(connection);
    if (await hit("up corrupt 100% 30%", connection)) more.add(connection);
  }
  assert(some.size > 60 && some.size < 140, `${some.size}`);
  assert(more.size > 240 && more.size < 360, `${more.size}`);
  assertEquals([...some].filter((connection) => !more.has(connection)), []);
});

/** What comes, a piece every few milliseconds, out of a line whose fault begins and ends meanwhile. */
async function timedLine(): Promise<{ readonly gaps: number[][]; readonly fired: number }> {
  using line = new TestLine(["up blackhole after 40ms for 80ms"]);
  const beganAt = performance.now();
  for (let i = 0; line.pieces.length * 10 < 400 || performance.now() - beganAt < 200; i++) {
    if (i < 40) line.line.received(bytesOf(10, i));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const gaps = line.times.slice(1).map((at, i) => [at - line.times[i]!, line.times[i]! - beganAt]);
  return { gaps, fired: line.fired.length };
}

Deno.test("a fault begins after a time and lasts for another", async () => {
  let seen = await timedLine();
  // A machine that stands still all the time of the fault has nothing come to it.
  for (let tries = 1; seen.fired === 0 && tries < 10; tries++) seen = await timedLine();
  // A busy machine may make more of them.
  assert(seen.gaps.some(([gap, from]) => gap! >= 60 && from! < 100), `${seen.gaps}`);
  assertEquals(seen.fired, 1);
});
