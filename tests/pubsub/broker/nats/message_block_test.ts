import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ByteBuffer, encodeFrame, FrameDecoder } from "../../../../lib/frame/mod.ts";
import { digitsOf, writeMessages } from "../../../../lib/pubsub/broker/nats/message_block.ts";

const encoder = new TextEncoder();

/** Frames in one buffer, behind something else. */
function framesOf(contents: readonly Uint8Array[]) {
  const parts = contents.map((content) => encodeFrame({ header: { op: "pub" }, content }));
  const before = 3;
  const bytes = new Uint8Array(before + parts.reduce((sum, { length }) => sum + length, 0));
  let at = before;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return new FrameDecoder().decode(bytes, before).frames;
}

Deno.test("writeMessages writes what each message would be by itself", () => {
  const length = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constantFrom(95, 96, 97, 1_000));
  const contents = length.chain((length) =>
    fc.array(fc.uint8Array({ minLength: length, maxLength: length }), {
      minLength: 1,
      maxLength: 40,
    })
  );
  // Around carries, as far as the number of digits stays.
  const counts = fc.tuple(
    fc.integer({ min: 1, max: 12 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  fc.assert(fc.property(
    contents,
    fc.option(counts, { nil: undefined }),
    fc.nat({ max: 3 }),
    fc.string({ maxLength: 20 }),
    (contents, place, skipped, text) => {
      const first = Math.min(skipped, contents.length - 1);
      let count: number | undefined;
      if (place) {
        const [digits, share] = place;
        const [low, high] = [10 ** (digits - 1), 10 ** digits];
        const room = high - low - contents.length;
        // Where there are too few numbers with so many digits, those with more.
        count = room < 0 ? 100 : low + Math.floor(share * room);
      }
      const output = new ByteBuffer(1);
      output.append(encoder.encode("before"));
      const start = encoder.encode(text);
      writeMessages(output, start, count, framesOf(contents), first, contents.length);
      const expected = new ByteBuffer();
      expected.append(encoder.encode("before"));
      contents.slice(first).forEach((content, i) => {
        const counted = count === undefined ? "" : `${count + i}\r\n\r\n`;
        expected.append(encoder.encode(text + counted));
        expected.append(content);
        expected.append(encoder.encode("\r\n"));
      });
      assertEquals(output.view(), expected.view());
    },
  ));
});

Deno.test("digitsOf counts digits", () => {
  for (const count of [0, 1, 9, 10, 99, 100, 12_345, 999_999_999_999]) {
    assertEquals(digitsOf(count), String(count).length);
  }
});
