import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  encodeFrame,
  FrameDecoder,
  HOST_BYTE_ORDER,
  NumberReader,
  type NumberType,
  NumberWriter,
} from "../../lib/frame/mod.ts";
import { NUMBER_SIZES, NUMBER_TYPES } from "./number_types.ts";

/** Every type: the numbers that it holds at most, or for those that are no whole numbers none. */
const RANGES: Record<NumberType, [least: number | bigint, most: number | bigint] | undefined> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-2_147_483_648, 2_147_483_647],
  uint32: [0, 4_294_967_295],
  bigint64: [-(2n ** 63n), 2n ** 63n - 1n],
  biguint64: [0n, 2n ** 64n - 1n],
  float32: undefined,
  float64: undefined,
};

type Entry = readonly [type: NumberType, value: number | bigint];

function anyOf(type: NumberType): fc.Arbitrary<Entry> {
  const range = RANGES[type];
  const value: fc.Arbitrary<number | bigint> = type === "float32"
    ? fc.float()
    : range === undefined
    ? fc.double()
    : typeof range[0] === "bigint"
    ? fc.bigInt({ min: range[0], max: range[1] as bigint })
    : fc.integer({ min: range[0], max: range[1] as number });
  const edges = fc.constantFrom(...(range ?? [-0, NaN, Infinity, -Infinity]));
  return fc.oneof(value, edges).map((value) => [type, value] as const);
}

const anyEntry = fc.oneof(...NUMBER_TYPES.map(anyOf));

/** Writes a number of a type that is known only here. */
function write(writer: NumberWriter, type: NumberType, value: unknown): NumberWriter {
  return (writer[type] as (value: unknown) => NumberWriter)(value);
}

Deno.test("a NumberReader reads what a NumberWriter wrote, in either order, memory of either kind", () => {
  fc.assert(
    fc.property(
      fc.array(anyEntry, { maxLength: 40 }),
      fc.boolean(),
      fc.option(fc.nat(9)),
      (entries, little, shift) => {
        const total = entries.reduce((sum, [type]) => sum + NUMBER_SIZES[type], 0);
        const memory = shift === null
          ? undefined
          : new Uint8Array(total + shift + 5).subarray(shift, shift + total);
        const writer = new NumberWriter(little, memory);
        for (const [type, value] of entries) assertEquals(write(writer, type, value), writer);
        assertEquals([writer.length, writer.offset, writer.bytes.length], [total, total, total]);
        if (memory) assertEquals(writer.bytes, memory);
        const header = { byteorder: writer.byteorder };
        const bytes = encodeFrame({ header, content: writer.bytes });
        const reader = new FrameDecoder().decode(bytes).frames[0]!.reader();
        for (const [type, value] of entries) {
          const read = reader[type]();
          assert(Object.is(read, value), `${type}: ${value} came as ${read}`);
        }
        assertEquals(reader.remaining, 0);
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("the methods write the bytes of the types", () => {
  const bytes = (little: boolean) => [
    ...new NumberWriter(little).int8(-2).uint16(1).int32(-2).biguint64(3n).float32(1).bytes,
  ];
  assertEquals(bytes(true), [
    ...[0xfe, 1, 0, 0xfe, 0xff, 0xff, 0xff, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3f],
  ]);
  assertEquals(bytes(false), [
    ...[0xfe, 0, 1, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0, 0, 0, 0, 3, 0x3f, 0x80, 0, 0],
  ]);
});

Deno.test("the byte order is this machine's where none is given", () => {
  for (const writer of [new NumberWriter(), new NumberWriter(undefined, undefined)]) {
    assertEquals(writer.byteorder, HOST_BYTE_ORDER);
    assertEquals(writer.uint16(258).bytes, new Uint8Array(Uint16Array.of(258).buffer));
  }
});

Deno.test("what a type does not hold is refused, and nothing is written", () => {
  for (const type of NUMBER_TYPES) {
    const range = RANGES[type];
    const isBig = type.startsWith("big");
    const zero = isBig ? 0n : 0;
    const refused: [value: unknown, error: typeof TypeError | typeof RangeError][] = [
      ["1", TypeError],
      [null, TypeError],
      [undefined, TypeError],
      [{}, TypeError],
      [isBig ? 0 : 0n, TypeError],
    ];
    if (range) {
      const [least, most] = range as [number, number];
      const one = (isBig ? 1n : 1) as number;
      refused.push([least - one, RangeError], [most + one, RangeError]);
      if (!isBig) refused.push([0.5, RangeError], [NaN, RangeError], [Infinity, RangeError]);
    }
    const writer = new NumberWriter(true);
    write(writer, type, zero);
    for (const [value, error] of refused) {
      assertThrows(() => write(writer, type, value), error, type);
      assertEquals([writer.length, writer.offset], [NUMBER_SIZES[type], NUMBER_SIZES[type]]);
    }
    assertEquals(writer.bytes, new Uint8Array(NUMBER_SIZES[type]));
  }
});

Deno.test("a float32 is rounded to what it holds", () => {
  const writer = new NumberWriter().float32(0.1).float32(1e300);
  const reader = new NumberReader(writer.bytes, writer.littleEndian);
  assertEquals([reader.float32(), reader.float32()], [Math.fround(0.1), Infinity]);
});

Deno.test("memory of a fixed size is not exceeded, and stays as it is where a number does not fit", () => {
  for (const type of NUMBER_TYPES) {
    const memory = new Uint8Array(new ArrayBuffer(30), 10, 7).fill(0xaa);
    const writer = new NumberWriter(true, memory);
    writer.offset = 7 - NUMBER_SIZES[type] + 1;
    if (NUMBER_SIZES[type] > 7) writer.offset = 0;
    const { offset } = writer;
    assertThrows(() => write(writer, type, type.startsWith("big") ? 1n : 1), RangeError, "7 bytes");
    assertEquals([writer.offset, writer.length], [offset, 0]);
    assertEquals(new Set(new Uint8Array(memory.buffer)), new Set([0, 0xaa]));
  }
});

Deno.test("the offset may be set: back, to write over, or ahead, which leaves zeros", () => {
  const writer = new NumberWriter(false).uint32(0).uint8(9);
  const end = writer.offset;
  writer.offset = 0;
  writer.uint32(end);
  assertEquals([...writer.bytes], [0, 0, 0, 5, 9]);
  assertEquals([writer.offset, writer.length], [4, 5]);
  writer.offset = 1_000;
  writer.uint8(1);
  assertEquals(writer.length, 1_001);
  assertEquals(writer.bytes.reduce((sum, byte) => sum + byte), 15);
  for (const offset of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
    writer.offset = offset;
    assertThrows(() => writer.uint8(1), RangeError);
    assertEquals(writer.length, 1_001);
  }
});

Deno.test("a writer that grows takes any number of numbers", () => {
  const writer = new NumberWriter(true);
  for (let i = 0; i < 100_000; i++) writer.uint32(i);
  const numbers = new Uint32Array(writer.bytes.slice().buffer);
  assert(numbers.every((number, i) => number === i));
});
