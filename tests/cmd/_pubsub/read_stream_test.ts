import { assertEquals, assertThrows } from "@std/assert";
import { deadline } from "../../support/deadline.ts";
import { UsageError } from "../../../cmd/_cli/mod.ts";
import { endConsuming, parseFrom } from "../../../cmd/_pubsub/read_stream.ts";

Deno.test("--from takes words, numbers, times ago and times, and nothing else", () => {
  for (const word of ["all", "new", "last"]) assertEquals<unknown>(parseFrom(word), word);
  assertEquals(parseFrom("1"), 1);
  assertEquals(parseFrom("9007199254740991"), Number.MAX_SAFE_INTEGER);
  for (const text of ["2026-01-31T12:00", "2026-01-31T12:00:01.5Z", "2026-03-29T02:30+14:00"]) {
    assertEquals(parseFrom(text), new Date(text));
    assertEquals(parseFrom(text.replace("T", " ")), new Date(text));
  }
  // As its times do, a day begins where the machine is.
  assertEquals(parseFrom("2028-02-29"), new Date(2028, 1, 29));
  for (const text of ["1969-12-31", "0001-01-01T00:00Z"]) {
    assertEquals(parseFrom(text), new Date(0));
  }
  const ago = [["1h", 3_600_000], ["0s", 0], ["90m", 5_400_000], ["1h30m", 5_400_000]] as const;
  for (const [text, ms] of [...ago, ["1.5 h", 5_400_000] as const]) {
    const from = (parseFrom(text) as Date).getTime();
    assertEquals(Math.abs(Date.now() - ms - from) < 10_000, true, text);
  }
  const wrong = ["", "0", "01", "-1", "1e3", "9007199254740992", "1x", "yesterday", "ALL", "30m1h"]
    .concat(
      "2026-13-01",
      "2026-02-30",
      "2027-02-29",
      "2026-01-31T25:00",
      "2026-1-1",
      "2026-01-31x",
      "2026-01-31Z",
      "2026-01-31 (noon)",
      "2026-01-31 EST",
      "2026-01-31,",
      "2026-01-31T12:00+0200",
    );
  for (const text of wrong) assertThrows(() => parseFrom(text), UsageError, "", text);
});

Deno.test("a worker waits for its commands, and then a while for a broker that answers nothing", async () => {
  const never = new Promise<void>(() => {});
  const [command, failing] = [Promise.withResolvers<void>(), Promise.reject(new Error("killed"))];
  let isOver = false;
  const ended = endConsuming(never, [command.promise, failing], 1).then(() => isOver = true);
  await deadline(endConsuming(never, [], 1), "the end without a command");
  assertEquals(isOver, false);
  command.resolve();
  await deadline(ended, "the end behind the command");
  await deadline(endConsuming(Promise.resolve(), [never], 60_000), "the end of all");
});
