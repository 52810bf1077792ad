import { checkGiven, isBytes } from "../base/option_kinds.ts";
import { ByteBuffer } from "../base/byte_buffer.ts";
import { shownValue, valueKind } from "../base/value_kind.ts";
import { appendText, checkHeaderBytes, EncodedHead } from "./encoded_head.ts";
import { HeadMemo } from "./head_memo.ts";
import { type ByteOrder, FRAME_FIELDS } from "./header.ts";
import { nestingProblem } from "./header_nesting.ts";
import { HOST_BYTE_ORDER } from "./numbers.ts";

/** The header of a frame to be sent. Fields that are `undefined` are left out. */
export interface HeaderInit {
  /**
   * The byte order of numbers inside the content.
   *
   * @default {HOST_BYTE_ORDER}
   */
  readonly byteorder?: ByteOrder | undefined;
  /**
   * What the content is. Without it, `text/plain` for a string, else `application/octet-stream`.
   */
  readonly "content-type"?: string | undefined;
  /** The encoding of text. Without it, `utf-8` for a string, else `binary`. */
  readonly "content-encoding"?: string | undefined;
  /** The size of the content. It is filled in; if it is given, it must be right. */
  readonly "content-length"?: number | undefined;
  /** Fields of the application: any JSON values. */
  readonly [field: string]: unknown;
}

/** A frame to be sent. */
export interface OutgoingFrame {
  /** Fields of the header; those that are left out have defaults. */
  readonly header?: HeaderInit | undefined;
  /** Bytes, which are copied, or text, which is sent in UTF-8. @default {no bytes} */
  readonly content?: Uint8Array | string | undefined;
}

/** The heads that repeat, of frames with text and with bytes. */
const TEXT_HEADS = new HeadMemo();
const BYTES_HEADS = new HeadMemo();

const NO_BYTES = new Uint8Array(0);
const NO_FIELDS: HeaderInit = {};
const encoder = new TextEncoder();

/** A UTF-16 unit of a string takes at most this many bytes in UTF-8. */
const UTF8_BYTES_PER_UNIT = 3;

/**
 * Encodes a frame and appends it to the buffer. The header is compact JSON that begins with the
 * four fields. On an error the buffer holds what it held before.
 *
 * @returns The size of the frame in bytes.
 * @throws {RangeError} if the header has more than 65,535 bytes or is too complex for a decoder, which
 * is more than 1,000 members and elements or a depth of more than 32; or `content-length` is given and
 * is not the size of the content.
 * @throws {TypeError} if it is no frame, the content neither text nor a `Uint8Array`, one of the four
 * fields has a wrong type, a field has a value that JSON does not have, or the content is text and its
 * encoding not UTF-8.
 */
export function writeFrame(buffer: ByteBuffer, frame: OutgoingFrame): number {
  if (typeof frame !== "object" || frame === null) checkGiven("frame", frame, "object");
  const { header = NO_FIELDS, content = NO_BYTES } = frame;
  if (typeof content === "string") {
    const known = TEXT_HEADS.find(header);
    if (known !== undefined) return known.writeText(buffer, content);
    const size = writeText(buffer, header, content);
    TEXT_HEADS.learn(header, () => encodeHead(header, true));
    return size;
  }
  checkBytes(content);
  const known = BYTES_HEADS.find(header);
  if (known !== undefined) return known.writeBytes(buffer, content);
  const size = writeBytes(buffer, header, content);
  BYTES_HEADS.learn(header, () => encodeHead(header, false));
  return size;
}

/**
 * Encodes the head of a frame, which is its length and header, and appends it to the buffer. The
 * caller sends the content behind it. This is for content that is not in memory as a whole. Without
 * a `content-type` and `content-encoding` the header says `application/octet-stream` and `binary`.
 * On an error the buffer holds what it held before.
 *
 * @example
 * ```ts
 * import { ByteBuffer, FrameDecoder, writeFrameHead } from "@socktool/socktool/frame";
 * import { assertEquals } from "@std/assert";
 *
 * const buffer = new ByteBuffer();
 * writeFrameHead(buffer, { "content-type": "text/plain", "content-encoding": "utf-8" }, 4);
 * for (const part of ["ab", "cd"]) buffer.append(new TextEncoder().encode(part));
 * assertEquals(new FrameDecoder().decode(buffer.view()).frames[0]?.text(), "abcd");
 * ```
 *
 * @param contentLength The size of the content in bytes.
 * @returns The size of the head in bytes.
 * @throws {RangeError} if `contentLength` is not a whole number from 0 to 2^53 - 1; else as
 * {@linkcode writeFrame} does.
 * @throws {TypeError} as {@linkcode writeFrame} does.
 */
export function writeFrameHead(
  buffer: ByteBuffer,
  header: HeaderInit = NO_FIELDS,
  contentLength: number,
): number {
  if (!Number.isSafeInteger(contentLength) || contentLength < 0) {
    throw new RangeError(
      `Cannot encode a content of ${contentLength} bytes: give a whole number from 0 to 2^53 - 1`,
    );
  }
  return writeBytes(buffer, header, NO_BYTES, contentLength);
}

/**
 * Encodes one frame.
 *
 * @example
 * ```ts
 * import { encodeFrame } from "@socktool/socktool/frame";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = encodeFrame({ content: "hi" });
 * assertEquals(
 *   new TextDecoder().decode(bytes.subarray(2)),
 *   '{"byteorder":"little","content-type":"text/plain","content-encoding":"utf-8","content-length":2}hi',
 * );
 * ```
 *
 * @returns The bytes of the frame, in memory of their own.
 * @throws {RangeError | TypeError} as {@linkcode writeFrame} does.
 */
export function encodeFrame(frame: OutgoingFrame): Uint8Array<ArrayBuffer> {
  if (typeof frame !== "object" || frame === null) checkGiven("frame", frame, "object");
  const { header, content = NO_BYTES } = frame;
  if (typeof content !== "string") checkBytes(content);
  const buffer = new ByteBuffer(256 + content.length);
  const size = writeFrame(buffer, { header, content });
  // Text may have needed much more memory while it was encoded; a frame that is kept should not
  // hold it.
  return buffer.bytes.length > size * 2 ? buffer.view().slice() : buffer.view();
}

/**
 * Encodes the head of frames that have the same header but for `content-length`, for a sender that
 * makes many of them. {@linkcode writeFrame} does so by itself where the fields of a header are equal
 * to those of the last.
 *
 * @example
 * ```ts
 * import { ByteBuffer, encodeHead, FrameDecoder } from "@socktool/socktool/frame";
 * import { assertEquals } from "@std/assert";
 *
 * const buffer = new ByteBuffer();
 * const head = encodeHead({ op: "pub" }, true);
 * for (const text of ["a", "bc"]) head.writeText(buffer, text);
 * head.writeWith(buffer, "d", ',"id":7');
 * const { frames } = new FrameDecoder().decode(buffer.view());
 * assertEquals(frames.map((frame) => frame.text()), ["a", "bc", "d"]);
 * assertEquals(frames[2]?.header["id"], 7);
 * ```
 *
 * @param isText Whether their content is text, for the defaults of type and encoding.
 * @throws {RangeError | TypeError} as {@linkcode writeFrame} does; also if `content-length` is given.
 */
export function encodeHead(header: HeaderInit, isText: boolean): EncodedHead {
  const before = isText
    ? headText(header, "text/plain", "utf-8")
    : headText(header, "application/octet-stream", "binary");
  const { "content-encoding": encoding, "content-length": given } = header;
  if (given !== undefined) {
    throw new TypeError("Cannot encode a head with a content-length: each frame has its own");
  }
  if (isText) checkTextEncoding(encoding);
  const after = tailText(header);
  checkComplexity(`${before}0${after}`);
  return new EncodedHead(before, after);
}

/**
 * Makes a frame of JSON, with the type `text/json`.
 *
 * @throws {TypeError} if the value is one that JSON does not have, or the fields are none.
 */
export function jsonFrame(value: unknown, fields: HeaderInit = NO_FIELDS): OutgoingFrame {
  checkGiven("fields", fields, "object");
  const content = JSON.stringify(value);
  if (content === undefined) throw new TypeError("Cannot encode a value that JSON does not have");
  const { "content-type": type = "text/json" } = fields;
  return { header: { ...fields, "content-type": type }, content };
}

/** @throws {TypeError} if the content is no `Uint8Array`, or its memory was transferred. */
export function checkBytes(content: unknown): asserts content is Uint8Array {
  if (isBytes(content)) {
    if (content.length > 0 || !isDetached(content)) return;
    throw new TypeError("Cannot encode content whose memory was transferred to somebody else");
  }
  throw new TypeError(
    `Cannot encode content that is ${valueKind(content)}: give a string or a Uint8Array`,
  );
}

function isDetached({ buffer }: Uint8Array): boolean {
  return "detached" in buffer && buffer.detached;
}

/**
 * Writes a frame with these bytes as its content, or as the beginning of a content of that length.
 */
function writeBytes(
  buffer: ByteBuffer,
  fields: HeaderInit,
  bytes: Uint8Array,
  contentLength?: number,
): number {
  const before = headText(fields, "application/octet-stream", "binary");
  const after = tailText(fields);
  // Getters and toJSON may have changed the content; they have run by here.
  const length = contentLength ?? bytes.length;
  checkLength(fields["content-length"], length);
  const start = buffer.length;
  try {
    writeHeader(buffer, before + length + after);
    buffer.append(bytes);
  } catch (error) {
    buffer.length = start;
    throw error;
  }
  return buffer.length - start;
}

/**
 * The header holds the size of the text in UTF-8, which is known only after encoding it, and stands
 * before it. So the header is written first as if all characters were ASCII. If they are not, it is
 * written again, and the text is moved where `content-length` has more digits now.
 */
function writeText(buffer: ByteBuffer, fields: HeaderInit, content: string): number {
  const before = headText(fields, "text/plain", "utf-8");
  const after = tailText(fields);
  const { "content-encoding": encoding, "content-length": given } = fields;
  checkTextEncoding(encoding);
  const start = buffer.length;
  try {
    writeHeader(buffer, before + content.length + after);
    const contentStart = buffer.length;
    appendText(buffer, content);
    const written = buffer.length - contentStart;
    checkLength(given, written);
    if (written !== content.length) {
      const shift = String(written).length - String(content.length).length;
      buffer.reserve(shift);
      buffer.bytes.copyWithin(contentStart + shift, contentStart, buffer.length);
      buffer.length += shift;
      putHeader(buffer.bytes.subarray(start, contentStart + shift), before + written + after);
    }
  } catch (error) {
    buffer.length = start;
    throw error;
  }
  return buffer.length - start;
}

/** @throws {TypeError} if text cannot be sent in an encoding. */
function checkTextEncoding(encoding: string | undefined): void {
  if (encoding === undefined || /^utf[-_]?8$/i.test(encoding)) return;
  throw new TypeError(`Cannot encode text as ${encoding}: give bytes in that encoding`);
}

/** The text of the header up to the number of `content-length`. */
function headText(fields: HeaderInit, type: string, encoding: string): string {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    throw new TypeError(`Cannot encode a header that is ${valueKind(fields)}: give an object`);
  }
  const {
    byteorder = HOST_BYTE_ORDER,
    "content-type": contentType = type,
    "content-encoding": contentEncoding = encoding,
  } = fields;
  if (byteorder !== "little" && byteorder !== "big") {
    throw fieldError("byteorder", `"little" or "big"`, byteorder);
  }
  if (typeof contentType !== "string") throw fieldError("content-type", "a string", contentType);
  if (typeof contentEncoding !== "string") {
    throw fieldError("content-encoding", "a string", contentEncoding);
  }
  return `{"byteorder":"${byteorder}","content-type":${JSON.stringify(contentType)},` +
    `"content-encoding":${JSON.stringify(contentEncoding)},"content-length":`;
}

function fieldError(field: string, expected: string, given: unknown): TypeError {
  return new TypeError(
    `Cannot encode the header field "${field}": ${expected}, not ${shownValue(given)}`,
  );
}

/** The text of the header behind that number: the application's fields. */
function tailText(fields: HeaderInit): string {
  let tail = "";
  for (const name in fields) {
    if (FRAME_FIELDS.has(name) || !Object.hasOwn(fields, name)) continue;
    const value = fields[name];
    const json = JSON.stringify(value);
    if (json !== undefined) tail += `,${JSON.stringify(name)}:${json}`;
    else if (value !== undefined) {
      throw new TypeError(
        `Cannot encode the header field ${JSON.stringify(name)}: JSON has no such value`,
      );
    }
  }
  return tail + "}";
}

/** Writes the header's length and the header. */
function writeHeader(buffer: ByteBuffer, header: string): void {
  checkComplexity(header);
  buffer.reserve(2 + header.length * UTF8_BYTES_PER_UNIT);
  buffer.length += putHeader(buffer.bytes.subarray(buffer.length), header);
}

/** Writes the header's length and the header into bytes that have room. Returns their size. */
function putHeader(bytes: Uint8Array, header: string): number {
  const { written } = encoder.encodeInto(header, bytes.subarray(2));
  checkHeaderBytes(written);
  bytes[0] = written >>> 8;
  bytes[1] = written & 0xff;
  return 2 + written;
}

/** @throws {RangeError} if a decoder would take the header for a broken one, and end the connection. */
function checkComplexity(header: string): void {
  const problem = nestingProblem(header);
  if (problem) throw new RangeError(`Cannot encode a header: ${problem}`);
}

function checkLength(given: number | undefined, actual: number): void {
  if (given === undefined || given === actual) return;
  if (typeof given !== "number") throw fieldError("content-length", "a number", given);
  throw new RangeError(`Cannot encode content-length ${given}: the content has ${actual} bytes`);
}
