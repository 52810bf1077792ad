import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { highlighted } from "../../../cmd/_search/highlighted.ts";

const show = (text: string, ranges: unknown) =>
  highlighted(text, ranges, (word) => `<${word}>`, (part) => part.replaceAll("\x1b", "^"));

Deno.test("words are dressed where the server says, and the rest is as it is", () => {
  assertEquals(show("the white rabbit", [[4, 9], [10, 16]]), "the <white> <rabbit>");
  assertEquals(show("\x1b[2J white\x1b", [[5, 11]]), "^[2J <white^>");
  assertEquals(show("plain", []), "plain");
});

Deno.test("what is no range is left out, and nothing of the text is lost", () => {
  const range = fc.oneof(fc.tuple(fc.integer({ max: 12 }), fc.integer({ max: 12 })), fc.anything());
  fc.assert(fc.property(fc.string({ maxLength: 10 }), fc.anything(), (text, ranges) => {
    assertEquals(highlighted(text, ranges, (word) => word, (part) => part), text);
  }));
  fc.assert(fc.property(fc.string({ maxLength: 10 }), fc.array(range), (text, ranges) => {
    assertEquals(highlighted(text, ranges, (word) => word, (part) => part), text);
  }));
});
