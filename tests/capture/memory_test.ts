import { assert, assertEquals } from "@std/assert";
import { inspectLarge } from "./large_capture.ts";

Deno.test({
  name: "a capture of 160 MiB takes no more memory than one of 10",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const small = await inspectLarge(10_485_760);
    const large = await inspectLarge(167_772_160);
    for (const { summary, sentFrames, sentBytes } of [small, large]) {
      assertEquals([summary.frames, summary.bytes], [sentFrames, sentBytes]);
      assertEquals([summary.missing_bytes, summary.skipped_bytes, summary.damage], [
        0,
        0,
        undefined,
      ]);
    }
    const grown = large.peakBytes - small.peakBytes;
    assert(grown < 33_554_432, `${grown} bytes more`);
  },
});
