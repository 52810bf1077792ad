import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { utf8Text } from "../../../cmd/_cli/utf8_text.ts";
import { anyCharacter } from "../../support/any_character.ts";

Deno.test("bytes that are shown as text are those that the text has, with a byte order mark too", () => {
  const encoder = new TextEncoder();
  const text = fc.string({ unit: anyCharacter }).map((each) => encoder.encode(`\ufeff${each}`));
  fc.assert(fc.property(fc.oneof(fc.uint8Array(), text), (bytes) => {
    const shown = utf8Text(bytes);
    if (shown !== undefined) assertEquals(encoder.encode(shown), new Uint8Array(bytes));
  }));
  assertEquals(utf8Text(encoder.encode("\ufeffä")), "\ufeffä");
  assertEquals(utf8Text(Uint8Array.of(0xff)), undefined);
});
