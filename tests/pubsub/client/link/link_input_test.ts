import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeFrame, type Frame, FrameDecoder } from "../../../../lib/frame/mod.ts";
import { LinkInput } from "../../../../lib/pubsub/client/link/link_input.ts";

/** Reads a stream in parts, as a link does, and keeps all frames. */
function readAll(stream: Uint8Array, parts: readonly number[]): Frame[] {
  const input = new LinkInput();
  const decoder = new FrameDecoder();
  const frames: Frame[] = [];
  for (let at = 0, i = 0; at < stream.length; i++) {
    const into = input.free();
    assert(into.length > 0, "there is room to read");
    const count = Math.min(into.length, parts[i % parts.length]!, stream.length - at);
    into.set(stream.subarray(at, at += count));
    input.filled(count);
    const batch = decoder.decode(input.bytes, input.start, input.end);
    assertEquals(batch.error, undefined);
    frames.push(...batch.frames);
    input.consume(batch.consumed);
    input.next(decoder.needed);
  }
  return frames;
}

Deno.test("frames that are kept stay as they came, whatever is read after them", () => {
  const sizes = fc.array(
    fc.oneof(fc.nat(50), fc.nat(5_000), fc.nat(300_000)),
    { minLength: 1, maxLength: 12 },
  );
  const parts = fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constant(1e9)), {
    minLength: 1,
  });
  fc.assert(
    fc.property(sizes, parts, (all, cuts) => {
      const frames = all.map((size, i) => encodeFrame({ content: new Uint8Array(size).fill(i) }));
      const stream = new Uint8Array(frames.reduce((sum, { length }) => sum + length, 0));
      frames.reduce((at, bytes) => (stream.set(bytes, at), at + bytes.length), 0);
      // Small parts of large frames take many reads.
      const least = stream.length > 100_000 ? 4_096 : 1;
      const kept = readAll(stream, cuts.map((cut) => Math.max(cut, least)));
      assertEquals(kept.length, all.length);
      kept.forEach(({ content, bytes }, i) => {
        assertEquals(bytes.length, frames[i]!.length);
        assert(content.every((byte) => byte === i));
      });
    }),
    { numRuns: 40 },
  );
});

Deno.test("a kept frame holds twice what came with it at most, and an idle reader little", () => {
  const small = encodeFrame({ content: "x" });
  const [frame] = readAll(small, [1e9]);
  assert(frame!.content.buffer.byteLength <= small.length * 2);
  const large = encodeFrame({ content: new Uint8Array(3_000_000) });
  const [kept] = readAll(large, [100_000]);
  assert(kept!.content.buffer.byteLength <= large.length * 2);
  const input = new LinkInput();
  for (let i = 0; i < 40; i++) {
    const count = i < 20 ? input.free().length : 100;
    input.filled(count);
    input.consume(count);
    input.next(2);
  }
  assert(input.free().length <= 16_384, String(input.free().length));
});
