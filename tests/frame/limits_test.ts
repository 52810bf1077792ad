import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import {
  ChunkDecoder,
  DEFAULT_MAX_CONTENT_BYTES,
  FrameDecoder,
  MAX_HEADER_BYTES,
} from "../../lib/frame/mod.ts";
import { headerText, join, plainFrame, rawFrame } from "./raw_frames.ts";
import { DIRECT_WAYS_IN, WAYS_IN } from "./ways_in.ts";

const MIB = 1_048_576;

Deno.test("the default limit of the content is 16 MiB", () => {
  assertEquals(DEFAULT_MAX_CONTENT_BYTES, 16 * MIB);
  for (const make of [() => new FrameDecoder(), () => new ChunkDecoder()]) {
    for (const [size, code] of [[16 * MIB, undefined], [16 * MIB + 1, "frame-too-large"]]) {
      const decoder = make();
      const bytes = rawFrame(headerText(size as number));
      const { error } = decoder instanceof FrameDecoder
        ? decoder.decode(bytes)
        : decoder.push(bytes);
      assertEquals(error?.code, code);
    }
  }
});

Deno.test("a content of exactly the limit is taken, one byte more is not", async () => {
  const bytes = join(plainFrame("12345"), plainFrame("123456"), plainFrame("1234"));
  for (const way of WAYS_IN) {
    const { frames, errors } = await way.decode([bytes], { maxContentBytes: 5 });
    assertEquals(frames.map((frame) => frame.content.length), [5, 4], way.name);
    assertEquals(errors.length, 1);
    const error = errors[0];
    assertEquals([error?.code, error?.part, error?.recoverable], [
      "frame-too-large",
      "content",
      true,
    ]);
    assertEquals([error?.expected, error?.limit], [6, 5]);
    assertStringIncludes(error?.message ?? "", "6");
    assertStringIncludes(error?.message ?? "", "5");
  }
});

Deno.test("a limit of 0 takes frames without content", async () => {
  const bytes = join(plainFrame(""), plainFrame("x"), plainFrame(""));
  for (const way of WAYS_IN) {
    const { frames, errors } = await way.decode([bytes], { maxContentBytes: 0 });
    assertEquals([frames.length, errors.length], [2, 1], way.name);
  }
});

Deno.test("a header of exactly the limit is taken, one byte more is not", async () => {
  const header = headerText(1);
  const bytes = join(
    rawFrame(header, "a"),
    rawFrame(header.replace("{", "{ "), "b"),
    rawFrame(header, "c"),
  );
  for (const way of WAYS_IN) {
    for (const size of [1, 2, header.length, bytes.length]) {
      const chunks = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size));
      const { frames, errors } = await way.decode(chunks, { maxHeaderBytes: header.length });
      assertEquals(frames.map((frame) => frame.content[0]), [0x61, 0x63], `${way.name}, ${size}`);
      const error = errors[0];
      assertEquals([errors.length, error?.code, error?.part], [1, "frame-too-large", "header"]);
      assertEquals([error?.expected, error?.limit], [header.length + 1, header.length]);
      assertEquals(error?.recoverable, true);
    }
  }
});

Deno.test("a header above its limit that is broken too ends the stream", async () => {
  const bytes = join(plainFrame("a"), rawFrame("x".repeat(500)), plainFrame("b"));
  for (const way of WAYS_IN) {
    const { frames, errors } = await way.decode([bytes], { maxHeaderBytes: 200 });
    assertEquals(frames.length, 1, way.name);
    assertEquals(errors.at(-1)?.recoverable, false, way.name);
  }
});

Deno.test("the largest header goes through", async () => {
  const spare = MAX_HEADER_BYTES - headerText(1, ',"pad":""').length;
  const header = headerText(1, `,"pad":"${"p".repeat(spare)}"`);
  const bytes = join(rawFrame(header, "x"), plainFrame("y"));
  assertEquals([bytes[0], bytes[1]], [0xff, 0xff]);
  for (const way of WAYS_IN) {
    const { frames, errors } = await way.decode([
      bytes.subarray(0, 40_000),
      bytes.subarray(40_000),
    ]);
    assertEquals([frames.length, errors.length], [2, 0], way.name);
  }
});

Deno.test("the stream goes on behind frames that are too large, however it is split", async () => {
  const bytes = join(
    plainFrame("ok 1"),
    plainFrame("too long, much too long"),
    rawFrame(headerText(4, `,"pad":"${"p".repeat(200)}"`), "head"),
    plainFrame("ok 2"),
    rawFrame(headerText(30, `,"pad":"${"p".repeat(200)}"`), "h".repeat(30)),
    plainFrame("ok 3"),
  );
  const options = { maxContentBytes: 10, maxHeaderBytes: 150 };
  for (const way of DIRECT_WAYS_IN) {
    for (let at = 0; at <= bytes.length; at++) {
      const chunks = [bytes.subarray(0, at), bytes.subarray(at)];
      const { frames, errors } = await way.decode(chunks, options);
      assertEquals(frames.map((frame) => String.fromCharCode(...frame.content)), [
        "ok 1",
        "ok 2",
        "ok 3",
      ]);
      assertEquals(new Set(errors.map((error) => error.code)), new Set(["frame-too-large"]));
      assertEquals(errors.slice(0, 2).map((error) => error.part), ["content", "header"]);
    }
  }
});

Deno.test("a content of more than 2^32 bytes is skipped", () => {
  const chunk = new Uint8Array(4 * MIB);
  const total = 2 ** 32 + 8 * MIB;
  const inBuffer = new FrameDecoder();
  const inChunks = new ChunkDecoder();
  const header = rawFrame(headerText(total));
  let left = header.length - inBuffer.decode(header).consumed;
  assertEquals(left, 0);
  assertEquals(inChunks.push(header).error?.code, "frame-too-large");
  for (left = total; left > 0; left -= chunk.length) {
    assertEquals(inBuffer.decode(chunk), { frames: [], consumed: chunk.length, error: undefined });
    assertEquals(inChunks.push(chunk).frames.length, 0);
    assertEquals([inBuffer.midFrame, inChunks.midFrame], Array(2).fill(left > chunk.length));
  }
  assertEquals(inBuffer.decode(plainFrame("next")).frames[0]?.text(), "next");
  assertEquals(inChunks.push(plainFrame("next")).frames[0]?.text(), "next");
});

Deno.test("a header is parsed once, however many calls its content takes", () => {
  // Large and nested, so that no cache and no fast path makes parsing it again cheap.
  const header = headerText(500, `,"nested":[${"[],".repeat(400)}0]`);
  const bytes = rawFrame(header, "x".repeat(500));
  const contentStart = bytes.length - 500;
  const inBuffer = new FrameDecoder();
  const inChunks = new ChunkDecoder();
  const { parse } = JSON;
  let parsed = 0;
  JSON.parse = (...args) => {
    parsed++;
    return parse(...args);
  };
  try {
    for (let end = contentStart; end < bytes.length; end++) inBuffer.decode(bytes, 0, end);
    inChunks.push(bytes.slice(0, contentStart));
    for (let at = contentStart; at < bytes.length - 1; at++) inChunks.push(bytes.slice(at, at + 1));
  } finally {
    JSON.parse = parse;
  }
  assertEquals(inBuffer.decode(bytes).frames.length, 1);
  assertEquals(inChunks.push(bytes.slice(-1)).frames.length, 1);
  assert(parsed <= 6, `two headers were parsed ${parsed} times`);
});

Deno.test("no memory is taken on a mere claim", () => {
  const claim = join(rawFrame(headerText(1024 * MIB)), new Uint8Array(100));
  const before = Deno.memoryUsage();
  const decoders = Array.from({ length: 8 }, () => {
    const decoder = new ChunkDecoder({ maxContentBytes: 2048 * MIB });
    decoder.push(claim.slice(0, 50));
    decoder.push(claim.slice(50));
    return decoder;
  });
  const after = Deno.memoryUsage();
  assertLess(after.external - before.external, 32 * MIB);
  for (const decoder of decoders) {
    assert(decoder.midFrame);
    assertEquals(decoder.end()?.expected, 1024 * MIB);
    assertEquals(decoder.end()?.received, 100);
  }
});
