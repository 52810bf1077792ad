import { assertEquals, assertThrows } from "@std/assert";
import { MAX_TIMER_MS } from "../../lib/base/timer_ms.ts";
import { replayNumbers } from "../../lib/capture/replay/replay_options.ts";

Deno.test("a replay waits for answers as long as a timer can, if it is to wait longer", () => {
  const days = 86_400_000;
  for (const answerTimeoutMs of [30 * days, Infinity]) {
    assertEquals(replayNumbers({ answerTimeoutMs }), { speed: 1, answerTimeoutMs: MAX_TIMER_MS });
  }
  assertEquals(replayNumbers({ speed: 2 }), { speed: 2, answerTimeoutMs: 10_000 });
  assertThrows(() => replayNumbers({ answerTimeoutMs: -1 }), RangeError);
  assertThrows(() => replayNumbers({ speed: 0 }), RangeError);
});
