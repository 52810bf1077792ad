import { assert, assertEquals } from "@std/assert";
import { ByteBuffer } from "../../lib/frame/mod.ts";
import { bytesOf } from "../frame/raw_frames.ts";

Deno.test("append() keeps what came before", () => {
  for (const capacity of [0, 1, 3, 4_096]) {
    const buffer = new ByteBuffer(capacity);
    let expected = "";
    for (let i = 0; i < 200; i++) {
      buffer.append(bytesOf(`${i},`));
      expected += `${i},`;
    }
    buffer.append(new Uint8Array(0));
    assertEquals(buffer.length, expected.length);
    assertEquals(buffer.view(), bytesOf(expected));
  }
});

Deno.test("append() takes a view of the buffer itself", () => {
  const buffer = new ByteBuffer(2);
  buffer.append(bytesOf("ab"));
  for (let i = 0; i < 5; i++) buffer.append(buffer.view());
  assertEquals(buffer.view(), bytesOf("ab".repeat(32)));
});

Deno.test("reserve() makes room and changes nothing else", () => {
  const buffer = new ByteBuffer(4);
  buffer.append(bytesOf("abc"));
  buffer.reserve(100_000);
  assert(buffer.bytes.length >= 100_003);
  assertEquals(buffer.length, 3);
  assertEquals(buffer.view(), bytesOf("abc"));
  const { bytes } = buffer;
  buffer.reserve(100_000);
  assertEquals(buffer.bytes, bytes);
});

Deno.test("clear() forgets the bytes and keeps the memory", () => {
  const buffer = new ByteBuffer(4);
  buffer.append(new Uint8Array(1_000));
  const { bytes } = buffer;
  buffer.clear();
  assertEquals(buffer.length, 0);
  assertEquals(buffer.view().length, 0);
  buffer.append(bytesOf("x"));
  assert(buffer.bytes === bytes);
});
