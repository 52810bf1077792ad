/** The types of number that binary content may hold. */
export type NumberType = keyof NumberArrays;

/** The typed array for each {@linkcode NumberType}. */
export interface NumberArrays {
  /** 8 bits, signed. */
  int8: Int8Array<ArrayBuffer>;
  /** 8 bits. */
  uint8: Uint8Array<ArrayBuffer>;
  /** 16 bits, signed. */
  int16: Int16Array<ArrayBuffer>;
  /** 16 bits. */
  uint16: Uint16Array<ArrayBuffer>;
  /** 32 bits, signed. */
  int32: Int32Array<ArrayBuffer>;
  /** 32 bits. */
  uint32: Uint32Array<ArrayBuffer>;
  /** 64 bits, signed, as `bigint`. */
  bigint64: BigInt64Array<ArrayBuffer>;
  /** 64 bits, as `bigint`. */
  biguint64: BigUint64Array<ArrayBuffer>;
  /** IEEE 754, 32 bits. */
  float32: Float32Array<ArrayBuffer>;
  /** IEEE 754, 64 bits. */
  float64: Float64Array<ArrayBuffer>;
}

/** The typed array that holds numbers of a type. */
export type TypedArrayOf<T extends NumberType> = NumberArrays[T];

const ARRAYS = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bigint64: BigInt64Array,
  biguint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
};

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The byte order of this machine, as a header's `byteorder` names it. */
export const HOST_BYTE_ORDER: "little" | "big" = HOST_IS_LITTLE_ENDIAN ? "little" : "big";

/**
 * Reads all of a content as numbers of one type.
 *
 * @returns A typed array of its own memory, in the host's byte order.
 * @throws {RangeError} if the content is no whole number of them.
 */
export function readNumbers<T extends NumberType>(
  content: Uint8Array,
  type: T,
  littleEndian: boolean,
): TypedArrayOf<T> {
  const size = ARRAYS[type].BYTES_PER_ELEMENT;
  if (content.length % size !== 0) {
    throw new RangeError(`Cannot read ${content.length} bytes as ${type}: each has ${size} bytes`);
  }
  const bytes = new Uint8Array(content);
  if (littleEndian !== HOST_IS_LITTLE_ENDIAN && size > 1) swapBytes(bytes, size);
  return new ARRAYS[type](bytes.buffer) as TypedArrayOf<T>;
}

/** Turns the bytes of each number around, in place. */
function swapBytes(bytes: Uint8Array, size: number): void {
  for (let number = 0; number < bytes.length; number += size) {
    for (let low = number, high = number + size - 1; low < high; low++, high--) {
      const byte = bytes[low]!;
      bytes[low] = bytes[high]!;
      bytes[high] = byte;
    }
  }
}

/**
 * Reads numbers of mixed types one after the other, in the byte order of their sender. Every
 * method throws a `RangeError` where the content ends before the number does.
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
  /** Whether numbers have their low byte first. */
  readonly littleEndian: boolean;
  /** The position of the next number in bytes; may be set. */
  offset = 0;
  readonly #view: DataView;

  /**
   * Starts at the first byte.
   *
   * @param content Read where it lies, not copied.
   * @param littleEndian Whether numbers have their low byte first.
   */
  constructor(content: Uint8Array, littleEndian: boolean) {
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
