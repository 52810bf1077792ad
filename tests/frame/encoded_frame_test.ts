import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { EncodedFrame, encodeFrame, FrameDecoder, FrameError } from "../../lib/frame/mod.ts";
import { join } from "./raw_frames.ts";

Deno.test("a frame is encoded once, and its bytes are a frame", () => {
  const frame = { header: { id: 5 }, content: "with ünïcödé" };
  const encoded = EncodedFrame.encode(frame);
  assertEquals(encoded.bytes, encodeFrame(frame));
  assertStrictEquals(EncodedFrame.from(encoded.bytes).bytes, encoded.bytes);
});

Deno.test("the bytes of a frame that came can be sent again", () => {
  const came = new FrameDecoder().decode(encodeFrame({ content: new Uint8Array(100_000) }));
  assertEquals(EncodedFrame.from(came.frames[0]!.bytes).bytes.length, came.consumed);
});

Deno.test("bytes that are not exactly one frame are refused, with the reason", () => {
  const frame = encodeFrame({ content: "abc" });
  const wrong: [Uint8Array, RegExp][] = [
    [new Uint8Array(0), /they are 0 frames/],
    [join(frame, frame), /they are 2 frames/],
    [frame.subarray(0, frame.length - 1), /2 of 3 bytes came/],
    [join(frame, new Uint8Array(1)), /1 of 2 bytes came/],
    [new TextEncoder().encode("not a frame"), /ended inside the header/],
    [new Uint8Array([0, 2, 0x5b, 0x5d]), /not a JSON object/],
  ];
  for (const [bytes, message] of wrong) {
    const error = assertThrows(() => EncodedFrame.from(bytes), TypeError);
    assertEquals(message.test(error.message), true, error.message);
    assertEquals(error.cause === undefined || error.cause instanceof FrameError, true);
  }
});

Deno.test("a frame that cannot be encoded is refused", () => {
  assertThrows(() => EncodedFrame.encode({ header: { x: "y".repeat(70_000) } }), RangeError);
});
