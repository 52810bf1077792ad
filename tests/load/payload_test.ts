import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Batch, PatternMessage, Payload, PIECE_BYTES } from "../../lib/load/payload.ts";

const messagesArbitrary = fc.array(fc.uint8Array({ minLength: 1, maxLength: 9 }), {
  minLength: 1,
  maxLength: 5,
});

/** All bytes of a batch, piece by piece. */
function bytesOf(batch: Batch): number[] {
  const bytes: number[] = [];
  while (bytes.length < batch.length) {
    const piece = batch.piece(bytes.length);
    assert(piece.length > 0 && piece.length <= PIECE_BYTES);
    for (const byte of piece) bytes.push(byte);
  }
  assertEquals(bytes.length, batch.length);
  return bytes;
}

Deno.test("Payload's batches, one after the other, are the messages over and over", () => {
  fc.assert(fc.property(
    messagesArbitrary,
    fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 12 }),
    (messages, counts) => {
      const payload = new Payload(messages, 7);
      let sent = 0;
      for (const count of counts) {
        const expected = Array.from({ length: count }, (_, i) => {
          const message = messages[(sent + i) % messages.length]!;
          assertEquals(payload.lengthOf(sent + i), message.length);
          return [...message];
        });
        assertEquals(bytesOf(payload.batch(sent, count)), expected.flat());
        sent += count;
      }
    },
  ));
});

Deno.test("Payload.firstDifference() finds a changed byte wherever in the stream it is", () => {
  fc.assert(fc.property(
    messagesArbitrary,
    fc.nat(20),
    fc.nat(8),
    fc.integer({ min: 1, max: 120 }),
    fc.nat(),
    (messages, index, begin, length, which) => {
      const payload = new Payload(messages, 3);
      const offset = begin % payload.lengthOf(index);
      const from = messages.flatMap((_, i) => [...messages[(index + i) % messages.length]!]);
      const bytes = Uint8Array.from({ length }, (_, i) => from[(offset + i) % from.length]!);
      assertEquals(payload.firstDifference(index, offset, bytes), -1);
      const changed = which % length;
      assertEquals(payload.byteAt(index, offset + changed), bytes[changed]);
      bytes[changed]! ^= 1;
      assertEquals(payload.firstDifference(index, offset, bytes), changed);
    },
  ));
});

Deno.test("PatternMessage is the letters a to w over and over, whatever the size", () => {
  for (const size of [1, 23, 24, PIECE_BYTES, 3 * PIECE_BYTES + 7]) {
    const bytes = bytesOf(new PatternMessage(size));
    assert(bytes.every((byte, i) => byte === 97 + i % 23), `${size} bytes`);
  }
});

Deno.test("Payload takes no memory for messages of a size", () => {
  const payload = new Payload([new PatternMessage(2 ** 40)], 64);
  assertEquals([payload.maxBatch, payload.lengthOf(5)], [1, 2 ** 40]);
  const tail = Uint8Array.of(97 + (2 ** 40 - 1) % 23, 97);
  assertEquals(payload.firstDifference(0, 2 ** 40 - 1, tail), -1);
});
