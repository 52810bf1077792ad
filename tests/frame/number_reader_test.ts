import { assertEquals, assertThrows } from "@std/assert";
import { encodeFrame, FrameDecoder, NumberReader, type NumberType } from "../../lib/frame/mod.ts";
import { join } from "./raw_frames.ts";
import { NUMBER_SIZES } from "./number_types.ts";

Deno.test("reader() reads numbers of mixed types in the sender's byte order", () => {
  for (const byteorder of ["little", "big"] as const) {
    const content = new Uint8Array(42);
    const view = new DataView(content.buffer);
    const little = byteorder === "little";
    view.setInt8(0, -5);
    view.setUint8(1, 250);
    view.setInt16(2, -300, little);
    view.setUint16(4, 65_000, little);
    view.setInt32(6, -70_000, little);
    view.setUint32(10, 4_000_000_000, little);
    view.setBigInt64(14, -5n, little);
    view.setBigUint64(22, 2n ** 63n + 1n, little);
    view.setFloat32(30, 0.5, little);
    view.setFloat64(34, Math.PI, little);
    const bytes = encodeFrame({ header: { byteorder }, content });
    const reader = new FrameDecoder().decode(bytes).frames[0]!.reader();
    assertEquals(reader.littleEndian, little);
    assertEquals(
      [reader.int8(), reader.uint8(), reader.int16(), reader.uint16(), reader.int32()],
      [-5, 250, -300, 65_000, -70_000],
    );
    assertEquals(reader.uint32(), 4_000_000_000);
    assertEquals([reader.bigint64(), reader.biguint64()], [-5n, 2n ** 63n + 1n]);
    assertEquals([reader.float32(), reader.float64()], [0.5, Math.PI]);
    assertEquals([reader.offset, reader.remaining], [42, 0]);
  }
});

Deno.test("a NumberReader does not read past the content, nor move where it cannot", () => {
  const content = join(new Uint8Array(3), new Uint8Array(7), new Uint8Array(90)).subarray(3, 10);
  for (const [type, size] of Object.entries(NUMBER_SIZES)) {
    const reader = new NumberReader(content, true);
    reader.offset = 7 - size + 1;
    if (size > 7) reader.offset = 0;
    const offset = reader.offset;
    assertThrows(() => reader[type as NumberType](), RangeError);
    assertEquals([reader.offset, reader.remaining], [offset, 7 - offset]);
  }
});

Deno.test("the offset of a NumberReader may be set", () => {
  const reader = new NumberReader(Uint8Array.of(1, 2, 3, 4), false);
  reader.offset = 2;
  assertEquals(reader.uint16(), 0x0304);
  reader.offset = 1;
  assertEquals([reader.uint16(), reader.remaining], [0x0203, 1]);
  for (const offset of [-1, 5]) {
    reader.offset = offset;
    assertThrows(() => reader.uint8(), RangeError);
  }
});
