import { assert } from "@std/assert";
import { OBJECT_BYTES } from "../../../lib/proxy/faults/waiting_room.ts";
import { bytesOf } from "../ends.ts";
import { TestLine } from "./line.ts";

/** A line whose receiver takes nothing. */
class StuckLine extends TestLine {
  override writeAlone(): boolean {
    return false;
  }
}

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
