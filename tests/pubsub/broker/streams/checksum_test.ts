import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { crc32 } from "node:zlib";
import { checksumOf, ownChecksum } from "../../../../lib/pubsub/broker/streams/sqlite/checksum.ts";

const MiB = 1_048_576;

Deno.test("a checksum is that of zlib, whoever makes it", () => {
  const bytes = crypto.getRandomValues(new Uint8Array(4_096));
  for (const length of [0, 1, 2, 3, 4, 5, 7, 8, 63, 64, 1_000, 4_092]) {
    for (const from of [0, 1, 2, 3]) {
      const some = bytes.subarray(from, from + length);
      assertEquals(ownChecksum(some), crc32(some), `${length} from ${from}`);
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (some) => {
    assertEquals(ownChecksum(some), crc32(some));
  }));
  // Summed by the one, then by the other.
  for (let summed = 0; summed < 2 * MiB; summed += bytes.length) {
    assertEquals(checksumOf(bytes), crc32(bytes));
  }
});
