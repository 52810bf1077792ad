import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ByteBuffer, encodeFrame, encodeHead, writeFrame } from "../../lib/frame/mod.ts";

const content = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 200 }),
  fc.string({ unit: "binary-ascii", maxLength: 200 }),
  fc.uint8Array({ maxLength: 300 }),
);

const fields = fc.record({
  op: fc.constantFrom("pub", "é", 'a"b'),
  id: fc.integer(),
  flag: fc.boolean(),
  "content-type": fc.constantFrom("text/plain", "x/y"),
}, { requiredKeys: [] });

Deno.test("an encoded head writes the frames that encodeFrame() makes, whatever their sizes", () => {
  fc.assert(
    fc.property(fields, fc.array(content, { maxLength: 8 }), (header, contents) => {
      const buffer = new ByteBuffer(1);
      const heads = [encodeHead(header, false), encodeHead(header, true)] as const;
      const expected: number[] = [];
      for (const one of contents) {
        const frame = encodeFrame({ header: { ...header, last: undefined }, content: one });
        const size = typeof one === "string"
          ? heads[1].writeText(buffer, one)
          : heads[0].writeBytes(buffer, one);
        assertEquals(size, frame.length);
        expected.push(...frame);
        const more = encodeFrame({ header: { ...header, n: 12, t: "x" }, content: one });
        heads[typeof one === "string" ? 1 : 0].writeWith(buffer, one, ',"n":12,"t":"x"');
        expected.push(...more);
      }
      assertEquals([...buffer.view()], expected);
    }),
    { numRuns: 200 },
  );
});

Deno.test("frames whose headers come again are those that others are", () => {
  // Few headers, so that some come again: equal ones, and ones that differ in one field.
  const few = fc.constantFrom<() => Record<string, unknown>>(
    () => ({}),
    () => ({ a: 1, b: "x" }),
    () => ({ b: "x", a: 1 }),
    () => ({ a: 1, b: "x", c: undefined }),
    () => ({ a: 1 }),
    () => ({ a: "1" }),
    () => ({ a: null }),
    () => ({ a: [1] }),
    () => Object.create({ a: 1 }),
    () => ({ "content-type": "x/y" }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(few, content), { maxLength: 60 }), (frames) => {
      const buffer = new ByteBuffer();
      for (const [header, one] of frames) {
        const start = buffer.length;
        writeFrame(buffer, { header: header(), content: one });
        // A field that JSON does not have is left out, and keeps a header from being known.
        const other = encodeFrame({ header: { ...header(), list: [0] }, content: one });
        const text = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes.subarray(2));
        assertEquals(text(buffer.view().subarray(start)), text(other).replace(/,"list":\[0\]/, ""));
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("an object in a header may change: its head is not remembered", () => {
  const list = [1];
  const sizes = [1, 2, 3].map(() => {
    const { length } = encodeFrame({ header: { list } });
    list.push(1);
    return length;
  });
  assertEquals(sizes.map((size) => size - sizes[0]!), [0, 2, 4]);
});

Deno.test("a head that is too large, or has what belongs to one frame, is refused", () => {
  const large = { text: "x".repeat(65_400) };
  const head = encodeHead(large, true);
  const buffer = new ByteBuffer();
  assertThrows(() => head.writeWith(buffer, "", `,"more":"${"y".repeat(200)}"`), RangeError);
  assertThrows(() => encodeHead({ text: "x".repeat(65_530) }, true), RangeError);
  assertEquals(buffer.length, 0);
  assertThrows(() => encodeHead({ "content-length": 3 }, true), TypeError, "each frame");
  assertThrows(() => encodeHead({ "content-encoding": "latin-1" }, true), TypeError, "latin-1");
});
