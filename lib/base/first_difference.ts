import { equals } from "@std/bytes";

/**
 * Where two arrays of the same length first differ; -1 if they do not. Made for bytes that are
 * almost always equal: the runtime compares them as a whole first.
 */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  if (equals(a, b)) return -1;
  return a.findIndex((byte, i) => byte !== b[i]);
}

/** What differs, as the end of a sentence: `differs at byte 3: 0x93 came, 0x6c was sent`. */
export function describeDifference(offset: number, came: number, sent: number): string {
  return `differs at byte ${offset}: ${hex(came)} came, ${hex(sent)} was sent`;
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
