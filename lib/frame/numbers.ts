import { refusal } from "../base/option_kinds.ts";
import type { ByteOrder } from "./header.ts";

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

/** Whether this machine stores the low byte of a number first. */
export const HOST_IS_LITTLE_ENDIAN: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The byte order of this machine, as a header's `byteorder` names it. */
export const HOST_BYTE_ORDER: ByteOrder = HOST_IS_LITTLE_ENDIAN ? "little" : "big";

/**
 * Reads all of a content as numbers of one type.
 *
 * @returns A typed array with memory of its own.
 * @throws {RangeError} if the content ends inside a number.
 * @throws {TypeError} if there is no such type.
 */
export function readNumbers<T extends NumberType>(
  content: Uint8Array,
  type: T,
  littleEndian: boolean,
): NumberArrays[T] {
  if (!Object.hasOwn(ARRAYS, type)) {
    throw new TypeError(refusal("type", type, "a NumberType"));
  }
  const size = ARRAYS[type].BYTES_PER_ELEMENT;
  if (content.length % size !== 0) {
    throw new RangeError(`Cannot read ${content.length} bytes as ${type}: each has ${size} bytes`);
  }
  const bytes = new Uint8Array(content);
  if (littleEndian !== HOST_IS_LITTLE_ENDIAN && size > 1) swapBytes(bytes, size);
  return new ARRAYS[type](bytes.buffer) as NumberArrays[T];
}

/** Reverses the bytes of each number, in place. */
function swapBytes(bytes: Uint8Array, size: number): void {
  for (let number = 0; number < bytes.length; number += size) {
    for (let low = number, high = number + size - 1; low < high; low++, high--) {
      const byte = bytes[low]!;
      bytes[low] = bytes[high]!;
      bytes[high] = byte;
    }
  }
}
