import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  ByteBuffer,
  encodeFrame,
  HOST_BYTE_ORDER,
  jsonFrame,
  MAX_HEADER_BYTES,
  type OutgoingFrame,
  writeFrame,
} from "../../lib/frame/mod.ts";
import { bytesOf, join } from "./raw_frames.ts";

/** Takes a frame apart without the decoder. */
function takeApart(bytes: Uint8Array): { header: string; content: Uint8Array } {
  const headerEnd = 2 + (bytes[0]! << 8) + bytes[1]!;
  return {
    header: new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(2, headerEnd)),
    content: bytes.slice(headerEnd),
  };
}

Deno.test("encodeFrame() writes the length, compact JSON and the content", () => {
  const { header, content } = takeApart(encodeFrame({
    header: { byteorder: "big", "content-type": "text/json", "content-encoding": "utf-8" },
    content: '{"é":1}',
  }));
  assertEquals(
    header,
    '{"byteorder":"big","content-type":"text/json","content-encoding":"utf-8","content-length":8}',
  );
  assertEquals(content, bytesOf('{"é":1}'));
});

Deno.test("encodeFrame() has a default for every field", () => {
  const order = `{"byteorder":"${HOST_BYTE_ORDER}",`;
  const bytes =
    '"content-type":"application/octet-stream","content-encoding":"binary","content-length":';
  const text = '"content-type":"text/plain","content-encoding":"utf-8","content-length":';
  assertEquals(takeApart(encodeFrame({})).header, `${order}${bytes}0}`);
  assertEquals(takeApart(encodeFrame({ content: new Uint8Array(3) })).header, `${order}${bytes}3}`);
  assertEquals(takeApart(encodeFrame({ content: "" })).header, `${order}${text}0}`);
  assertEquals(
    takeApart(encodeFrame({ header: { "content-type": undefined, id: undefined }, content: "a" }))
      .header,
    `${order}${text}1}`,
  );
});

Deno.test("encodeFrame() puts the four fields first, whatever the order and names of the others", () => {
  const { header } = takeApart(encodeFrame({
    header: {
      "7": "looks like an index",
      zeta: 1,
      "content-encoding": "binary",
      alpha: [null, { x: "é" }],
      "content-length": 2,
      byteorder: "little",
      "content-type": "a/b",
    },
    content: new Uint8Array(2),
  }));
  assert(
    header.startsWith(
      '{"byteorder":"little","content-type":"a/b","content-encoding":"binary","content-length":2,',
    ),
    header,
  );
  assertEquals(JSON.parse(header), {
    byteorder: "little",
    "content-type": "a/b",
    "content-encoding": "binary",
    "content-length": 2,
    "7": "looks like an index",
    zeta: 1,
    alpha: [null, { x: "é" }],
  });
});

Deno.test("encodeFrame() gets the size of text right around every number of digits", () => {
  for (const letter of ["a", "é", "€", "🐶", "a€"]) {
    const size = bytesOf(letter).length;
    for (const target of [0, 1, 9, 10, 99, 100, 333, 999, 1_000, 9_999, 10_000, 65_536, 100_000]) {
      for (const count of [Math.floor(target / size), Math.floor(target / size) + 1]) {
        for (const pad of ["", "b"]) {
          const text = letter.repeat(count) + pad;
          const { header, content } = takeApart(encodeFrame({ content: text }));
          assertEquals(content.length, count * size + pad.length);
          assert(header.endsWith(`"content-length":${content.length}}`), header);
          assertEquals(new TextDecoder().decode(content), text);
        }
      }
    }
  }
});

Deno.test("encodeFrame() gives bytes of their own", () => {
  const [a, b] = [encodeFrame({ content: "a" }), encodeFrame({ content: "b" })];
  assert(a.buffer !== b.buffer);
  assertEquals(takeApart(a).content, bytesOf("a"));
});

Deno.test("writeFrame() appends frames to a buffer", () => {
  const frames: OutgoingFrame[] = [
    { content: "first" },
    {},
    { content: new Uint8Array(70_000).fill(7), header: { id: 1 } },
    { content: "é".repeat(5_000) },
    { header: { "content-type": "x" } },
  ];
  for (const capacity of [undefined, 1, 64, 1_000_000]) {
    const buffer = capacity === undefined ? new ByteBuffer() : new ByteBuffer(capacity);
    buffer.append(bytesOf("before"));
    const sizes = frames.map((frame) => writeFrame(buffer, frame));
    const expected = frames.map((frame) => encodeFrame(frame));
    assertEquals(sizes, expected.map((bytes) => bytes.length));
    assertEquals(buffer.view(), join(bytesOf("before"), ...expected));
  }
});

Deno.test("writeFrame() writes text whole, wherever in the frame the buffer has to grow", () => {
  for (const content of ["a".repeat(10), "é".repeat(10), "€".repeat(4), "🐶".repeat(30)]) {
    const plain = takeApart(encodeFrame({ content: bytesOf(content) })).content;
    for (let capacity = 0; capacity < 400; capacity++) {
      const buffer = new ByteBuffer(capacity);
      writeFrame(buffer, { content });
      assertEquals(takeApart(buffer.view()).content, plain, `capacity ${capacity}`);
    }
  }
});

Deno.test("writeFrame() takes a header of 65,535 bytes and refuses one more", () => {
  const spare = MAX_HEADER_BYTES - takeApart(encodeFrame({ header: { pad: "" } })).header.length;
  for (const pad of ["p".repeat(spare), "é".repeat(spare >> 1) + "p".repeat(spare & 1)]) {
    const bytes = encodeFrame({ header: { pad } });
    assertEquals([bytes[0], bytes[1], bytes.length], [0xff, 0xff, 2 + MAX_HEADER_BYTES]);
    assertThrows(() => encodeFrame({ header: { pad: pad + "p" } }), RangeError, "65535");
    assertThrows(() => encodeFrame({ header: { pad }, content: new Uint8Array(10) }), RangeError);
  }
  assertThrows(() => encodeFrame({ header: { pad: "\0".repeat(20_000) } }), RangeError);
  assertThrows(() => encodeFrame({ header: { pad: "p".repeat(5_000_000) } }), RangeError);
});

const loop: unknown[] = [];
loop.push(loop);
const WRONG: [why: string, frame: OutgoingFrame, error: typeof RangeError | typeof TypeError][] = [
  ["content-length is too small", { header: { "content-length": 2 }, content: "abc" }, RangeError],
  ["content-length is too large", { header: { "content-length": 4 }, content: "abc" }, RangeError],
  [
    "content-length counts characters",
    { header: { "content-length": 1 }, content: "é" },
    RangeError,
  ],
  ["the header is too large", { header: { pad: "p".repeat(65_535) }, content: "abc" }, RangeError],
  ["a field is a bigint", { header: { id: 1n }, content: "abc" }, TypeError],
  ["a field is a function", { header: { id: () => 1 } }, TypeError],
  ["a field is a symbol", { header: { id: Symbol() } }, TypeError],
  ["a field holds itself", { header: { loop } }, TypeError],
  ["byteorder is unknown", { header: { byteorder: "middle" as "big" } }, TypeError],
  ["content-type is a number", { header: { "content-type": 1 as unknown as string } }, TypeError],
  [
    "content-encoding is null",
    { header: { "content-encoding": null as unknown as string } },
    TypeError,
  ],
  ["text is to be latin-1", { header: { "content-encoding": "latin-1" }, content: "é" }, TypeError],
];

for (const [why, frame, error] of WRONG) {
  Deno.test(`writeFrame() refuses a frame, and leaves the buffer as it was, where ${why}`, () => {
    for (const capacity of [1, 4_096]) {
      const buffer = new ByteBuffer(capacity);
      const size = writeFrame(buffer, { content: "before" });
      const before = buffer.view().slice();
      assertThrows(() => writeFrame(buffer, frame), error);
      assertEquals(buffer.length, size);
      assertEquals(buffer.view(), before);
      writeFrame(buffer, { content: "after" });
      assertEquals(buffer.view(), join(before, encodeFrame({ content: "after" })));
    }
  });
}

Deno.test("writeFrame() takes a content-length that is right", () => {
  const given = encodeFrame({ header: { "content-length": 2 }, content: "é" });
  assertEquals(given, encodeFrame({ content: "é" }));
});

Deno.test("encodeFrame() takes content that is a view of a larger buffer", () => {
  const content = bytesOf("..inside..").subarray(2, 8);
  assertEquals(takeApart(encodeFrame({ content })).content, bytesOf("inside"));
});

Deno.test("jsonFrame() makes a frame of JSON", () => {
  const { header, content } = takeApart(encodeFrame(jsonFrame({ a: ["é", null] }, { id: 3 })));
  assertEquals(JSON.parse(header), {
    byteorder: HOST_BYTE_ORDER,
    "content-type": "text/json",
    "content-encoding": "utf-8",
    "content-length": 17,
    id: 3,
  });
  assertEquals(content, bytesOf('{"a":["é",null]}'));
});

Deno.test("jsonFrame() refuses what is no JSON", () => {
  for (const value of [undefined, () => 1, Symbol(), 1n, loop]) {
    assertThrows(() => jsonFrame(value), TypeError);
  }
});
