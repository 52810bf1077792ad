import { equals } from "@std/bytes";

/**
 * The index of the first byte in which two arrays of the same length differ; -1 if they are equal.
 * It is fast for equal arrays, which is what its callers expect.
 */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  if (equals(a, b)) return -1;
  return a.findIndex((byte, i) => byte !== b[i]);
}

/** Describes a difference, as the end of a sentence: `differs at byte 3: 0x93 came, 0x6c was sent`. */
export function describeDifference(offset: number, came: number, sent: number): string {
  return `differs at byte ${offset}: ${hex(came)} came, ${hex(sent)} was sent`;
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
