import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Payload } from "../../lib/load/payload.ts";

const messagesArbitrary = fc.array(fc.uint8Array({ minLength: 1, maxLength: 9 }), {
  minLength: 1,
  maxLength: 5,
});

Deno.test("Payload's batches, one after the other, are the messages over and over", () => {
  fc.assert(fc.property(
    messagesArbitrary,
    fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 12 }),
    (messages, counts) => {
      const payload = new Payload(messages, 7);
      let sent = 0;
      for (const count of counts) {
        const { bytes, ends } = payload.batch(sent, count);
        let start = 0;
        for (const end of ends) {
          assertEquals([...bytes.subarray(start, end)], [...messages[sent % messages.length]!]);
          assertEquals(payload.lengthOf(sent), end - start);
          start = end;
          sent++;
        }
        assertEquals([ends.length, bytes.length], [count, start]);
      }
    },
  ));
});

Deno.test("Payload.firstDifference() finds a changed byte wherever in the stream it is", () => {
  fc.assert(fc.property(
    messagesArbitrary,
    fc.nat(200),
    fc.integer({ min: 1, max: 120 }),
    fc.nat(),
    (messages, position, length, which) => {
      const payload = new Payload(messages, 3);
      const turn = messages.flatMap((message) => [...message]);
      const bytes = Uint8Array.from({ length }, (_, i) => turn[(position + i) % turn.length]!);
      assertEquals(payload.firstDifference(position, bytes), -1);
      bytes[which % length]! ^= 1;
      assertEquals(payload.firstDifference(position, bytes), which % length);
    },
  ));
});
