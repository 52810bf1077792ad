import { assert, assertEquals } from "@std/assert";
import { inspectLarge, inspectUnclosed } from "./large_capture.ts";

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

Deno.test({
  name:
    "what is known of 80,000 connections that never end has a bound; one that goes on stays known",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const { peakBytes, summary, sentFrames } = await inspectUnclosed(80_000);
    assertEquals([summary.connections, summary.frames], [80_001, sentFrames]);
    assert(peakBytes < 402_653_184, `${peakBytes} bytes`);
  },
});
