import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  encodeFrame,
  type Frame,
  FrameDecoder,
  HOST_BYTE_ORDER,
  type NumberType,
  readMessages,
} from "../../lib/frame/mod.ts";
import { headerText, rawFrame } from "./raw_frames.ts";
import { NUMBER_SIZES, NUMBER_TYPES } from "./number_types.ts";

/** Reads numbers by the platform's `DataView`. */
function expectedNumbers(
  type: NumberType,
  bytes: Uint8Array,
  littleEndian: boolean,
): (number | bigint)[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = {
    int8: (at: number) => view.getInt8(at),
    uint8: (at: number) => view.getUint8(at),
    int16: (at: number) => view.getInt16(at, littleEndian),
    uint16: (at: number) => view.getUint16(at, littleEndian),
    int32: (at: number) => view.getInt32(at, littleEndian),
    uint32: (at: number) => view.getUint32(at, littleEndian),
    bigint64: (at: number) => view.getBigInt64(at, littleEndian),
    biguint64: (at: number) => view.getBigUint64(at, littleEndian),
    float32: (at: number) => view.getFloat32(at, littleEndian),
    float64: (at: number) => view.getFloat64(at, littleEndian),
  }[type];
  return Array.from(
    { length: bytes.length / NUMBER_SIZES[type] },
    (_, i) => read(i * NUMBER_SIZES[type]),
  );
}

function frameOf(byteorder: "little" | "big", content: Uint8Array, extra = ""): Frame {
  const text = headerText(content.length, extra, "binary").replace("little", byteorder);
  return new FrameDecoder().decode(rawFrame(text, content)).frames[0]!;
}

const anyNumbers = fc.tuple(
  fc.constantFrom(...NUMBER_TYPES),
  fc.constantFrom<("little" | "big")[]>("little", "big"),
  fc.uint8Array({ maxLength: 80 }),
  fc.nat(8),
);

Deno.test("numbers() reads every type in the sender's byte order, wherever the content lies", () => {
  fc.assert(
    fc.property(anyNumbers, ([type, byteorder, bytes, shift]) => {
      const content = bytes.slice(0, bytes.length - bytes.length % NUMBER_SIZES[type]);
      const frame = frameOf(byteorder, content, `,"pad":"${"p".repeat(shift)}"`);
      assertEquals(frame.littleEndian, byteorder === "little");
      const numbers = frame.numbers(type);
      assertEquals([...numbers], expectedNumbers(type, content, byteorder === "little"));
      assertEquals(frame.content, content, "the content stays as it is");
    }),
    { numRuns: 500 },
  );
});

Deno.test("numbers() gives the typed array of the type", () => {
  const frame = frameOf("big", new Uint8Array(16));
  const names = NUMBER_TYPES.map((type) => frame.numbers(type).constructor.name.toLowerCase());
  assertEquals(names, NUMBER_TYPES.map((type) => `${type}array`));
});

Deno.test("numbers() gives a copy", () => {
  for (const byteorder of ["little", "big"] as const) {
    const bytes = rawFrame(
      headerText(4, "", "binary").replace("little", byteorder),
      Uint8Array.of(1, 2, 3, 4),
    );
    const frame = new FrameDecoder().decode(bytes).frames[0]!;
    const numbers = [frame.numbers("uint8"), frame.numbers("uint16")];
    bytes.fill(0);
    assertEquals([...numbers[0]!], [1, 2, 3, 4]);
    assertEquals([...numbers[1]!], byteorder === "big" ? [0x0102, 0x0304] : [0x0201, 0x0403]);
  }
});

Deno.test("numbers() refuses content that ends inside a number", () => {
  for (const type of NUMBER_TYPES) {
    if (NUMBER_SIZES[type] === 1) continue;
    for (const byteorder of ["little", "big"] as const) {
      assertThrows(
        () => frameOf(byteorder, new Uint8Array(NUMBER_SIZES[type] * 3 - 1)).numbers(type),
        RangeError,
      );
    }
  }
});

Deno.test("what this machine sends is read as it was, under the default byte order", () => {
  const numbers = Float64Array.of(1.5, -2, Infinity, 5e-324);
  const content = new Uint8Array(numbers.buffer);
  const frame = new FrameDecoder().decode(encodeFrame({ content })).frames[0]!;
  assertEquals(frame.header.byteorder, HOST_BYTE_ORDER);
  assertEquals(frame.numbers("float64"), numbers);
});

Deno.test("a message has the same numbers, also where they span chunks", async () => {
  const content = Uint8Array.of(0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe);
  const bytes = rawFrame(headerText(8).replace("little", "big"), content);
  for (let size = 1; size < 12; size++) {
    const chunks = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    const twice = ReadableStream.from([...chunks, ...chunks]);
    let turn = 0;
    for await (const message of readMessages(twice)) {
      assertEquals(message.littleEndian, false);
      if (turn++ === 0) assertEquals([...await message.numbers("int32")], [1, -2]);
      else assertEquals((await message.reader()).int32(), 1);
    }
    assertEquals(turn, 2);
  }
});
