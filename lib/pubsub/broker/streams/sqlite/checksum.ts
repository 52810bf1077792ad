import { nodeModule } from "../../../../base/node_module.ts";

/**
 * How many bytes are summed here before zlib is loaded. It sums a hundred times as fast, but takes some
 * 30 ms to load, by which the first publications would be confirmed later.
 */
const OWN_BYTES = 1_048_576;

/** The reversed polynomial of CRC-32. */
const POLYNOMIAL = 0xedb88320;

let zlib: typeof import("node:zlib") | undefined;
let summed = 0;

/** The checksum that stands with the frames of a run: CRC-32. */
export function checksumOf(frames: Uint8Array): number {
  if (zlib === undefined) {
    summed += frames.length;
    if (summed <= OWN_BYTES) return ownChecksum(frames);
    zlib = nodeModule<typeof import("node:zlib")>("node:zlib");
  }
  return zlib.crc32(frames);
}

/** What a byte does to the sum with 0 to 3 bytes behind it, 256 values each. */
let table: Int32Array | undefined;

function makeTable(): Int32Array {
  const table = new Int32Array(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 0 ? sum >>> 1 : sum >>> 1 ^ POLYNOMIAL;
    table[byte] = sum;
  }
  for (let i = 256; i < table.length; i++) {
    const before = table[i - 256]!;
    table[i] = before >>> 8 ^ table[before & 255]!;
  }
  return table;
}

/** CRC-32, four bytes at a time: about 1 ns a byte. */
export function ownChecksum(bytes: Uint8Array): number {
  const t = table ??= makeTable();
  const { length } = bytes;
  let sum = -1;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    sum ^= bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24;
    sum = t[768 + (sum & 255)]! ^ t[512 + (sum >>> 8 & 255)]! ^ t[256 + (sum >>> 16 & 255)]! ^
      t[sum >>> 24]!;
  }
  for (; at < length; at++) sum = sum >>> 8 ^ t[(sum ^ bytes[at]!) & 255]!;
  return ~sum >>> 0;
}
