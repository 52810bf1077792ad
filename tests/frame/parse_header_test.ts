import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { FrameDecoder, type FrameHeader } from "../../lib/frame/mod.ts";
import { assertSameJson, bytesOf, headerText, join, plainFrame, rawFrame } from "./raw_frames.ts";

function decodeOne(header: string | Uint8Array, content = "x"): FrameHeader {
  const { frames, error } = new FrameDecoder().decode(rawFrame(header, content));
  if (error) throw error;
  assertEquals(frames.length, 1);
  return frames[0]!.header;
}

function assertDeeplyFrozen(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  assert(Object.isFrozen(value), `${JSON.stringify(value)} is not frozen`);
  for (const name of Object.keys(value)) {
    assertDeeplyFrozen(Object.getOwnPropertyDescriptor(value, name)?.value);
  }
}

Deno.test("a header is frozen, and so is what it holds", () => {
  const header = decodeOne(headerText(1, ',"a":{"b":[{"c":{}},[]]},"__proto__":{"d":[]}'));
  assertDeeplyFrozen(header);
  assertThrows(() => Object.assign(header, { "content-length": 2 }), TypeError);
});

Deno.test("every kind of header is frozen", () => {
  const decoder = new FrameDecoder();
  const texts = [
    headerText(1),
    headerText(1),
    headerText(1, ',"id":1'),
    headerText(1, ',"id":2'),
    headerText(1, ',"id":3,"list":[1,{}]'),
    headerText(1, ',"id":4,"list":[1,{}]'),
    ` ${headerText(1)} `,
    headerText(1, ',"x":{"y":{"z":1}}'),
  ];
  const { frames } = decoder.decode(join(...texts.map((text) => rawFrame(text, "x"))));
  assertEquals(frames.length, texts.length);
  for (const frame of frames) assertDeeplyFrozen(frame.header);
});

Deno.test("__proto__ and constructor are fields like any other", () => {
  const text = headerText(
    1,
    ',"__proto__":{"polluted":true,"isAdmin":1},"constructor":{"prototype":{"polluted":true}},' +
      '"nested":{"__proto__":{"polluted":true}},"toString":1,"hasOwnProperty":2',
  );
  const header = decodeOne(text);
  assertSameJson(header, JSON.parse(text));
  assert(Object.hasOwn(header, "__proto__"));
  assertEquals(header["polluted"], undefined);
  assertEquals(header["isAdmin"], undefined);
  assertEquals((header["nested"] as Record<string, unknown>)["polluted"], undefined);
  assertEquals(({} as Record<string, unknown>)["polluted"], undefined);
  assertEquals(([] as unknown as Record<string, unknown>)["polluted"], undefined);
});

Deno.test("a field of the four that only __proto__ has is missing", () => {
  const four = headerText(1).slice(1, -1);
  for (const text of [`{"__proto__":{${four}}}`, `{"constructor":{${four}}}`]) {
    const { frames, error } = new FrameDecoder().decode(rawFrame(text, "x"));
    assertEquals([frames.length, error?.code], [0, "header-field"]);
  }
});

Deno.test("the error of a header field names the field", () => {
  const cases: [field: string, from: string, to: string][] = [
    ["byteorder", '"byteorder":"little",', ""],
    ["byteorder", '"little"', '"LITTLE"'],
    ["content-type", '"text/plain"', "{}"],
    ["content-encoding", '"utf-8"', "null"],
    ["content-length", ":1}", ":-1}"],
    ["content-length", ":1}", ':"1"}'],
    ["content-length", ":1}", ":1e400}"],
    ["content-length", ":1}", ":[1]}"],
  ];
  for (const [field, from, to] of cases) {
    const { error } = new FrameDecoder().decode(rawFrame(headerText(1).replace(from, to), "x"));
    assertEquals([error?.code, error?.field], ["header-field", field]);
    assert(error?.message.includes(field), error?.message);
    assertEquals(error?.recoverable, false);
  }
});

Deno.test("the error of a header that is no JSON keeps its cause", () => {
  const { error } = new FrameDecoder().decode(rawFrame("{byteorder: 1}"));
  assertEquals([error?.code, error?.name], ["header-syntax", "FrameError"]);
  assert(error?.cause instanceof SyntaxError);
});

Deno.test("a header that nests as deep as it can gives a frame or a FrameError", () => {
  const room = 65_535 - headerText(1, ',"deep":').length;
  const half = Math.floor(room / 2);
  const sixth = Math.floor(room / 6) - 1;
  for (
    const deep of [
      "[".repeat(half) + "]".repeat(half),
      '{"":'.repeat(sixth) + "1" + "}".repeat(sixth),
      "[".repeat(room - 1),
    ]
  ) {
    const decoder = new FrameDecoder();
    const { frames, error } = decoder.decode(rawFrame(headerText(1, `,"deep":${deep}`), "x"));
    assertEquals(frames.length + (error ? 1 : 0), 1);
    if (frames[0]) assert(Object.isFrozen(frames[0].header["deep"]));
  }
});

Deno.test("bytes that are not UTF-8 are refused wherever they stand", () => {
  const text = headerText(1, ',"extra":"??"');
  const at = text.indexOf("??");
  const malformed = [
    [0xc3, 0x28],
    [0xa0, 0xa1],
    [0xc0, 0xaf],
    [0xed, 0xa0],
    [0xf8, 0x88],
    [0xff, 0xfe],
  ];
  for (const pair of malformed) {
    const header = bytesOf(text);
    header.set(pair, at);
    const { frames, error } = new FrameDecoder().decode(rawFrame(header, "x"));
    assertEquals([frames.length, error?.code], [0, "header-syntax"]);
  }
});

Deno.test("headers equal byte for byte share one object", () => {
  for (const text of [headerText(1), headerText(1, ',"é":[1]'), `\t${headerText(1)} `]) {
    const decoder = new FrameDecoder();
    const frame = rawFrame(text, "x");
    const [first, second] = decoder.decode(join(frame, frame)).frames;
    assertStrictEquals(first?.header, second?.header);
    decoder.decode(plainFrame("other"));
    assertStrictEquals(decoder.decode(frame.slice()).frames[0]?.header, first?.header);
  }
});

Deno.test("the whole of content-length may be written as any number of JSON", () => {
  for (
    const [text, value] of [["1e2", 100], ["100.0", 100], ["1E+2", 100], ["1000e-1", 100], [
      "-0",
      -0,
    ]]
  ) {
    const length = Number(value);
    const header = decodeOne(headerText(text!), "x".repeat(length));
    assertSameJson(header["content-length"], value);
  }
});
