import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import {
  ContentError,
  encodeFrame,
  type Frame,
  FrameDecoder,
  readMessages,
} from "../../lib/frame/mod.ts";

function frameOf(
  encoding: string,
  content: readonly number[] | Uint8Array,
  byteorder: "little" | "big" = "little",
): Frame {
  const header = { byteorder, "content-type": "text/plain", "content-encoding": encoding };
  const bytes = encodeFrame({ header, content: Uint8Array.from(content) });
  return new FrameDecoder().decode(bytes).frames[0]!;
}

/** UTF-16 of a text, with a byte order mark if asked for. */
function utf16(text: string, littleEndian: boolean, mark: boolean): Uint8Array {
  const units = (mark ? "\ufeff" : "") + text;
  const bytes = new Uint8Array(units.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < units.length; i++) view.setUint16(i * 2, units.charCodeAt(i), littleEndian);
  return bytes;
}

const TEXTS = [
  "",
  "plain",
  "é ü ß",
  "Follow the white rabbit. 🐰",
  "a".repeat(1_000),
  "\0\n\u2028",
];

Deno.test("text() decodes UTF-8 under each of its names", () => {
  for (const label of ["utf-8", "utf_8", "utf8", "UTF-8", "UTF_8", "Utf8"]) {
    for (const text of TEXTS) {
      assertEquals(frameOf(label, new TextEncoder().encode(text)).text(), text, label);
    }
  }
});

Deno.test("text() decodes Latin-1 under each of its names", () => {
  const labels = [
    "latin-1",
    "latin1",
    "latin_1",
    "iso-8859-1",
    "iso8859-1",
    "iso8859_1",
    "ISO_8859-1",
    "iso_8859_1",
  ];
  for (const label of labels) {
    assertEquals(
      frameOf(label, [0x63, 0x61, 0x66, 0xe9, 0xff, 0xa0]).text(),
      "café\u00ff\u00a0",
      label,
    );
  }
});

Deno.test("text() decodes ASCII and other labels of the platform's TextDecoder", () => {
  assertEquals(frameOf("ascii", [0x61, 0x62]).text(), "ab");
  assertEquals(frameOf("us-ascii", [0x61, 0x62]).text(), "ab");
  assertEquals(frameOf("windows-1252", [0x80]).text(), "€");
  assertEquals(frameOf("iso8859_15", [0xa4]).text(), "€");
  assertEquals(frameOf("koi8_r", [0xc1]).text(), "а");
  assertEquals(frameOf("shift_jis", [0x83, 0x65]).text(), "テ");
  assertEquals(frameOf("euc_jp", [0xa4, 0xa2]).text(), "あ");
});

Deno.test("text() decodes UTF-16 by its byte order mark, which is no part of the text", () => {
  for (const label of ["utf-16", "utf_16", "UTF-16"]) {
    for (const text of TEXTS) {
      for (const littleEndian of [true, false]) {
        for (const byteorder of ["little", "big"] as const) {
          assertEquals(frameOf(label, utf16(text, littleEndian, true), byteorder).text(), text);
        }
      }
    }
  }
});

Deno.test("text() decodes UTF-16 without a byte order mark from a little-endian sender", () => {
  for (const text of TEXTS) {
    assertEquals(frameOf("utf-16", utf16(text, true, false)).text(), text);
    assertEquals(frameOf("utf-16le", utf16(text, true, false), "big").text(), text);
    assertEquals(frameOf("utf_16le", utf16(text, true, false)).text(), text);
    assertEquals(frameOf("utf-16be", utf16(text, false, false)).text(), text);
    assertEquals(frameOf("utf-16-be", utf16(text, false, false)).text(), text);
    assertEquals(frameOf("utf_16_le", utf16(text, true, false), "big").text(), text);
    assertEquals(frameOf("utf_16be", utf16(text, false, false)).text(), text);
  }
});

Deno.test("text() refuses an encoding it does not know", () => {
  for (
    const label of [
      "",
      "utf-9",
      "utf-7",
      "rot13",
      "__proto__",
      "constructor",
      "binary?",
      "\0",
      "é".repeat(100),
    ]
  ) {
    const error = assertThrows(() => frameOf(label, [0x61]).text(), ContentError);
    assertInstanceOf(error, ContentError);
    assertEquals(error.code, "unknown-encoding", label);
  }
});

Deno.test("text() refuses bytes that are none of the encoding's text", () => {
  const cases: [label: string, content: number[]][] = [
    ["utf-8", [0xff]],
    ["utf-8", [0x61, 0xc3]],
    ["utf-8", [0xed, 0xa0, 0x80]],
    ["utf_8", [0xc0, 0xaf]],
    ["utf-16", [0x61]],
    ["utf-16", [0xff, 0xfe, 0x00, 0xd8]],
    ["utf-16", [0xfe, 0xff, 0xdc, 0x00]],
    ["utf-16", [0xfe, 0xff, 0x00]],
    ["shift_jis", [0x81]],
  ];
  for (const [label, content] of cases) {
    const error = assertThrows(() => frameOf(label, content).text(), ContentError);
    assertEquals(error instanceof ContentError && error.code, "bad-text", label);
  }
});

Deno.test("a bad text does no harm to the text after it", () => {
  for (const label of ["utf-8", "utf-16", "shift_jis"]) {
    assertThrows(() => frameOf(label, [0x81, 0xff, 0x81]).text(), ContentError);
  }
  assertEquals(frameOf("utf-8", [0x61]).text(), "a");
  assertEquals(frameOf("utf-16", [0x61, 0]).text(), "a");
  assertEquals(frameOf("shift_jis", [0x61]).text(), "a");
});

Deno.test("json() decodes JSON in any of the encodings", () => {
  const value = { value: "é" };
  const latin = [...'{"value":"é"}'].map((letter) => letter.charCodeAt(0));
  assertEquals(frameOf("latin-1", latin).json(), value);
  assertEquals(frameOf("utf-16", utf16('{"value":"é"}', false, true)).json(), value);
  assertEquals(frameOf("utf-8", new TextEncoder().encode(' {"value":"é"}\n')).json(), value);
  assertEquals(frameOf("utf-8", [0x31]).json(), 1);
});

Deno.test("text() and json() of bytes say that they are bytes, not that an encoding is unknown", () => {
  for (const read of [() => frameOf("binary", [1]).text(), () => frameOf("Binary", [1]).json()]) {
    assertThrows(read, ContentError, "The content is bytes, not text");
  }
});

Deno.test("json() refuses what is no JSON", () => {
  for (const text of ["", "{", "{} x", "undefined", "{'a':1}"]) {
    const error = assertThrows(
      () => frameOf("utf-8", new TextEncoder().encode(text)).json(),
      ContentError,
    );
    assertEquals(error instanceof ContentError && error.code, "bad-json");
    assertInstanceOf((error as Error).cause, SyntaxError);
  }
  for (const [label, code] of [["nope", "unknown-encoding"], ["utf-8", "bad-text"]]) {
    const error = assertThrows(() => frameOf(label!, [0xff]).json(), ContentError);
    assertEquals((error as ContentError).code, code);
  }
});

Deno.test("json() makes __proto__ a field", () => {
  const text = '{"__proto__":{"polluted":true}}';
  const value = frameOf("utf-8", new TextEncoder().encode(text)).json() as Record<string, unknown>;
  assertEquals(Object.keys(value), ["__proto__"]);
  assertEquals(({} as Record<string, unknown>)["polluted"], undefined);
});

Deno.test("a message's text and json fail as a frame's do, and the next message is unharmed", async () => {
  const wrong = (encoding: string, content: number[]) =>
    encodeFrame({ header: { "content-encoding": encoding }, content: Uint8Array.from(content) });
  const bytes = ReadableStream.from([
    wrong("nope", [0x61]),
    wrong("utf-8", [0xff]),
    wrong("utf-8", [0x7b]),
    wrong("utf-16", [0xfe, 0xff, 0, 0x61]),
  ]);
  const codes: string[] = [];
  for await (const message of readMessages(bytes)) {
    if (message.header["content-encoding"] === "utf-16") {
      assertEquals(await message.text(), "a");
    } else {
      codes.push((await assertRejects(() => message.json(), ContentError)).code);
    }
  }
  assertEquals(codes, ["unknown-encoding", "bad-text", "bad-json"]);
});
