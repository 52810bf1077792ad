import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ByteBuffer } from "../../../lib/frame/mod.ts";
import { writeConfirmation, writeControl } from "../../../lib/pubsub/protocol/control_frame.ts";

Deno.test("a confirmation is the control frame that it stands for", () => {
  const number = fc.oneof(fc.nat(20), fc.maxSafeNat());
  const buffer = new ByteBuffer(1);
  const expected = new ByteBuffer(1);
  fc.assert(fc.property(number, number, (id, receivers) => {
    writeConfirmation(buffer, id, receivers);
    writeControl(expected, "ok", { id, receivers });
    assertEquals(buffer.view(), expected.view());
  }));
});
