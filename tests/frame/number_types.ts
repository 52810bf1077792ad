import type { NumberType } from "../../lib/frame/mod.ts";

/** The types of numbers, and how many bytes one takes. */
export const NUMBER_SIZES: Record<NumberType, number> = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  bigint64: 8,
  biguint64: 8,
  float32: 4,
  float64: 8,
};

/** The types of numbers. */
export const NUMBER_TYPES = Object.keys(NUMBER_SIZES) as NumberType[];
