import { assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import { MessageEdges } from "../../lib/net/message_edges.ts";
import { frameOf, OP } from "./raw_web_socket.ts";

/** A message in fragments, with control frames anywhere between them; or a control frame alone. */
const sequence = fc.oneof(
  fc.array(
    fc.record({
      length: fc.oneof(fc.nat(20), fc.integer({ min: 120, max: 130 }), fc.constant(65_536)),
      masked: fc.boolean(),
      ping: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4 },
  ).map((fragments) =>
    fragments.flatMap(({ length, masked, ping }, i) => [
      frameOf(new Uint8Array(length), {
        masked,
        op: i === 0 ? OP.binary : OP.more,
        fin: i === fragments.length - 1,
      }),
      ...(ping && i < fragments.length - 1 ? [frameOf("still there?", { op: OP.ping })] : []),
    ])
  ),
  fc.constantFrom(OP.ping, OP.pong).map((op) => [frameOf("alone", { op })]),
);

Deno.test("MessageEdges knows what is open, wherever messages are cut", () => {
  const sequences = fc.array(sequence, { minLength: 1, maxLength: 5 });
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });
  fc.assert(fc.property(sequences, cuts, (all, at) => {
    const whole = all.map((frames) => frames.reduce((sum, { length }) => sum + length, 0));
    const ends = new Set(whole.map((_, i) => whole.slice(0, i + 1).reduce((a, b) => a + b, 0)));
    const bytes = concat(all.flat());
    const edges = new MessageEdges();
    let begin = 0;
    const places = at.map((share) => Math.floor(share * bytes.length)).sort((a, b) => a - b);
    for (const end of [...places, bytes.length]) {
      const { isOpen, hasEnd } = edges.follow(bytes.subarray(begin, end));
      assertEquals(isOpen, end > 0 && !ends.has(end), `after ${end} bytes`);
      assertEquals(hasEnd, [...ends].some((each) => each > begin && each <= end));
      begin = end;
    }
  }));
});

Deno.test("MessageEdges counts nothing behind a Close frame", () => {
  const edges = new MessageEdges();
  const close = frameOf(Uint8Array.of(3, 232), { op: OP.close });
  assertEquals(edges.follow(frameOf("x", { fin: false })).isOpen, true);
  assertEquals(edges.follow(Uint8Array.from([...close, 2])), { isOpen: false, hasEnd: true });
  assertEquals(edges.follow(Uint8Array.of(2, 255)), { isOpen: false, hasEnd: false });
});
