import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { deadline } from "../../support/deadline.ts";
import { type Context, UsageError } from "../../../cmd/_cli/mod.ts";
import { endConsuming, parseFrom, readStream } from "../../../cmd/_pubsub/read_stream.ts";
import { SubBounds } from "../../../cmd/_pubsub/sub_bounds.ts";
import { connectBroker } from "../../../lib/pubsub/mod.ts";
import { type Script, ScriptedDuplex } from "../../pubsub/client/support.ts";

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

/** Reads a stream of a broker that answers as the script does, until the time of 20 ms is over. */
async function read(
  consumer: string | undefined,
  script: Script,
  signal = new AbortController().signal,
): Promise<number | undefined> {
  await using client = await connectBroker(new ScriptedDuplex(script));
  const context = { log: { warn() {} }, signal, out: {} } as unknown as Context;
  const flags = {
    stream: "orders",
    from: undefined,
    consumer,
    each: consumer && "true",
    attempts: undefined,
    "ack-wait": undefined,
    parallel: 1,
    json: false,
  };
  using bounds = new SubBounds({ count: undefined, timeout: 20 });
  return await deadline(readStream(client, undefined, flags, {}, bounds, context));
}

Deno.test("a broker that does not agree to reading is waited for as long as --timeout says, and is an error", async () => {
  const mute: Script = (op) => op === "hello" ? {} : undefined;
  // As where the keeper of the stream is away for some time.
  const away: Script = (op) => op === "hello" ? {} : "unavailable";
  const agreeing: Script = () => ({ seq: 1 });
  const stopped = AbortSignal.abort();
  for (const consumer of [undefined, "billing"]) {
    for (const script of [mute, away]) {
      const said = "The broker did not confirm reading orders in 20 ms";
      await assertRejects(() => read(consumer, script), Error, said);
      assertEquals(await read(consumer, script, stopped), undefined);
    }
    assertEquals(await read(consumer, agreeing), undefined);
  }
});
