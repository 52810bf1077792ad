/** Answers are compared as JSON where that takes little, and else as bytes. */
import { assert, assertEquals } from "@std/assert";
import { compareFrames } from "../../lib/capture/replay/compare_frames.ts";
import { encodeFrame, type Frame, FrameDecoder } from "../../lib/frame/mod.ts";

function answer(json: string): Frame {
  const header = { "content-type": "text/json" };
  const bytes = encodeFrame({ header, content: json });
  return new FrameDecoder({ maxContentBytes: Infinity }).decode(bytes).frames[0]!;
}

const paths = async (recorded: string, came: string, ...ignored: string[]) =>
  (await compareFrames(answer(recorded), answer(came), new Set(ignored))).map(({ path }) => path);

const nested = (depth: number, inner: string) => "[".repeat(depth) + inner + "]".repeat(depth);

/** By what they are: JSON with one value that may be another. */
const COSTLY: Record<string, (value: string) => string> = {
  "too deep": (value) => nested(300_000, value),
  "too many values": (value) => `{"x":${value},"all":[${"0,".repeat(100_000)}0]}`,
  "too large": (value) => `{"x":${value},"text":"${"t".repeat(1_048_576)}"}`,
};

for (const [what, json] of Object.entries(COSTLY)) {
  Deno.test(`an answer that is ${what} is compared as bytes`, async () => {
    assertEquals(await paths(json("1"), json("1")), []);
    assertEquals(await paths(json("1"), json("2"), "x"), ["content"]);
    const frames = [answer(json("1")), answer(json("2"))] as const;
    for (const { recorded, came } of await compareFrames(...frames, new Set())) {
      assert(recorded!.length <= 81 && came!.length <= 81, "a difference is shown in full");
    }
  });
}

Deno.test("many values are compared in the order in which they stand, and others are served", async () => {
  const list = (value: number) =>
    JSON.stringify({ list: Array.from({ length: 90_000 }, (_, i) => i % 30_000 ? 0 : value + i) });
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const found = await paths(list(1), list(2));
  clearInterval(timer);
  assertEquals(found, ["list.0", "list.30000", "list.60000"]);
  assert(turns > 0, "nobody else had a turn");
});
