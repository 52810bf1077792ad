import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../cmd/_cli/mod.ts";
import { parseFrom } from "../../../cmd/_pubsub/read_stream.ts";

Deno.test("--from takes words, numbers, times ago and times, and nothing else", () => {
  for (const word of ["all", "new", "last"]) assertEquals<unknown>(parseFrom(word), word);
  assertEquals(parseFrom("1"), 1);
  assertEquals(parseFrom("9007199254740991"), Number.MAX_SAFE_INTEGER);
  for (const text of ["2026-01-31", "2026-01-31T12:00", "2028-02-29", "2026-01-31T12:00:01.5Z"]) {
    assertEquals(parseFrom(text), new Date(text));
  }
  for (const [text, ms] of [["1h", 3_600_000], ["0s", 0], ["90m", 5_400_000]] as const) {
    const from = (parseFrom(text) as Date).getTime();
    assertEquals(Math.abs(Date.now() - ms - from) < 10_000, true, text);
  }
  const wrong = ["", "0", "01", "-1", "1e3", "9007199254740992", "1x", "yesterday", "ALL", "1 h"]
    .concat(
      "2026-13-01",
      "2026-02-30",
      "2027-02-29",
      "2026-01-31T25:00",
      "2026-1-1",
      "2026-01-31x",
    );
  for (const text of wrong) assertThrows(() => parseFrom(text), UsageError, "", text);
});
