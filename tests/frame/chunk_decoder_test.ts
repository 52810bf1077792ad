import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ChunkDecoder, encodeFrame } from "../../lib/frame/mod.ts";
import { bytesOf, headerText, join, plainFrame, rawFrame } from "./raw_frames.ts";

Deno.test("push() gives frames that lie whole in a chunk as views of it", () => {
  const chunk = join(plainFrame("a"), plainFrame("bb"));
  const { frames } = new ChunkDecoder().push(chunk);
  assertEquals(frames.map((frame) => frame.text()), ["a", "bb"]);
  for (const frame of frames) assertStrictEquals(frame.content.buffer, chunk.buffer);
});

Deno.test("push() takes all of a chunk, so that its memory may be used again", () => {
  const bytes = join(plainFrame("first"), plainFrame("second"));
  for (let at = 0; at <= bytes.length; at++) {
    const decoder = new ChunkDecoder();
    const chunk = bytes.slice(0, at);
    const texts = decoder.push(chunk).frames.map((frame) => frame.text());
    chunk.fill(0xff);
    texts.push(...decoder.push(bytes.slice(at)).frames.map((frame) => frame.text()));
    assertEquals(texts, ["first", "second"], `split at ${at}`);
  }
});

Deno.test("push() gives frames that later chunks do not change", () => {
  const contents = Array.from({ length: 60 }, (_, i) => String(i).repeat(i % 7 + 1));
  const bytes = join(...contents.map((content) => plainFrame(content)));
  for (const size of [1, 7, 50, 101, 250]) {
    const decoder = new ChunkDecoder();
    const kept = [];
    for (let offset = 0; offset < bytes.length; offset += size) {
      kept.push(...decoder.push(bytes.slice(offset, offset + size)).frames);
    }
    assertEquals(kept.map((frame) => frame.text()), contents, `chunks of ${size} bytes`);
    assert(kept.every((frame) => frame.complete && frame.offset === 0));
    assertEquals(join(...kept.map((frame) => frame.bytes)), bytes);
  }
});

Deno.test("push() takes empty chunks anywhere", () => {
  const bytes = plainFrame("content");
  const decoder = new ChunkDecoder();
  const frames = [];
  for (const byte of bytes) {
    frames.push(...decoder.push(new Uint8Array(0)).frames);
    frames.push(...decoder.push(Uint8Array.of(byte)).frames);
  }
  assertEquals(frames.map((frame) => frame.text()), ["content"]);
  assertEquals(decoder.push(new Uint8Array(0)), { frames: [], consumed: 0, error: undefined });
});

Deno.test("push() puts together a content of many chunks", () => {
  const content = new Uint8Array(3_000_000);
  for (let i = 0; i < content.length; i++) content[i] = i * 31 + (i >> 8);
  const bytes = join(encodeFrame({ content }), plainFrame("next"));
  const decoder = new ChunkDecoder();
  const frames = [];
  for (let offset = 0; offset < bytes.length; offset += 1000) {
    frames.push(...decoder.push(bytes.subarray(offset, offset + 1000)).frames);
  }
  assertEquals(frames.length, 2);
  assert(frames[0]?.content.every((byte, i) => byte === content[i]));
  assertEquals(frames[1]?.text(), "next");
});

Deno.test("midFrame tells whether the stream is inside a frame", () => {
  const bytes = plainFrame("content");
  const decoder = new ChunkDecoder();
  assertEquals(decoder.midFrame, false);
  for (const [i, byte] of bytes.entries()) {
    decoder.push(Uint8Array.of(byte));
    assertEquals(decoder.midFrame, i < bytes.length - 1);
  }
});

Deno.test("push() goes on behind a recoverable error, with empty chunks too", () => {
  const chunk = join(
    plainFrame("one"),
    plainFrame("much too long"),
    plainFrame("also too long"),
    plainFrame("two"),
  );
  const decoder = new ChunkDecoder({ maxContentBytes: 5 });
  const texts = [];
  const codes = [];
  for (let batch = decoder.push(chunk);; batch = decoder.push(new Uint8Array(0))) {
    texts.push(...batch.frames.map((frame) => frame.text()));
    if (batch.error === undefined) break;
    codes.push(batch.error.code);
  }
  assertEquals(texts, ["one", "two"]);
  assertEquals(codes, ["frame-too-large", "frame-too-large"]);
  assertEquals(decoder.end(), undefined);
});

Deno.test("push() says that it took all of a chunk, whatever came of it", () => {
  const bytes = join(plainFrame("a"), plainFrame("much too long"), plainFrame("b"));
  for (const options of [{ maxContentBytes: 5 }, { maxHeaderBytes: 20 }, { streamAbove: 3 }]) {
    for (let at = 0; at <= bytes.length; at++) {
      const decoder = new ChunkDecoder(options);
      assertEquals(decoder.push(bytes.slice(0, at)).consumed, at);
      assertEquals(decoder.push(bytes.slice(at)).consumed, bytes.length - at);
    }
  }
});

Deno.test("push() gives what was kept before the bytes pushed behind a recoverable error", () => {
  const decoder = new ChunkDecoder({ maxContentBytes: 5 });
  const first = decoder.push(join(plainFrame("too long"), plainFrame("a"), plainFrame("too long")));
  assertEquals([first.frames.length, first.error?.code], [0, "frame-too-large"]);
  const texts = [];
  let codes = 0;
  for (let batch = decoder.push(plainFrame("b"));; batch = decoder.push(new Uint8Array(0))) {
    texts.push(...batch.frames.map((frame) => frame.text()));
    if (batch.error === undefined) break;
    codes++;
  }
  assertEquals([texts, codes], [["a", "b"], 1]);
});

Deno.test("push() fails for good at a broken header", () => {
  const decoder = new ChunkDecoder();
  assertEquals(decoder.push(bytesOf("\0\0")).error?.code, "header-syntax");
  const { frames, error } = decoder.push(plainFrame("later"));
  assertEquals([frames.length, error?.code], [0, "header-syntax"]);
});

Deno.test("push() gives large content in parts with streamAbove", () => {
  const bytes = join(rawFrame(headerText(10), "0123456789"), plainFrame("x"));
  for (const size of [1, 2, 3, 1000]) {
    const decoder = new ChunkDecoder({ streamAbove: 4 });
    let text = "";
    let expectedOffset = 0;
    for (let offset = 0; offset < bytes.length; offset += size) {
      for (const frame of decoder.push(bytes.slice(offset, offset + size)).frames) {
        assertEquals(frame.offset, expectedOffset);
        expectedOffset = frame.complete ? 0 : expectedOffset + frame.content.length;
        text += frame.text();
      }
    }
    assertEquals(text, "0123456789x");
  }
});
