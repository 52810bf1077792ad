/**
 * Frames made without the encoder under test, and what a decoder should make of any header: an
 * oracle over `TextDecoder` and `JSON.parse`.
 *
 * @module
 */
import { AssertionError } from "@std/assert";
import type { FrameErrorCode } from "../../lib/frame/mod.ts";

const utf8 = new TextEncoder();

/** Joins pieces of bytes. */
export function join(...pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.length;
  }
  return joined;
}

/** The bytes that a string of hex digits stands for. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => parseInt(digits, 16));
}

/** The bytes of a text in UTF-8. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return utf8.encode(text);
}

/** Puts length bytes and a header in front of a content, whatever the header says. */
export function rawFrame(
  header: string | Uint8Array,
  content: string | Uint8Array = new Uint8Array(0),
): Uint8Array<ArrayBuffer> {
  const headerBytes = typeof header === "string" ? bytesOf(header) : header;
  return join(
    new Uint8Array([headerBytes.length >> 8, headerBytes.length & 0xff]),
    headerBytes,
    typeof content === "string" ? bytesOf(content) : content,
  );
}

/** The text of a valid header; `extra` goes behind the four fields, e.g. `,"id":1`. */
export function headerText(contentBytes: number | string, extra = "", encoding = "utf-8"): string {
  return `{"byteorder":"little","content-type":"text/plain","content-encoding":"${encoding}",` +
    `"content-length":${contentBytes}${extra}}`;
}

/** A valid frame around a content. */
export function plainFrame(content: string | Uint8Array, extra = ""): Uint8Array<ArrayBuffer> {
  const bytes = typeof content === "string" ? bytesOf(content) : content;
  return rawFrame(headerText(bytes.length, extra), bytes);
}

/** Cuts bytes into pieces of the given sizes, used in turn; a size of 0 makes an empty piece. */
export function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  if (!sizes.some((size) => size > 0)) return [bytes];
  for (let offset = 0, i = 0; offset < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    pieces.push(bytes.subarray(offset, offset + size));
    offset += size;
  }
  return pieces;
}

/** What a header should give. */
export type Verdict =
  | { readonly code: FrameErrorCode }
  | {
    readonly code?: undefined;
    readonly header: Record<string, unknown>;
    readonly length: number;
  };

/** Judges a header by the rules of the protocol, with the platform's own JSON and UTF-8. */
export function judge(header: Uint8Array, maxContentBytes: number): Verdict {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(header));
  } catch {
    return { code: "header-syntax" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { code: "header-syntax" };
  }
  const field = (name: string): unknown => Object.getOwnPropertyDescriptor(value, name)?.value;
  const length = field("content-length");
  if (field("byteorder") !== "little" && field("byteorder") !== "big") {
    return { code: "header-field" };
  }
  if (typeof field("content-type") !== "string" || typeof field("content-encoding") !== "string") {
    return { code: "header-field" };
  }
  if (typeof length !== "number" || !Number.isSafeInteger(length) || length < 0) {
    return { code: "header-field" };
  }
  if (length > maxContentBytes) return { code: "frame-too-large" };
  return { header: value as Record<string, unknown>, length };
}

/**
 * Asserts that two values are the same JSON: the same fields in the same order, own ones, and
 * numbers that are the same to the sign of zero. Prototypes do not count: a header may have none.
 */
export function assertSameJson(actual: unknown, expected: unknown, where = "$"): void {
  if (typeof actual !== "object" || typeof expected !== "object" || !actual || !expected) {
    if (!Object.is(actual, expected)) {
      throw new AssertionError(`${where}: ${show(actual)} is not ${show(expected)}`);
    }
    return;
  }
  const names = Object.keys(actual);
  const same = Array.isArray(actual) === Array.isArray(expected) &&
    names.length === Object.keys(expected).length &&
    Object.keys(expected).every((name, i) => names[i] === name);
  if (!same) throw new AssertionError(`${where}: ${show(actual)} is not ${show(expected)}`);
  for (const name of names) {
    const value = (of: object) => Object.getOwnPropertyDescriptor(of, name)?.value;
    assertSameJson(value(actual), value(expected), `${where}[${JSON.stringify(name)}]`);
  }
}

function show(value: unknown): string {
  return Object.is(value, -0) ? "-0" : JSON.stringify(value) ?? String(value);
}
