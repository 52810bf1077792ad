import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  encodeFrame,
  FrameDecoderStream,
  FrameEncoderStream,
  FrameError,
  type OutgoingFrame,
} from "../../lib/frame/mod.ts";
import { byteSource } from "./byte_source.ts";
import { headerText, join, plainFrame, rawFrame } from "./raw_frames.ts";

async function textsOf(
  chunks: readonly Uint8Array[],
  decoder: FrameDecoderStream,
  texts: string[] = [],
): Promise<string[]> {
  for await (const frames of ReadableStream.from(chunks).pipeThrough(decoder)) {
    assert(frames.length > 0, "no item is an empty batch");
    texts.push(frames.map((frame) => frame.text()).join("+"));
  }
  return texts;
}

Deno.test("FrameDecoderStream gives the frames that a chunk completed as one batch", async () => {
  const [a, b, c] = [plainFrame("a"), plainFrame("b"), plainFrame("c")];
  const chunks = [join(a, b.slice(0, 9)), b.slice(9, 20), join(b.slice(20), c), new Uint8Array(0)];
  assertEquals(await textsOf(chunks, new FrameDecoderStream()), ["a", "b+c"]);
});

Deno.test("FrameDecoderStream of an empty stream is empty", async () => {
  assertEquals(await textsOf([], new FrameDecoderStream()), []);
});

Deno.test("FrameDecoderStream gives the frames before an error, then fails with it", async () => {
  const broken: [bytes: Uint8Array, code: string][] = [
    [rawFrame("{}"), "header-field"],
    [rawFrame("["), "header-syntax"],
    [plainFrame("y").slice(0, 30), "truncated"],
    [plainFrame("content above the limit"), "frame-too-large"],
  ];
  for (const [bytes, code] of broken) {
    const before = [plainFrame("a"), plainFrame("b")];
    for (
      const chunks of [[join(...before, bytes)], [...before, bytes], [
        before[0]!,
        join(before[1]!, bytes),
      ]]
    ) {
      const texts: string[] = [];
      const decoder = new FrameDecoderStream({ maxContentBytes: 10 });
      const error = await assertRejects(() => textsOf(chunks, decoder, texts), FrameError);
      assertEquals([texts.join("+"), error.code], ["a+b", code]);
    }
  }
});

Deno.test("FrameDecoderStream with onSkip goes on behind frames that are too large", async () => {
  const skipped: FrameError[] = [];
  const decoder = new FrameDecoderStream({
    maxContentBytes: 3,
    onSkip: (error) => skipped.push(error),
  });
  const bytes = join(
    plainFrame("long"),
    plainFrame("a"),
    plainFrame("longer"),
    plainFrame("b"),
    plainFrame("long"),
  );
  assertEquals((await textsOf([bytes], decoder)).join("+"), "a+b");
  assertEquals(skipped.map((error) => [error.code, error.expected]), [
    ["frame-too-large", 4],
    ["frame-too-large", 6],
    ["frame-too-large", 4],
  ]);
});

Deno.test("FrameDecoderStream gives the frames between a skipped one and an error", async () => {
  for (const broken of [rawFrame("{}"), rawFrame("["), plainFrame("y").slice(0, 9)]) {
    const texts: string[] = [];
    const decoder = new FrameDecoderStream({ maxContentBytes: 3, onSkip: () => {} });
    const chunk = join(
      plainFrame("a"),
      plainFrame("long"),
      plainFrame("b"),
      plainFrame("c"),
      broken,
    );
    await assertRejects(() => textsOf([chunk], decoder, texts), FrameError);
    assertEquals(texts.join("+"), "a+b+c");
  }
});

Deno.test("FrameDecoderStream fails with what onSkip throws", async () => {
  const reason = new Error("enough");
  const decoder = new FrameDecoderStream({
    maxContentBytes: 3,
    onSkip: () => {
      throw reason;
    },
  });
  const error = await assertRejects(() => textsOf([plainFrame("long"), plainFrame("a")], decoder));
  assertStrictEquals(error, reason);
});

Deno.test("FrameDecoderStream passes on the error of its source", async () => {
  const reason = new Error("connection reset");
  const { stream } = byteSource([plainFrame("a"), plainFrame("b").slice(0, 20), reason]);
  const reader = stream.pipeThrough(new FrameDecoderStream()).getReader();
  assertEquals((await reader.read()).value?.length, 1);
  assertStrictEquals(await assertRejects(() => reader.read()), reason);
});

Deno.test("FrameDecoderStream passes a cancel on to its source", async () => {
  const source = byteSource(Array(100).fill(plainFrame("a")));
  const reader = source.stream.pipeThrough(new FrameDecoderStream()).getReader();
  await reader.read();
  await reader.cancel("no more");
  assertEquals(source.cancelled, ["no more"]);
  assert(source.pulls < 10, `${source.pulls} chunks were read`);
});

Deno.test("FrameDecoderStream reads no further than it is asked to", async () => {
  const source = byteSource(Array(1_000).fill(plainFrame("a")));
  const reader = source.stream.pipeThrough(new FrameDecoderStream()).getReader();
  for (let i = 0; i < 5; i++) await reader.read();
  assert(source.pulls < 12, `${source.pulls} chunks were read`);
  await reader.cancel();
});

Deno.test("FrameDecoderStream refuses a limit that is no number of bytes", () => {
  assertThrows(() => new FrameDecoderStream({ maxContentBytes: -1 }), RangeError);
  assertThrows(() => new FrameDecoderStream({ maxHeaderBytes: NaN }), RangeError);
});

Deno.test("FrameEncoderStream gives a chunk for each frame and each array of frames", async () => {
  const items: (OutgoingFrame | OutgoingFrame[])[] = [
    { content: "a" },
    [{ content: "b" }, {}, { content: Uint8Array.of(1), header: { id: 1 } }],
    { content: "é".repeat(100_000) },
  ];
  const stream = ReadableStream.from(items).pipeThrough(new FrameEncoderStream());
  const chunks: Uint8Array[] = await Array.fromAsync(stream);
  assertEquals(
    chunks,
    items.map((item) => join(...[item].flat().map((frame) => encodeFrame(frame)))),
  );
});

Deno.test("FrameEncoderStream gives chunks that belong to who reads them", async () => {
  const items = Array.from({ length: 50 }, (_, i) => ({ content: `content ${i}` }));
  const chunks: Uint8Array[] = [];
  for await (const chunk of ReadableStream.from(items).pipeThrough(new FrameEncoderStream())) {
    assertEquals(chunk, encodeFrame(items[chunks.length]!));
    chunks.push(chunk.slice());
    new Uint8Array(chunk.buffer).fill(0xff);
  }
  assertEquals(chunks.length, 50);
});

Deno.test("FrameEncoderStream fails with the error of writeFrame", async () => {
  const items = [{ content: "a" }, { content: "b", header: { "content-length": 7 } }];
  const reader = ReadableStream.from(items).pipeThrough(new FrameEncoderStream()).getReader();
  assertEquals((await reader.read()).value, encodeFrame({ content: "a" }));
  await assertRejects(() => reader.read(), RangeError);
});

Deno.test("an array with a frame that cannot be encoded gives none of its frames", async () => {
  const items = [[{ content: "a" }, { header: { id: 1n } }]];
  const reader = ReadableStream.from(items).pipeThrough(new FrameEncoderStream()).getReader();
  await assertRejects(() => reader.read(), TypeError);
});

Deno.test("the two streams put together give back what went in", async () => {
  const texts = Array.from({ length: 300 }, (_, i) => "text ".repeat(i % 40) + i);
  const stream = ReadableStream.from(texts.map((content) => ({ content })))
    .pipeThrough(new FrameEncoderStream())
    .pipeThrough(new FrameDecoderStream());
  const decoded: string[] = [];
  for await (const frames of stream) decoded.push(...frames.map((frame) => frame.text()));
  assertEquals(decoded, texts);
});

Deno.test("FrameDecoderStream hands out large content in parts where asked to", async () => {
  const chunks = [
    rawFrame(headerText(12), "abc"),
    ...["def", "ghi", "jkl"].map((text) => new TextEncoder().encode(text)),
  ];
  const parts = await textsOf(
    [...chunks, plainFrame("z")],
    new FrameDecoderStream({ streamAbove: 5 }),
  );
  assertEquals(parts.filter((part) => part !== ""), ["abc", "def", "ghi", "jkl", "z"]);
});
