import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ChunkDecoder, encodeFrame, FrameDecoder } from "../../lib/frame/mod.ts";
import { bytesOf, headerText, join, plainFrame, rawFrame } from "./raw_frames.ts";

Deno.test("decode() finds nothing in nothing", () => {
  const decoder = new FrameDecoder();
  assertEquals(decoder.decode(new Uint8Array(0)), { frames: [], consumed: 0, error: undefined });
  assertEquals(decoder.midFrame, false);
  assertEquals(decoder.end(), undefined);
});

Deno.test("decode() gives views of the buffer, not copies", () => {
  const bytes = plainFrame("content");
  const [frame] = new FrameDecoder().decode(bytes).frames;
  assertStrictEquals(frame?.content.buffer, bytes.buffer);
  assertEquals(frame?.content, bytesOf("content"));
  assertEquals(frame?.bytes, bytes);
  assertEquals([frame?.start, frame?.end, frame?.offset], [0, bytes.length, 0]);
  assertEquals([frame?.complete, frame?.littleEndian], [true, true]);
});

Deno.test("decode() stays between start and end", () => {
  const frame = plainFrame("inside");
  const buffer = join(new Uint8Array(5).fill(0xff), frame, frame);
  const { frames, consumed, error } = new FrameDecoder().decode(buffer, 5, 5 + frame.length + 3);
  assertEquals(frames.map((each) => each.text()), ["inside"]);
  assertEquals([consumed, error], [frame.length, undefined]);
  assertEquals([frames[0]?.start, frames[0]?.end], [5, 5 + frame.length]);
});

Deno.test("decode() works on a view into a larger buffer", () => {
  const frame = plainFrame("inside");
  const view = join(new Uint8Array(9), frame).subarray(9);
  const [found] = new FrameDecoder().decode(view).frames;
  assertEquals(found?.bytes, frame);
  assertEquals([found?.start, found?.end], [0, frame.length]);
});

Deno.test("decode() leaves an unfinished frame unconsumed and says how much is due", () => {
  const bytes = plainFrame("content");
  const headerEnd = bytes.length - 7;
  const decoder = new FrameDecoder();
  for (let end = 0; end < bytes.length; end++) {
    const { frames, consumed, error } = decoder.decode(bytes, 0, end);
    assertEquals([frames.length, consumed, error], [0, 0, undefined]);
    assertEquals(decoder.midFrame, end > 0);
    assert(decoder.needed > end, `${decoder.needed} bytes are due, ${end} are there`);
    assert(decoder.needed <= bytes.length);
    if (end >= 2) assert(decoder.needed >= headerEnd);
    if (end >= headerEnd) assertEquals(decoder.needed, bytes.length);
  }
  assertEquals(decoder.decode(bytes).frames.length, 1);
  assertEquals(decoder.midFrame, false);
});

Deno.test("decode() gives as many frames as there are, in order", () => {
  const contents = Array.from({ length: 500 }, (_, i) => `content ${i}`);
  const bytes = join(...contents.map((content) => plainFrame(content)));
  const { frames, consumed } = new FrameDecoder().decode(bytes);
  assertEquals(frames.map((frame) => frame.text()), contents);
  assertEquals(consumed, bytes.length);
});

Deno.test("decode() fails for good at a broken header", () => {
  const decoder = new FrameDecoder();
  const before = plainFrame("before");
  const bytes = join(before, rawFrame("{}"), plainFrame("after"));
  const first = decoder.decode(bytes);
  assertEquals(first.frames.map((frame) => frame.text()), ["before"]);
  assertEquals(first.error?.code, "header-field");
  assert(first.consumed >= before.length);
  for (const input of [plainFrame("later"), bytes.subarray(first.consumed), before]) {
    const { frames, error } = decoder.decode(input);
    assertEquals([frames.length, error?.code], [0, "header-field"]);
  }
});

Deno.test("detach() makes a frame independent of its buffer", () => {
  const bytes = plainFrame("kept", ',"id":7');
  const copy = bytes.slice();
  const [frame] = new FrameDecoder().decode(bytes).frames;
  assert(frame);
  assertStrictEquals(frame.detach(), frame);
  bytes.fill(0);
  assertEquals(frame.text(), "kept");
  assertEquals(frame.bytes, copy);
  assertEquals(frame.header["id"], 7);
});

Deno.test("content above streamAbove comes in parts as its bytes come", () => {
  const bytes = join(rawFrame(headerText(10), "0123456789"), plainFrame("x"));
  for (let at = 0; at <= bytes.length; at++) {
    const decoder = new FrameDecoder({ streamAbove: 4 });
    const first = decoder.decode(bytes, 0, at);
    const texts = first.frames.map((frame) => frame.text());
    const offsets = first.frames.map((frame) => frame.offset);
    const complete = first.frames.map((frame) => frame.complete);
    const rest = decoder.decode(bytes, first.consumed);
    for (const frame of rest.frames) {
      texts.push(frame.text());
      offsets.push(frame.offset);
      complete.push(frame.complete);
    }
    assertEquals(texts.join(""), "0123456789x", `split at ${at}`);
    assertEquals(complete.filter((each) => each).length, 2);
    assertEquals(offsets[0], 0);
    assertEquals(offsets.at(-1), 0);
    if (at > bytes.length - plainFrame("x").length - 10) {
      assert(first.frames.length > 0, "parts do not wait for the rest");
    }
    assertEquals(decoder.end(), undefined);
  }
});

Deno.test("content of more than 2^32 bytes comes in parts", () => {
  const part = new Uint8Array(1_048_576);
  const total = 2 ** 32 + 3 * 1_048_576;
  const decoder = new FrameDecoder({ streamAbove: 0, maxContentBytes: 2 ** 40 });
  decoder.decode(rawFrame(headerText(total)));
  let received = 0;
  let complete = 0;
  for (let sent = 0; sent < total; sent += part.length) {
    for (const frame of decoder.decode(part).frames) {
      assertEquals(frame.offset, received);
      received += frame.content.length;
      if (frame.complete) complete++;
    }
  }
  assertEquals([received, complete], [total, 1]);
  assertEquals(decoder.decode(encodeFrame({ content: "next" })).frames[0]?.text(), "next");
});

Deno.test("content that is read past the decoder counts as if it had been decoded", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 6, max: 60 }),
      fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 20 })), { minLength: 1 }),
      (size, steps) => {
        const head = rawFrame(headerText(size));
        const next = plainFrame("next");
        const decoder = new FrameDecoder({ streamAbove: 5 });
        const chunks = new ChunkDecoder({ streamAbove: 5 });
        decoder.decode(head);
        chunks.push(head);
        let left = size;
        for (let i = 0; left > 0; i++) {
          const [pass, step] = steps[i % steps.length]!;
          const count = Math.min(step, left);
          assertEquals([decoder.contentLeft, chunks.contentLeft], [left, left]);
          assertEquals([decoder.needed, decoder.midFrame, chunks.midFrame], [left, true, true]);
          assertEquals(decoder.end()?.received, size - left);
          if (pass) {
            decoder.passContent(count);
            chunks.passContent(count);
          } else {
            const part = new Uint8Array(count);
            const [frame] = decoder.decode(part).frames;
            assertEquals([frame?.offset, frame?.content.length], [size - left, count]);
            assertEquals(chunks.push(part).frames[0]?.complete, count === left);
          }
          left -= count;
        }
        assertEquals([decoder.contentLeft, decoder.midFrame, decoder.end()], [
          0,
          false,
          undefined,
        ]);
        assertEquals(decoder.decode(next).frames[0]?.text(), "next");
        assertEquals(chunks.push(next).frames[0]?.text(), "next");
      },
    ),
  );
});

Deno.test("no more content can be passed than is missing", () => {
  const decoder = new FrameDecoder({ streamAbove: 5 });
  assertThrows(() => decoder.passContent(1), RangeError, "0 are missing");
  decoder.decode(rawFrame(headerText(10), "abc"));
  for (const count of [8, Infinity, NaN]) {
    assertThrows(() => decoder.passContent(count), RangeError, "7 are missing");
  }
  decoder.passContent(7);
  assertEquals(decoder.decode(plainFrame("next")).frames[0]?.text(), "next");
});

Deno.test("limits that are no number of bytes are refused", () => {
  for (const limit of [-1, NaN]) {
    assertThrows(() => new FrameDecoder({ maxContentBytes: limit }), RangeError);
    assertThrows(() => new FrameDecoder({ maxHeaderBytes: limit }), RangeError);
    assertThrows(() => new FrameDecoder({ streamAbove: limit }), RangeError);
  }
});
