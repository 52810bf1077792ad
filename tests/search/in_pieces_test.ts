import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { inPieces } from "../../lib/search/reply/in_pieces.ts";

/** A client that counts what is kept for it. */
function countingClient() {
  return {
    held: 0,
    countHeld(bytes: number) {
      this.held += bytes;
    },
  };
}

Deno.test("a content in pieces is the same bytes, and counts as its client's until the last is taken", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(262_144, 262_145, 327_679, 327_680, 1_000_000),
      fc.nat(16),
      async (length, taken) => {
        const content = Uint8Array.from({ length }, (_, i) => i * 7 + (i >> 8));
        const client = countingClient();
        const frame = inPieces(content, { "content-type": "text/json" }, client);
        assertEquals(frame.header, { "content-type": "text/json", "content-length": length });
        assertEquals(client.held, length);
        let at = 0;
        const reader = frame.content.getReader();
        for (let i = 0; i <= taken; i++) {
          const { done, value } = await reader.read();
          if (done) break;
          assert(value.length > 0 && value.length <= 65_536);
          assertEquals(value, content.subarray(at, at + value.length));
          at += value.length;
          assertEquals(client.held, at < length ? length : 0);
        }
        // The client may leave at any time.
        await reader.cancel();
        assertEquals(client.held, 0);
      },
    ),
    { numRuns: 15 },
  );
});
