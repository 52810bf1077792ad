import { nodeModule } from "../../../../base/node_module.ts";

let zlib: typeof import("node:zlib") | undefined;

/** The checksum that stands with the frames of a run: CRC-32. */
export function checksumOf(frames: Uint8Array): number {
  // Brokers without a store have this file too.
  zlib ??= nodeModule<typeof import("node:zlib")>("node:zlib");
  return zlib.crc32(frames);
}
