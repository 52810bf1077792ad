import { checkGiven, checkKind } from "../base/option_kinds.ts";
import { ByteBuffer } from "../base/byte_buffer.ts";
import { valueKind } from "../base/value_kind.ts";
import type { ByteOrder } from "./header.ts";
import { HOST_IS_LITTLE_ENDIAN } from "./numbers.ts";

const FIRST_BYTES = 64;

/**
 * Writes numbers of different types one after the other, for a {@linkcode NumberReader} to read. A
 * number that the type cannot hold is a `RangeError`, anything but a number a `TypeError`; nothing
 * is written then. Every method that writes returns the writer.
 *
 * @example
 * ```ts
 * import { encodeFrame, FrameDecoder, NumberWriter } from "@socktool/socktool/frame";
 * import { assertEquals } from "@std/assert";
 *
 * const writer = new NumberWriter().uint16(7).float64(0.5);
 * const header = { byteorder: writer.byteorder };
 * const bytes = encodeFrame({ header, content: writer.bytes });
 * const reader = new FrameDecoder().decode(bytes).frames[0]!.reader();
 * assertEquals([reader.uint16(), reader.float64()], [7, 0.5]);
 * ```
 */
export class NumberWriter {
  /** Whether numbers are written with the low byte first. */
  readonly littleEndian: boolean;
  /** The position of the next number in bytes. It may be set, also behind what was written. */
  offset = 0;
  /** The memory that grows; `undefined` if the memory is the caller's. */
  readonly #buffer: ByteBuffer | undefined;
  #memory: Uint8Array;
  #view: DataView;
  #length = 0;

  /**
   * Starts at the first byte.
   *
   * @param littleEndian Whether numbers are written with the low byte first. The default is this
   * machine's byte order.
   * @param memory Where to write; a number that does not fit is a `RangeError`. Without it the
   * writer has memory of its own, which grows and is 0 where nothing was written.
   * @throws {TypeError} if `littleEndian` is neither true nor false, or the memory no `Uint8Array`.
   */
  constructor(littleEndian: boolean = HOST_IS_LITTLE_ENDIAN, memory?: Uint8Array) {
    checkGiven("littleEndian", littleEndian, "flag");
    checkKind("memory", memory, "bytes");
    this.littleEndian = littleEndian;
    this.#buffer = memory ? undefined : new ByteBuffer(FIRST_BYTES);
    this.#memory = memory ?? this.#buffer!.bytes;
    this.#view = viewOf(this.#memory);
  }

  /** The byte order, as a frame's header names it. */
  get byteorder(): ByteOrder {
    return this.littleEndian ? "little" : "big";
  }

  /** The end of what was written so far, in bytes from the start. */
  get length(): number {
    return this.#length;
  }

  /** The bytes up to there: a view, valid until the next write. */
  get bytes(): Uint8Array {
    return this.#memory.subarray(0, this.#length);
  }

  /** Writes 8 bits, signed. */
  int8(value: number): this {
    checkWhole("int8", value, -(2 ** 7), 2 ** 7 - 1);
    const at = this.#take(1);
    this.#view.setInt8(at, value);
    return this;
  }

  /** Writes 8 bits. */
  uint8(value: number): this {
    checkWhole("uint8", value, 0, 2 ** 8 - 1);
    const at = this.#take(1);
    this.#view.setUint8(at, value);
    return this;
  }

  /** Writes 16 bits, signed. */
  int16(value: number): this {
    checkWhole("int16", value, -(2 ** 15), 2 ** 15 - 1);
    const at = this.#take(2);
    this.#view.setInt16(at, value, this.littleEndian);
    return this;
  }

  /** Writes 16 bits. */
  uint16(value: number): this {
    checkWhole("uint16", value, 0, 2 ** 16 - 1);
    const at = this.#take(2);
    this.#view.setUint16(at, value, this.littleEndian);
    return this;
  }

  /** Writes 32 bits, signed. */
  int32(value: number): this {
    checkWhole("int32", value, -(2 ** 31), 2 ** 31 - 1);
    const at = this.#take(4);
    this.#view.setInt32(at, value, this.littleEndian);
    return this;
  }

  /** Writes 32 bits. */
  uint32(value: number): this {
    checkWhole("uint32", value, 0, 2 ** 32 - 1);
    const at = this.#take(4);
    this.#view.setUint32(at, value, this.littleEndian);
    return this;
  }

  /** Writes 64 bits, signed. */
  bigint64(value: bigint): this {
    checkBig("bigint64", value, -(2n ** 63n), 2n ** 63n - 1n);
    const at = this.#take(8);
    this.#view.setBigInt64(at, value, this.littleEndian);
    return this;
  }

  /** Writes 64 bits. */
  biguint64(value: bigint): this {
    checkBig("biguint64", value, 0n, 2n ** 64n - 1n);
    const at = this.#take(8);
    this.#view.setBigUint64(at, value, this.littleEndian);
    return this;
  }

  /** Writes an IEEE 754 number of 32 bits, rounded to what they hold. */
  float32(value: number): this {
    checkNumber("float32", value);
    const at = this.#take(4);
    this.#view.setFloat32(at, value, this.littleEndian);
    return this;
  }

  /** Writes an IEEE 754 number of 64 bits. */
  float64(value: number): this {
    checkNumber("float64", value);
    const at = this.#take(8);
    this.#view.setFloat64(at, value, this.littleEndian);
    return this;
  }

  #take(size: number): number {
    const at = this.offset;
    if (!(Number.isSafeInteger(at) && at >= 0)) {
      throw new RangeError(`Cannot write at ${at}: the offset is a whole number from 0`);
    }
    const end = at + size;
    if (end > this.#memory.length) this.#grow(end);
    this.offset = end;
    this.#length = Math.max(this.#length, end);
    return at;
  }

  #grow(size: number): void {
    if (!this.#buffer) {
      throw new RangeError(
        `Cannot write up to ${size}: the memory has ${this.#memory.length} bytes`,
      );
    }
    this.#buffer.length = this.#length;
    this.#buffer.reserve(size - this.#length);
    this.#memory = this.#buffer.bytes;
    this.#view = viewOf(this.#memory);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function checkWhole(type: string, value: number, least: number, most: number): void {
  checkNumber(type, value);
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`Cannot write ${value} as ${type}: a whole number from ${least} to ${most}`);
}

function checkBig(type: string, value: bigint, least: bigint, most: bigint): void {
  if (typeof value !== "bigint") {
    throw new TypeError(`Cannot write ${valueKind(value)} as ${type}: give a bigint`);
  }
  if (value >= least && value <= most) return;
  throw new RangeError(`Cannot write ${value} as ${type}: from ${least} to ${most}`);
}

function checkNumber(type: string, value: number): void {
  if (typeof value === "number") return;
  throw new TypeError(`Cannot write ${valueKind(value)} as ${type}: give a number`);
}
