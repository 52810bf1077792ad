import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import fc from "fast-check";
import {
  ByteBuffer,
  encodeFrame,
  FrameDecoder,
  FrameError,
  HeaderCache,
  HOST_BYTE_ORDER,
  type OutgoingFrame,
  writeFrame,
} from "../../lib/frame/mod.ts";
import { anyFrame, anySizes } from "./generators.ts";
import { assertSameJson, bytesOf, cut, headerText, join, judge, rawFrame } from "./raw_frames.ts";
import {
  decodeChunks,
  decodeLikeASocket,
  DIRECT_WAYS_IN,
  type Outcome,
  WAYS_IN,
} from "./ways_in.ts";

const FOUR = ["byteorder", "content-type", "content-encoding", "content-length"];

const anyFrames = fc.array(anyFrame, { maxLength: 8 });

function contentOf({ content }: OutgoingFrame): Uint8Array {
  return typeof content === "string" ? bytesOf(content) : content ?? new Uint8Array(0);
}

/** What must come out: the four fields, then the others, as JSON keeps them. */
function headerOf(frame: OutgoingFrame): unknown {
  const given = frame.header ?? {};
  const text = typeof frame.content === "string";
  const four = {
    byteorder: given.byteorder ?? HOST_BYTE_ORDER,
    "content-type": given["content-type"] ?? (text ? "text/plain" : "application/octet-stream"),
    "content-encoding": given["content-encoding"] ?? (text ? "utf-8" : "binary"),
    "content-length": contentOf(frame).length,
  };
  const others = Object.entries(given).filter(([name]) => !FOUR.includes(name));
  return JSON.parse(JSON.stringify(Object.fromEntries([...Object.entries(four), ...others])));
}

function assertDecoded({ frames, errors }: Outcome, sent: readonly OutgoingFrame[]): void {
  assertEquals(errors, []);
  assertEquals(frames.length, sent.length);
  for (const [i, frame] of sent.entries()) {
    assertSameJson(frames[i]?.header, headerOf(frame));
    assertEquals(frames[i]?.content, contentOf(frame).slice());
  }
}

for (const way of WAYS_IN) {
  Deno.test(`what is encoded, however it is split, is decoded by ${way.name}`, async () => {
    await fc.assert(
      fc.asyncProperty(anyFrames, anySizes, fc.nat(600), async (sent, sizes, capacity) => {
        const buffer = new ByteBuffer(capacity);
        for (const frame of sent) writeFrame(buffer, frame);
        assertDecoded(await way.decode(cut(buffer.view(), sizes)), sent);
      }),
      { numRuns: 150 },
    );
  });
}

Deno.test("a frame's bytes are the bytes that were encoded", () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 6 }), (sent) => {
      const bytes = join(...sent.map((frame) => encodeFrame(frame)));
      const { frames } = new FrameDecoder().decode(bytes);
      assertEquals(join(...frames.map((frame) => frame.bytes)), bytes);
    }),
  );
});

Deno.test("content in parts adds up to the content", () => {
  fc.assert(
    fc.property(
      fc.array(anyFrame, { maxLength: 6 }),
      anySizes,
      fc.nat(300),
      (sent, sizes, above) => {
        const bytes = join(...sent.map((frame) => encodeFrame(frame)));
        const whole = sent.map((frame) => Array.from(contentOf(frame)));
        for (const decode of [decodeLikeASocket, decodeChunks]) {
          const { frames, errors } = decode(cut(bytes, sizes), { streamAbove: above });
          assertEquals(errors, []);
          const joined: number[][] = [];
          let due = 0;
          for (const { header, content } of frames) {
            if (due === 0) {
              joined.push([]);
              due = header["content-length"];
            }
            joined.at(-1)!.push(...content);
            due -= content.length;
          }
          assertEquals(
            joined.filter((content) => content.length > 0),
            whole.filter((c) => c.length > 0),
          );
        }
      },
    ),
    { numRuns: 150 },
  );
});

/** Bytes that mean something to a decoder, more often than chance would have it. */
const anyBytes = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 30 }).map((bytes) => bytes.slice()),
    fc.constantFrom("\0\0", "\0\x02{}", "\0\x05", "\0\x04null", "\0\x01", "\u{1f436}").map(bytesOf),
    fc.tuple(fc.constantFrom("0", "1", "7", "1e1", "9007199254740991", "x"), fc.nat(8))
      .map(([length, sent]) => rawFrame(headerText(length), "x".repeat(sent))),
  ),
  { maxLength: 8 },
).map((pieces) => join(...pieces));

async function assertSameOutcomes(bytes: Uint8Array, sizes: readonly number[]): Promise<void> {
  const options = { maxContentBytes: 100_000, maxHeaderBytes: 1_000 };
  const outcomes = [];
  for (const way of WAYS_IN) outcomes.push(await way.decode(cut(bytes, sizes), options));
  for (const way of DIRECT_WAYS_IN) outcomes.push(await way.decode([bytes], options));
  const summary = ({ frames, errors }: Outcome) => [
    frames.map(({ header, content }) => [JSON.stringify(header), content.join()]),
    errors.map((error) => [error.code, error.part, error.received, error.expected, error.message]),
  ];
  for (const { errors } of outcomes) {
    for (const error of errors) assertInstanceOf(error, FrameError);
  }
  for (const outcome of outcomes) assertEquals(summary(outcome), summary(outcomes[0]!));
}

Deno.test("any bytes give frames or a FrameError, the same ones by every way in", async () => {
  await fc.assert(fc.asyncProperty(anyBytes, anySizes, assertSameOutcomes), { numRuns: 250 });
});

Deno.test("valid frames with changed bytes give frames or a FrameError, the same ones by every way in", async () => {
  const anyChange = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1, 2));
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyFrame, { minLength: 1, maxLength: 4 }),
      fc.array(anyChange, { minLength: 1, maxLength: 3 }),
      anySizes,
      async (sent, changes, sizes) => {
        let bytes = join(...sent.map((frame) => encodeFrame(frame)));
        for (const [where, value, remove] of changes) {
          const at = where % (bytes.length + 1);
          const inserted = remove === 2 ? [] : [value];
          bytes = join(
            bytes.subarray(0, at),
            Uint8Array.from(inserted),
            bytes.subarray(at + remove),
          );
        }
        await assertSameOutcomes(bytes, sizes);
      },
    ),
    { numRuns: 250 },
  );
});

Deno.test("decoders with one cache between them agree with a decoder that has none before", () => {
  const headerCache = new HeaderCache(4);
  fc.assert(
    fc.property(anyBytes, anySizes, (bytes, sizes) => {
      const shared = decodeLikeASocket(cut(bytes, sizes), { headerCache });
      const alone = decodeLikeASocket([bytes]);
      assertSameJson(
        shared.frames.map((frame) => frame.header),
        alone.frames.map((frame) => frame.header),
      );
      assertEquals(
        shared.errors.map((error) => error.message),
        alone.errors.map((error) => error.message),
      );
    }),
    { numRuns: 200 },
  );
});

Deno.test("the first frame of any bytes is what the protocol says", () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      if (bytes.length < 2) return;
      const headerEnd = 2 + (bytes[0]! << 8) + bytes[1]!;
      if (bytes.length < headerEnd) return;
      const { frames, error } = new FrameDecoder().decode(bytes);
      const verdict = judge(bytes.subarray(2, headerEnd), 16_777_216);
      if (verdict.code !== undefined) assertEquals(error?.code, verdict.code);
      else if (bytes.length < headerEnd + verdict.length) assertEquals(frames.length, 0);
      else assert(frames.length > 0);
    }),
    { numRuns: 300 },
  );
});

Deno.test("frames that repeat a header come out as they would one by one", () => {
  const some = fc.tuple(anyFrame, fc.integer({ min: 1, max: 14 }));
  // Bytes that are changed afterwards, most of them in headers.
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 2 });
  fc.assert(
    fc.property(fc.array(some, { minLength: 1, maxLength: 3 }), changes, (runs, changes) => {
      const buffer = new ByteBuffer();
      for (const [frame, times] of runs) {
        for (let i = 0; i < times; i++) writeFrame(buffer, frame);
      }
      const bytes = buffer.view();
      for (const [place, byte] of changes) bytes[place % bytes.length] = byte;
      const together = new FrameDecoder().decode(bytes);
      const one = new FrameDecoder();
      let frames = 0;
      let consumed = 0;
      let error: FrameError | undefined;
      for (let end = 1; end <= bytes.length && error === undefined; end++) {
        const batch = one.decode(bytes, consumed, end);
        for (const frame of batch.frames) {
          const other = together.frames[frames++]!;
          assertEquals({ ...other.header }, { ...frame.header });
          const { start, contentStart } = other;
          assertEquals([start, contentStart, other.end], [
            frame.start,
            frame.contentStart,
            frame.end,
          ]);
        }
        consumed += batch.consumed;
        error = batch.error;
      }
      assertEquals(together.frames.length, frames);
      assertEquals(together.error?.code, error?.code);
      assertEquals(together.consumed, consumed);
    }),
    { numRuns: 40 },
  );
});
