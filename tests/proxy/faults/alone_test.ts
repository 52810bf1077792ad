import { assert, assertEquals } from "@std/assert";
import { FaultSet } from "../../../lib/proxy/faults/fault_set.ts";
import { OBJECT_BYTES } from "../../../lib/proxy/faults/waiting_room.ts";
import { parseFault } from "../../../lib/proxy/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
import { bytesOf } from "../ends.ts";
import { TestLine } from "./line.ts";

/** A line whose receiver takes nothing. */
class StuckLine extends TestLine {
  override writeAlone(): void {}
}

Deno.test("pieces that are written by themselves let others have their turn", async () => {
  const set = new FaultSet(1, () => {});
  set.set([parseFault("up slice 1B")]);
  const lines = Array.from({ length: 200 }, () => new TestLine([], { set }));
  const sent = bytesOf(4_000);
  for (const { line } of lines) line.received(sent);
  await deadline(new Promise((resolve) => setTimeout(resolve)));
  const passed = lines.reduce((sum, { pieces }) => sum + pieces.length, 0);
  assert(passed < lines.length * sent.length / 2, `${passed} pieces before the first timer`);
  // One goes on to the end beside those that have gone.
  for (const line of lines.slice(1)) line[Symbol.dispose]();
  const [line] = lines;
  await until(() => line!.pieces.length === sent.length, "all pieces of one");
  assertEquals(line!.bytes, sent);
  line![Symbol.dispose]();
});

Deno.test("few pieces are made before others are taken, if they wait for no time", () => {
  for (
    const [fault, isTimed] of [["up slice 1B", false], ["up slice 1B every 1s", true]] as const
  ) {
    using line = new StuckLine([fault]);
    const sent = bytesOf(20_000);
    line.line.received(sent);
    const pieces = (line.set.waiting.usedBytes - sent.length) / OBJECT_BYTES;
    assert(isTimed ? pieces > 500 : pieces < 100, `${fault}: ${pieces}`);
  }
});
