import { ByteBuffer } from "../base/byte_buffer.ts";
import { type ByteOrder, FRAME_FIELDS, MAX_HEADER_BYTES } from "./header.ts";
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
  /** Need not be given; if it is, it must be right. */
  readonly "content-length"?: number | undefined;
  /** Fields of the application: any value of JSON. */
  readonly [field: string]: unknown;
}

/** A frame to be sent. */
export interface OutgoingFrame {
  /** Fields of the header; those left out take their defaults. */
  readonly header?: HeaderInit | undefined;
  /** Bytes, copied by the encoder; or text, sent in UTF-8. @default {no bytes} */
  readonly content?: Uint8Array | string | undefined;
}

const NO_BYTES = new Uint8Array(0);
const NO_FIELDS: HeaderInit = {};
const encoder = new TextEncoder();

/** A string takes at most this many bytes of UTF-8 per UTF-16 unit. */
const UTF8_BYTES_PER_UNIT = 3;

/**
 * Encodes a frame behind what is in the buffer, in one pass: the header is compact JSON, its four
 * fields first. On an error the buffer is as it was.
 *
 * @returns The size of the frame in bytes.
 * @throws {RangeError} if the header has more than 65,535 bytes, or `content-length` is given and
 * is not the size of the content.
 * @throws {TypeError} if one of the four fields has a wrong type, a field is no value of JSON, or
 * text is to go out in another encoding than UTF-8.
 */
export function writeFrame(buffer: ByteBuffer, frame: OutgoingFrame): number {
  const fields = frame.header ?? NO_FIELDS;
  const content = frame.content ?? NO_BYTES;
  return typeof content === "string"
    ? writeText(buffer, fields, content)
    : writeBytes(buffer, fields, content);
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
 * @returns The bytes of the frame, of their own memory.
 * @throws {RangeError | TypeError} as {@linkcode writeFrame} does.
 */
export function encodeFrame(frame: OutgoingFrame): Uint8Array<ArrayBuffer> {
  const buffer = new ByteBuffer(256 + (frame.content?.length ?? 0));
  const size = writeFrame(buffer, frame);
  // What grew for a moment must not be kept alive by a frame that is kept.
  return buffer.bytes.length > size * 2 ? buffer.view().slice() : buffer.view();
}

/** A frame of JSON: `text/json` in UTF-8. @throws {TypeError} if the value is none of JSON. */
export function jsonFrame(value: unknown, fields: HeaderInit = NO_FIELDS): OutgoingFrame {
  const content = JSON.stringify(value);
  if (content === undefined) throw new TypeError("Cannot encode a value that JSON does not have");
  const type = fields["content-type"] ?? "text/json";
  return { header: { ...fields, "content-type": type }, content };
}

function writeBytes(buffer: ByteBuffer, fields: HeaderInit, content: Uint8Array): number {
  checkLength(fields, content.length);
  const start = buffer.length;
  const before = headText(fields, "application/octet-stream", "binary");
  writeHeader(buffer, before + content.length + tailText(fields));
  buffer.append(content);
  return buffer.length - start;
}

/**
 * The size of the text in UTF-8 is known only once it is encoded, and the header, which stands
 * before it, holds that size. So the header is written as for ASCII; where that was wrong it is
 * written again, and the text moves if the number has more digits.
 */
function writeText(buffer: ByteBuffer, fields: HeaderInit, content: string): number {
  const encoding = fields["content-encoding"];
  if (encoding !== undefined && !/^utf[-_]?8$/i.test(encoding)) {
    throw new TypeError(`Cannot encode text as ${encoding}: give bytes in that encoding`);
  }
  const start = buffer.length;
  const before = headText(fields, "text/plain", "utf-8");
  const after = tailText(fields);
  try {
    writeHeader(buffer, before + content.length + after);
    const contentStart = buffer.length;
    appendText(buffer, content);
    const written = buffer.length - contentStart;
    checkLength(fields, written);
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

/** Most text is ASCII, a byte a unit; room for more is made only where it is needed. */
function appendText(buffer: ByteBuffer, text: string): void {
  let rest = text;
  let room = text.length;
  while (rest.length > 0) {
    buffer.reserve(room);
    const { read, written } = encoder.encodeInto(rest, buffer.bytes.subarray(buffer.length));
    buffer.length += written;
    rest = rest.slice(read);
    room = rest.length * UTF8_BYTES_PER_UNIT;
  }
}

/** The header up to the number of `content-length`. */
function headText(fields: HeaderInit, type: string, encoding: string): string {
  const order = fields.byteorder ?? HOST_BYTE_ORDER;
  if (order !== "little" && order !== "big") {
    throw new TypeError(`Cannot encode the byteorder ${JSON.stringify(order)}: "little" or "big"`);
  }
  const { "content-type": contentType = type, "content-encoding": contentEncoding = encoding } =
    fields;
  if (typeof contentType !== "string" || typeof contentEncoding !== "string") {
    throw new TypeError("Cannot encode a content-type or content-encoding that is no string");
  }
  return `{"byteorder":"${order}","content-type":${JSON.stringify(contentType)},` +
    `"content-encoding":${JSON.stringify(contentEncoding)},"content-length":`;
}

/** The header behind the number of `content-length`: the application's fields. */
function tailText(fields: HeaderInit): string {
  let tail = "";
  for (const name in fields) {
    if (FRAME_FIELDS.has(name) || !Object.hasOwn(fields, name)) continue;
    const value = JSON.stringify(fields[name]);
    if (value !== undefined) tail += `,${JSON.stringify(name)}:${value}`;
    else if (fields[name] !== undefined) {
      throw new TypeError(
        `Cannot encode the header field ${JSON.stringify(name)}: no value of JSON`,
      );
    }
  }
  return tail + "}";
}

/** Writes the header's length and the header. On an error the buffer is as it was. */
function writeHeader(buffer: ByteBuffer, header: string): void {
  buffer.reserve(2 + header.length * UTF8_BYTES_PER_UNIT);
  buffer.length += putHeader(buffer.bytes.subarray(buffer.length), header);
}

/** Writes the header's length and the header; there is room for them. Returns their size. */
function putHeader(bytes: Uint8Array, header: string): number {
  const { written } = encoder.encodeInto(header, bytes.subarray(2));
  if (written > MAX_HEADER_BYTES) {
    throw new RangeError(
      `Cannot encode a header of ${written} bytes: at most ${MAX_HEADER_BYTES} are possible`,
    );
  }
  bytes[0] = written >>> 8;
  bytes[1] = written & 0xff;
  return 2 + written;
}

function checkLength(fields: HeaderInit, actual: number): void {
  const given = fields["content-length"];
  if (given !== undefined && typeof given !== "number") {
    throw new TypeError("Cannot encode a content-length that is no number");
  }
  if (given !== undefined && given !== actual) {
    throw new RangeError(`Cannot encode content-length ${given}: the content has ${actual} bytes`);
  }
}
