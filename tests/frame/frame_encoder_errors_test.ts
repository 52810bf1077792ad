import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  ByteBuffer,
  encodeFrame,
  encodeHead,
  FrameDecoder,
  type OutgoingFrame,
  writeFrame,
  writeFrameHead,
} from "../../lib/frame/mod.ts";
import { anyContent, anyFields, anyFrame, anyName } from "./generators.ts";
import { bytesOf, join } from "./raw_frames.ts";
import { rawFrame } from "../support/peers.ts";

/** What code of the application throws, in a getter or in `toJSON`. */
class Thrown extends Error {}

function fail(): never {
  throw new Thrown("thrown by the application");
}

const cycle: Record<string, unknown> = {};
cycle.self = cycle;
const detached = new Uint8Array(8);
detached.buffer.transfer();

/** Content that is none, and how the error names it. */
const WRONG_CONTENTS: readonly (readonly [content: unknown, named: string])[] = [
  [null, "null"],
  [5, "the number 5"],
  [NaN, "the number NaN"],
  [true, "the boolean true"],
  [5n, "a bigint"],
  [Symbol("s"), "a symbol"],
  [() => 1, "a function"],
  [{}, "an object:"],
  [Object.create(null), "an object:"],
  [{ a: 1 }, "an object:"],
  [{ length: 1e12 }, "an object:"],
  [[1, 2, 3], "an array"],
  [new String("a"), "String"],
  [new ArrayBuffer(4), "ArrayBuffer"],
  [new SharedArrayBuffer(4), "SharedArrayBuffer"],
  [new DataView(new ArrayBuffer(4)), "DataView"],
  [new Int8Array(4), "Int8Array"],
  [new Uint8ClampedArray(4), "Uint8ClampedArray"],
  [new Uint16Array(4), "Uint16Array"],
  [new Float64Array(4), "Float64Array"],
  [new BigInt64Array(4), "BigInt64Array"],
  [new Blob(["a"]), "Blob"],
  [Promise.resolve("a"), "Promise"],
  [new ReadableStream(), "ReadableStream"],
  [new Date(0), "Date"],
  [new Map(), "Map"],
  [Object.create(Uint8Array.prototype), "Uint8Array"],
  [new Proxy(new Uint8Array(4), {}), "Uint8Array"],
  [new Proxy({}, { get: fail, getPrototypeOf: fail, has: fail }), "an object:"],
  [detached, "memory was transferred"],
];

for (const [content, named] of WRONG_CONTENTS) {
  Deno.test(`content is refused by a TypeError that says: ${named}`, () => {
    const frame = { content } as OutgoingFrame;
    const buffer = new ByteBuffer(4);
    buffer.append(bytesOf("before"));
    assertThrows(() => writeFrame(buffer, frame), TypeError, named);
    assertThrows(() => encodeFrame(frame), TypeError, named);
    assertEquals(buffer.view(), bytesOf("before"));
  });
}

Deno.test("content may be an array of bytes of any subclass and any memory", () => {
  class Bytes extends Uint8Array {}
  const shared = new Uint8Array(new SharedArrayBuffer(3));
  const growing = new Uint8Array(new ArrayBuffer(3, { maxByteLength: 9 }));
  for (const content of [new Bytes(3), shared, growing, new Uint8Array(9).subarray(2, 5)]) {
    content.set([1, 2, 3]);
    assertEquals(encodeFrame({ content }), encodeFrame({ content: Uint8Array.of(1, 2, 3) }));
  }
});

/** Breaks a frame that was good, in a way that may show late. */
type Fault = (frame: OutgoingFrame) => OutgoingFrame;

function inHeader(field: string, value: unknown): Fault {
  return (frame) => ({ ...frame, header: { ...frame.header, [field]: value } });
}

const aFault: fc.Arbitrary<Fault> = fc.oneof(
  fc.constantFrom(...WRONG_CONTENTS).map(([content]): Fault => (frame) => ({
    ...frame,
    content: content as Uint8Array,
  })),
  fc.tuple(
    anyName.filter((name) => name !== "toJSON"),
    fc.constantFrom<unknown>(
      1n,
      () => 1,
      Symbol("s"),
      cycle,
      [cycle],
      { toJSON: fail },
      { deep: [{ toJSON: fail }] },
      Object.defineProperty({}, "x", { enumerable: true, get: fail }),
      new Proxy({}, { ownKeys: fail }),
      "p".repeat(65_536),
      "é".repeat(32_768),
      "\0".repeat(20_000),
      // The header is small enough for as many bytes as characters, and too large in UTF-8.
      "€".repeat(30_000),
    ),
  ).map(([name, value]) => inHeader(name, value)),
  fc.constantFrom<[string, unknown]>(
    ["byteorder", "middle"],
    ["byteorder", null],
    ["byteorder", 1n],
    ["byteorder", cycle],
    ["content-type", null],
    ["content-type", 5],
    ["content-type", "t".repeat(65_536)],
    ["content-encoding", Symbol("s")],
    ["content-encoding", []],
    ["content-length", "5"],
    ["content-length", null],
    ["content-length", NaN],
    ["content-length", -1],
    ["content-length", 2 ** 53],
    ["content-length", 1_000_003],
  ).map(([name, value]) => inHeader(name, value)),
  fc.constantFrom(
    "byteorder",
    "content-type",
    "content-encoding",
    "content-length",
    "id",
  ).map((name): Fault => (frame) => ({
    ...frame,
    header: Object.defineProperty({ ...frame.header }, name, { enumerable: true, get: fail }),
  })),
  fc.constantFrom<unknown>(null, 5, "text", [], () => 1).map((header): Fault => (frame) => ({
    ...frame,
    header: header as Record<string, unknown>,
  })),
  fc.constant<Fault>((frame) => ({
    ...frame,
    content: "text",
    header: { ...frame.header, "content-encoding": "latin-1" },
  })),
);

/** A buffer that holds something, of any capacity. */
const aBuffer: fc.Arbitrary<{ before: Uint8Array; make(): ByteBuffer }> = fc
  .tuple(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(0, 1, 64, 300, 500, 200_000))
  .map(([before, capacity]) => ({
    before,
    make() {
      const buffer = new ByteBuffer(capacity);
      buffer.append(before);
      return buffer;
    },
  }));

Deno.test("writeFrame() writes a frame whole, or throws and leaves the buffer as it was", () => {
  fc.assert(
    fc.property(aBuffer, anyFrame, fc.option(aFault), ({ before, make }, good, fault) => {
      const buffer = make();
      const frame = fault ? fault(good) : good;
      let error: unknown;
      try {
        writeFrame(buffer, frame);
      } catch (thrown) {
        error = thrown;
      }
      if (fault) {
        assert(
          error instanceof TypeError || error instanceof RangeError || error instanceof Thrown,
          String(error),
        );
        assertEquals(buffer.view(), before);
      } else {
        assertStrictEquals(error, undefined);
        assertEquals(buffer.view(), join(before, encodeFrame(frame)));
      }
      const length = buffer.length;
      writeFrame(buffer, { content: "after" });
      assertEquals(buffer.view().subarray(length), encodeFrame({ content: "after" }));
      assertEquals(buffer.view().subarray(0, before.length), before);
    }),
    { numRuns: 400 },
  );
});

Deno.test("writeFrameHead() writes the head that writeFrame() would, or nothing", () => {
  fc.assert(
    fc.property(
      aBuffer,
      anyFields,
      fc.integer({ min: 0, max: 300 }),
      fc.option(aFault),
      ({ before, make }, header, length, fault) => {
        const buffer = make();
        const content = new Uint8Array(length);
        const broken = fault?.({ header, content });
        // A fault of the content, or of text, is none of a head.
        if (broken && (broken.content !== content || broken.header === header)) return;
        if (broken) {
          assertThrows(() => writeFrameHead(buffer, broken.header, length));
          assertEquals(buffer.view(), before);
        } else {
          const size = writeFrameHead(buffer, header, length);
          assertEquals(buffer.length, before.length + size);
          assertEquals(
            join(buffer.view(), content),
            join(before, encodeFrame({ header, content })),
          );
        }
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("writeFrameHead() refuses a length that no content has", () => {
  const buffer = new ByteBuffer();
  for (const length of [-1, 0.5, NaN, Infinity, 2 ** 53, "4", null, undefined, 4n]) {
    assertThrows(() => writeFrameHead(buffer, {}, length as number), RangeError);
  }
  assertThrows(() => writeFrameHead(buffer, { "content-length": 4 }, 5), RangeError);
  assertEquals(buffer.length, 0);
  writeFrameHead(buffer, { "content-length": 2 ** 53 - 1 }, 2 ** 53 - 1);
  const { error } = new FrameDecoder().decode(buffer.view());
  assertEquals(error?.expected, 2 ** 53 - 1);
});

/** A buffer that has no memory beyond a size. */
class FullBuffer extends ByteBuffer {
  limit = Infinity;
  override reserve(count: number): void {
    if (this.length + count > this.limit) throw new RangeError("Array buffer allocation failed");
    super.reserve(count);
  }
}

Deno.test("writeFrame() leaves the buffer as it was wherever the memory ends", () => {
  fc.assert(
    fc.property(anyFields, anyContent, fc.integer({ min: 0, max: 2_000 }), (header, content, n) => {
      const buffer = new FullBuffer(1);
      buffer.append(bytesOf("before"));
      buffer.limit = n;
      try {
        writeFrame(buffer, { header, content });
      } catch (error) {
        assert(error instanceof RangeError);
        assertEquals(buffer.view(), bytesOf("before"));
        return;
      }
      assertEquals(buffer.view(), join(bytesOf("before"), encodeFrame({ header, content })));
    }),
    { numRuns: 200 },
  );
});

Deno.test("a toJSON that writes to the same buffer gets its frame before the one it is in", () => {
  for (const content of ["text", "é", Uint8Array.of(1, 2)]) {
    const buffer = new ByteBuffer(1);
    const id = {
      toJSON() {
        writeFrame(buffer, { content: "inner" });
        return 7;
      },
    };
    writeFrame(buffer, { header: { id }, content });
    const expected = join(
      encodeFrame({ content: "inner" }),
      encodeFrame({ header: { id: 7 }, content }),
    );
    assertEquals(buffer.view(), expected);
  }
});

Deno.test("content that a toJSON changes or transfers is never half of what was announced", () => {
  const content = new Uint8Array(5);
  const id = { toJSON: () => void content.buffer.transfer() };
  const buffer = new ByteBuffer();
  try {
    writeFrame(buffer, { header: { id }, content });
  } catch (error) {
    assert(error instanceof TypeError);
    assertEquals(buffer.length, 0);
    return;
  }
  const { frames, error } = new FrameDecoder().decode(buffer.view());
  assertEquals([frames.length, error], [1, undefined]);
});

/** A value that is so many arrays in each other. */
function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

/** A header, with a depth and members around the limits of a decoder. */
const anyComplexHeader = fc.record({
  depth: fc.oneof(fc.nat(3), fc.integer({ min: 28, max: 34 })),
  members: fc.oneof(fc.nat(20), fc.integer({ min: 985, max: 1_005 })),
  elements: fc.oneof(fc.nat(3), fc.integer({ min: 990, max: 1_002 })),
  objects: fc.oneof(fc.nat(3), fc.integer({ min: 490, max: 502 })),
  text: fc.constantFrom("", "[[[[{{{{,,,,", '","{', '\\"'),
}).map(({ depth, members, elements, objects, text }) => ({
  text,
  depth: nested(depth),
  elements: Array(elements).fill(0),
  objects: Array(objects).fill({}),
  ...Object.fromEntries(Array.from({ length: members }, (_, i) => [`m${i}`, i])),
}));

Deno.test("a header is encoded if and only if a decoder takes it", () => {
  fc.assert(fc.property(anyComplexHeader, fc.boolean(), (header, isText) => {
    const four = {
      byteorder: "little",
      "content-type": "t",
      "content-encoding": isText ? "utf-8" : "binary",
      "content-length": 1,
    };
    const raw = rawFrame(JSON.stringify({ ...four, ...header }), "x");
    const isTaken = new FrameDecoder().decode(raw).error === undefined;
    const buffer = new ByteBuffer();
    buffer.append(bytesOf("before"));
    const content = isText ? "x" : bytesOf("x");
    const fields = { byteorder: "little" as const, "content-type": "t", ...header };
    const ways = [
      () => writeFrame(buffer, { header: fields, content }),
      () => encodeFrame({ header: fields, content }),
      () => encodeHead(fields, isText),
      () => writeFrameHead(buffer, fields, 1),
    ];
    for (const way of ways) {
      buffer.length = 6;
      if (isTaken) way();
      else {
        assertThrows(way, RangeError, "Cannot encode a header");
        assertEquals(buffer.view(), bytesOf("before"));
      }
    }
  }));
});
