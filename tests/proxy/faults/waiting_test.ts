import { assert, assertEquals } from "@std/assert";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import { FaultSet } from "../../../lib/proxy/faults/fault_set.ts";
import { parseFault } from "../../../lib/proxy/mod.ts";
import { until } from "../../support/deadline.ts";
import { bytesOf } from "../ends.ts";
import { TestLine } from "./line.ts";

const BUDGET_BYTES = 1_048_576;
const READ = bytesOf(65_536);

/** Lines of one proxy whose memory for what waits is small. */
function linesOf(faults: readonly string[], count: number, maxBytes = BUDGET_BYTES) {
  const set = new FaultSet(1, () => {}, maxBytes);
  set.set(faults.map(parseFault));
  const lines = Array.from({ length: count }, () => new TestLine([], { set }));
  return { set, lines };
}

/** Has a line read for as long as it does. */
function fill(line: TestLine, most: number, read: Uint8Array = READ): number {
  let bytes = 0;
  for (; line.isReading && bytes < most; bytes += read.length) line.line.received(read.slice());
  return bytes;
}

Deno.test("what waits is bounded for all connections together, and comes out whole", async () => {
  const { set, lines } = linesOf(["up delay 30ms"], 8);
  // One alone may have more than its share. Then the others have little.
  const counts = lines.map((line) => fill(line, 4 * BUDGET_BYTES));
  assert(counts[0]! > BUDGET_BYTES / 2, "the first one may take what there is");
  assert(counts.slice(1).every((bytes) => bytes > 0 && bytes <= 2 * READ.length), `${counts}`);
  assert(set.waiting.usedBytes < BUDGET_BYTES + lines.length * 2 * READ.length);
  await until(() =>
    lines.every(({ isReading }, i) => isReading && lines[i]!.bytes.length === counts[i])
  );
  assertEquals(set.waiting.usedBytes, 0);
  for (const line of lines) line[Symbol.dispose]();
});

Deno.test("pieces and reads of a byte count for what they take", () => {
  for (const fault of ["up delay 1m", "up blackhole", "up slice 1B every 1ms"]) {
    const { set, lines } = linesOf([fault], 40);
    // A blackhole stops reading by itself.
    for (const line of lines) fill(line, 20_000, bytesOf(1));
    for (const line of lines) fill(line, READ.length);
    assert(set.waiting.usedBytes < 8 * BUDGET_BYTES, `${fault}: ${set.waiting.usedBytes}`);
    for (const line of lines) line[Symbol.dispose]();
    assertEquals(set.waiting.usedBytes, 0, fault);
  }
});

Deno.test("frames are kept to be sent again or later only while there is memory for them", async () => {
  const frame = encodeFrame({ header: { op: "pub" }, content: bytesOf(2 * READ.length) });
  for (const fault of ["up duplicate frame", "up reorder frame"]) {
    for (const fits of [true, false]) {
      const { set, lines: [line] } = linesOf([fault], 1, fits ? BUDGET_BYTES : READ.length);
      line!.line.received(frame.slice(0, READ.length + 99));
      line!.line.received(frame.slice(READ.length + 99));
      const isDouble = fits && fault.includes("duplicate");
      const isKept = fits && fault.includes("reorder");
      assertEquals(line!.bytes.length, isKept ? 0 : frame.length * (isDouble ? 2 : 1), fault);
      line!.line.ended("end");
      await until(() => line!.marks.length > 0);
      assertEquals(line!.bytes.subarray(0, frame.length), frame);
      assertEquals(set.waiting.usedBytes, 0, fault);
      line![Symbol.dispose]();
    }
  }
});
