/**
 * Random headers and frames for property tests.
 *
 * @module
 */
import fc from "fast-check";
import type { OutgoingFrame } from "../../lib/frame/mod.ts";
import { anyCharacter } from "../support/any_character.ts";

/** Names that have a meaning to JavaScript objects, or look like one of the four fields. */
const ODD_NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "toJSON",
  "",
  "0",
  "17",
  "4294967295",
  "-1",
  "length",
  "id",
  "op",
  "topic",
  "content-length ",
  "Content-Length",
  "content_length",
  "\u0000",
  "\ufeff",
  "é",
  "🐶",
];

/** Any string of UTF-16 units, so also with lone surrogates. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: anyCharacter, maxLength: 8 }),
  fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { maxLength: 4 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom('"', "\\", "\\u0022", "\n\t\u0000\u007f", "\u2028", "},{", '":', "e\u0301"),
);

const FOUR_FIELDS = ["byteorder", "content-type", "content-encoding", "content-length"];

/**
 * Any name of a field other than the four. Not a lone backslash: V8 15.0 takes any name of one
 * escaped character for it once an object with such a name was parsed, so `JSON.parse` is no oracle.
 */
export const anyName: fc.Arbitrary<string> = fc.oneof(fc.constantFrom(...ODD_NAMES), anyText)
  .filter((name) => !FOUR_FIELDS.includes(name) && name !== "\\");

/** Any value of JSON, with the same odd names inside. */
export const anyValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, true, false, 0, -0, 1e21, 5e-324, 0.1, 2 ** 53, -1),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    anyText,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(fc.tuple(anyName, tie("value")), { maxLength: 3 }).map(Object.fromEntries),
  ),
})).value;

/** Extra fields, as own fields whatever their names. */
export const anyFields: fc.Arbitrary<Record<string, unknown>> = fc
  .array(fc.tuple(anyName, anyValue), { maxLength: 4 })
  .map(Object.fromEntries);

/** Any content: none, text, bytes, or bytes around a power of two. */
export const anyContent: fc.Arbitrary<Uint8Array | string | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.uint8Array({ maxLength: 120 }).map((bytes) => bytes.slice()),
  fc.integer({ min: 250, max: 1030 }).map((size) => new Uint8Array(size).fill(size & 0xff)),
);

/** A frame for the encoder. */
export const anyFrame: fc.Arbitrary<OutgoingFrame> = fc.record({
  header: fc.tuple(
    fc.record({
      byteorder: fc.constantFrom<("little" | "big")[]>("little", "big"),
      "content-type": anyText,
      "content-encoding": fc.constantFrom("utf-8", "utf8"),
    }, { requiredKeys: [] }),
    anyFields,
  ).map(([known, extra]) =>
    Object.fromEntries([...Object.entries(extra), ...Object.entries(known)])
  ),
  content: anyContent,
});

/** The sizes of the pieces that a stream comes in. */
export const anySizes: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.constantFrom([1], [2], [1, 0, 3], [100_000]),
  fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 12 }),
);

/** How a header is written down. */
export interface HeaderStyle {
  /** White space, used in turn wherever JSON allows it. */
  readonly spaces: readonly string[];
  /** Which characters are escaped. */
  readonly escape: "needed" | "ascii" | "all" | "upper";
  /** Moves the fields round. */
  readonly turn: number;
}

/** Any style that JSON allows: compact, as Python's `json.dumps`, or strange. */
export const anyStyle: fc.Arbitrary<HeaderStyle> = fc.record({
  spaces: fc.oneof(
    fc.constantFrom([""], ["", "", " "], [" "], ["\n", "\t", "\r\n", ""]),
    fc.array(fc.constantFrom("", " ", "\t", "\n", "\r", "  "), { minLength: 1, maxLength: 7 }),
  ),
  escape: fc.constantFrom("needed", "ascii", "all", "upper"),
  turn: fc.nat({ max: 6 }),
});

/** Writes a JSON object with fields, of which names may be given twice and values be any text. */
export function renderHeader(
  fields: readonly (readonly [name: string, valueText: string])[],
  style: HeaderStyle,
): string {
  let turn = 0;
  const space = () => style.spaces[turn++ % style.spaces.length];
  const at = fields.length === 0 ? 0 : style.turn % fields.length;
  const turned = [...fields.slice(at), ...fields.slice(0, at)];
  const body = turned.map(([name, value]) =>
    `${space()}${renderText(name, style)}${space()}:${space()}${value}${space()}`
  );
  return `${space()}{${body.length === 0 ? space() : body.join(",")}}${space()}`;
}

/** Writes a JSON string. */
export function renderText(text: string, { escape }: HeaderStyle): string {
  if (escape === "needed") return JSON.stringify(text);
  const hex = (unit: number) => "\\u" + unit.toString(16).padStart(4, "0");
  let rendered = "";
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (escape === "all") rendered += hex(unit);
    else if (escape === "upper") rendered += hex(unit).toUpperCase().replace("U", "u");
    else rendered += unit > 0x7e ? hex(unit) : JSON.stringify(text[i]).slice(1, -1);
  }
  return `"${rendered}"`;
}
