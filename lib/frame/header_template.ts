import { FRAME_FIELDS, type FrameHeader } from "./header.ts";
import { parseHeaderText } from "./parse_header.ts";

const QUOTE = 0x22, COMMA = 0x2c, COLON = 0x3a, SPACE = 0x20, BACKSLASH = 0x5c, CLOSE = 0x7d;
const DIGIT_0 = 0x30, DIGIT_9 = 0x39;
const LETTER_T = 0x74, LETTER_F = 0x66;

/** The most fields that are remembered, and the longest names and values. */
const MAX_FIELDS = 16;
const MAX_NAME_BYTES = 64;
const MAX_VALUE_BYTES = 64;

/** Texts of up to as many letters are joined letter by letter; longer ones would be trees of parts. */
const MAX_JOINED = 12;

/** Numbers with more digits may not be exact as a `number`, so `JSON.parse` reads them. */
const MAX_DIGITS = 15;

/** After each try to learn a template, this many headers are parsed before the next try. */
const PAUSE = 64;

const LENGTH_KEY = '"content-length":';
const ascii = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const TRUE = new TextEncoder().encode("true");
const FALSE = new TextEncoder().encode("false");

/** Shared by all templates that have learnt nothing, because an empty array takes 200 bytes. */
const NOTHING = new Uint8Array(0);

/** The name of an application's field, and the last text that it had as value. */
interface KnownField {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  value: string;
  readonly valueBytes: Uint8Array;
}

/**
 * Parses headers of one sender that differ only in the number of `content-length` and in the
 * application's fields behind it. The bytes up to that number are the same each time: comparing
 * them takes 50 ns, decoding and `JSON.parse` take 900. The fields behind it are read here if they
 * are flat and ASCII without escapes. Everything else is left to `JSON.parse`, which alone decides
 * that a header is broken.
 */
export class HeaderTemplate {
  #prefix: Uint8Array = NOTHING;
  #byteorder: FrameHeader["byteorder"] = "little";
  #type = "";
  #encoding = "";
  #fields: KnownField[] = [];
  #pause = 0;

  /** Takes a header that `JSON.parse` has read as the template for later ones. */
  learn(bytes: Uint8Array): void {
    if (this.#pause > 0) {
      this.#pause--;
      return;
    }
    this.#pause = PAUSE;
    // The other three fields must stand before the number: only what stands behind it is read
    // below.
    const text = ascii.decode(bytes);
    const key = text.indexOf(LENGTH_KEY);
    if (key < 0) return;
    let end = key + LENGTH_KEY.length;
    while (text.charCodeAt(end) === SPACE) end++;
    const prefix = text.slice(0, end);
    if (!/^[\x20-\x5b\x5d-\x7e]*$/.test(prefix)) return;
    let four: FrameHeader;
    try {
      // The parser says whether the prefix is complete up to the number. The values are taken from
      // the prefix alone, because in the whole header a later field of the same name may replace
      // them.
      four = parseHeaderText(`${prefix}0}`);
    } catch {
      return;
    }
    // Only in the usual order: then headers made here have their fields in the sender's order.
    if (Object.keys(four).join() !== [...FRAME_FIELDS].join()) return;
    this.#prefix = new Uint8Array(bytes.subarray(0, end));
    this.#byteorder = four.byteorder;
    this.#type = four["content-type"];
    this.#encoding = four["content-encoding"];
    this.#fields = [];
  }

  /** The header `buffer[start, end)`, frozen; `undefined` if `JSON.parse` has to read it. */
  parse(buffer: Uint8Array, start: number, end: number): FrameHeader | undefined {
    const prefix = this.#prefix;
    let at = start + prefix.length;
    if (prefix.length === 0 || at >= end) return undefined;
    for (let i = prefix.length - 1; i >= 0; i--) {
      if (prefix[i] !== buffer[start + i]) return undefined;
    }
    const digits = numberEnd(buffer, at, end);
    if (digits === at) return undefined;
    const header: Record<string, unknown> = {
      byteorder: this.#byteorder,
      "content-type": this.#type,
      "content-encoding": this.#encoding,
      "content-length": readNumber(buffer, at, digits),
    };
    at = digits;
    for (let index = 0; at < end && buffer[at] === COMMA; index++) {
      at++;
      while (at < end && buffer[at] === SPACE) at++;
      const nameEnd = stringEnd(buffer, at, end);
      if (nameEnd < 0 || buffer[nameEnd] !== COLON) return undefined;
      const field = this.#field(index, buffer, at + 1, nameEnd - 1);
      if (field === undefined) return undefined;
      at = nameEnd + 1;
      while (at < end && buffer[at] === SPACE) at++;
      if (buffer[at] === QUOTE) {
        const valueEnd = stringEnd(buffer, at, end);
        if (valueEnd < 0) return undefined;
        header[field.name] = textOf(field, buffer, at + 1, valueEnd - 1);
        at = valueEnd;
      } else if (buffer[at] === LETTER_T || buffer[at] === LETTER_F) {
        const isTrue = buffer[at] === LETTER_T;
        const literal = isTrue ? TRUE : FALSE;
        const valueEnd = at + literal.length;
        if (valueEnd > end || !same(literal, buffer, at, valueEnd)) return undefined;
        header[field.name] = isTrue;
        at = valueEnd;
      } else {
        const valueEnd = numberEnd(buffer, at, end);
        if (valueEnd === at) return undefined;
        header[field.name] = readNumber(buffer, at, valueEnd);
        at = valueEnd;
      }
    }
    if (at + 1 !== end || buffer[at] !== CLOSE) return undefined;
    return Object.freeze(header) as FrameHeader;
  }

  /** The field with the name `buffer[start, end)`; `index` is its place in the header. */
  #field(index: number, buffer: Uint8Array, start: number, end: number): KnownField | undefined {
    const expected = this.#fields[index];
    if (expected && same(expected.nameBytes, buffer, start, end)) return expected;
    for (const field of this.#fields) {
      if (same(field.nameBytes, buffer, start, end)) return field;
    }
    if (this.#fields.length === MAX_FIELDS || end - start > MAX_NAME_BYTES) return undefined;
    const nameBytes = new Uint8Array(buffer.subarray(start, end));
    const name = ascii.decode(nameBytes);
    if (FRAME_FIELDS.has(name) || name === "__proto__") return undefined;
    const field = { name, nameBytes, value: "", valueBytes: new Uint8Array(MAX_VALUE_BYTES) };
    this.#fields.push(field);
    return field;
  }
}

/**
 * The ASCII text `buffer[start, end)`; the same string object as the last time if it is equal. What a
 * text has in common with the last one is taken from that, because texts such as the topics of
 * inboxes differ only in their last digits, and a long text that is joined letter by letter costs
 * more than all the rest of its header.
 */
function textOf(field: KnownField, buffer: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > MAX_VALUE_BYTES) return ascii.decode(buffer.subarray(start, end));
  const { value, valueBytes } = field;
  const most = Math.min(length, value.length);
  let common = 0;
  while (common < most && valueBytes[common] === buffer[start + common]) common++;
  if (common === length && value.length === length) return value;
  let rest = "";
  if (length - common > MAX_JOINED) rest = ascii.decode(buffer.subarray(start + common, end));
  for (let i = common; i < length; i++) {
    const byte = buffer[start + i]!;
    valueBytes[i] = byte;
    if (length - common <= MAX_JOINED) rest += String.fromCharCode(byte);
  }
  return field.value = common === 0 ? rest : value.slice(0, common) + rest;
}

/** Where the JSON string at `at` ends; -1 if there is none, or it is not ASCII without escapes. */
function stringEnd(buffer: Uint8Array, at: number, end: number): number {
  if (buffer[at] !== QUOTE) return -1;
  for (let i = at + 1; i < end; i++) {
    const byte = buffer[i]!;
    if (byte === QUOTE) return i + 1;
    if (byte < 0x20 || byte > 0x7e || byte === BACKSLASH) return -1;
  }
  return -1;
}

/** Where the whole number at `at` ends; `at` if there is none, or it has too many digits. */
function numberEnd(buffer: Uint8Array, at: number, limit: number): number {
  let end = at;
  while (end < limit && buffer[end]! >= DIGIT_0 && buffer[end]! <= DIGIT_9) end++;
  const leadingZero = buffer[at] === DIGIT_0 && end - at > 1;
  const next = buffer[end];
  const over = end < limit && (next === COMMA || next === CLOSE);
  return over && !leadingZero && end - at <= MAX_DIGITS ? end : at;
}

function readNumber(buffer: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 10 + buffer[i]! - DIGIT_0;
  return value;
}

function same(known: Uint8Array, buffer: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) {
    if (known[i] !== buffer[start + i]) return false;
  }
  return true;
}
