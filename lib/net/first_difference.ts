import { equals } from "@std/bytes";

/**
 * Where two arrays of the same length first differ; -1 if they do not. Made for bytes that are
 * almost always equal: the runtime compares them as a whole first.
 */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  if (equals(a, b)) return -1;
  return a.findIndex((byte, i) => byte !== b[i]);
}
