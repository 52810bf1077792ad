import { checkGiven } from "../base/option_kinds.ts";

/**
 * Reads numbers of different types one after the other. Every method throws a `RangeError` if the
 * content ends before the number does.
 *
 * @example
 * ```ts
 * import { NumberReader } from "@socktool/socktool/frame";
 * import { assertEquals } from "@std/assert";
 *
 * const reader = new NumberReader(new Uint8Array([1, 0, 2, 0, 0, 0]), true);
 * assertEquals([reader.uint16(), reader.int32(), reader.remaining], [1, 2, 0]);
 * ```
 */
export class NumberReader {
  /** Whether numbers have the low byte first. */
  readonly littleEndian: boolean;
  /** The position of the next number in bytes; may be set. */
  offset = 0;
  readonly #view: DataView;

  /**
   * Starts at the first byte.
   *
   * @param content Is not copied.
   * @param littleEndian Whether numbers have the low byte first.
   * @throws {TypeError} if the content is no `Uint8Array`.
   */
  constructor(content: Uint8Array, littleEndian: boolean) {
    checkGiven("content", content, "bytes");
    this.#view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    this.littleEndian = littleEndian;
  }

  /** Bytes that are left. */
  get remaining(): number {
    return this.#view.byteLength - this.offset;
  }

  /** Reads 8 bits, signed. */
  int8(): number {
    return this.#view.getInt8(this.#take(1));
  }

  /** Reads 8 bits. */
  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  /** Reads 16 bits, signed. */
  int16(): number {
    return this.#view.getInt16(this.#take(2), this.littleEndian);
  }

  /** Reads 16 bits. */
  uint16(): number {
    return this.#view.getUint16(this.#take(2), this.littleEndian);
  }

  /** Reads 32 bits, signed. */
  int32(): number {
    return this.#view.getInt32(this.#take(4), this.littleEndian);
  }

  /** Reads 32 bits. */
  uint32(): number {
    return this.#view.getUint32(this.#take(4), this.littleEndian);
  }

  /** Reads 64 bits, signed. */
  bigint64(): bigint {
    return this.#view.getBigInt64(this.#take(8), this.littleEndian);
  }

  /** Reads 64 bits. */
  biguint64(): bigint {
    return this.#view.getBigUint64(this.#take(8), this.littleEndian);
  }

  /** Reads an IEEE 754 number of 32 bits. */
  float32(): number {
    return this.#view.getFloat32(this.#take(4), this.littleEndian);
  }

  /** Reads an IEEE 754 number of 64 bits. */
  float64(): number {
    return this.#view.getFloat64(this.#take(8), this.littleEndian);
  }

  #take(size: number): number {
    const at = this.offset;
    if (!(at >= 0) || at + size > this.#view.byteLength) {
      throw new RangeError(
        `Cannot read ${size} bytes at ${at}: the content has ${this.#view.byteLength}`,
      );
    }
    this.offset = at + size;
    return at;
  }
}
