import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { parseQuery } from "../../lib/search/query/parse.ts";
import { snippetOf, WordMatcher } from "../../lib/search/query/snippet.ts";

function snippet(text: string, query: string): string {
  return snippetOf(text, new WordMatcher(parseQuery(query)));
}

const FILLER = "Lorem ipsum dolor sit amet. ".repeat(40);

Deno.test("a short text is its own passage, on one line", () => {
  assertEquals(snippet("  Two\n\n  lines\t here ", "none"), "Two lines here");
});

Deno.test("a passage is cut around the match, at spaces", () => {
  const passage = snippet(`${FILLER}the white rabbit runs. ${FILLER}`, "RABBIT");
  assertStringIncludes(passage, "the white rabbit runs.");
  assert(/^…\S.*\S…$/.test(passage) && passage.length <= 242);
  assert(/^…(Lorem|ipsum|dolor|sit|amet\.) /.test(passage));
});

Deno.test("a passage has as many different words of the query as it can", () => {
  const text = `rabbit ${FILLER} rabbit rabbit ${FILLER} a white rabbit ${FILLER}`;
  assertStringIncludes(snippet(text, "rabbit white"), "a white rabbit");
  assertStringIncludes(snippet(text, "rabbit whi*"), "a white rabbit");
});

Deno.test("a text without a match begins the passage, one at its end ends it", () => {
  assert(snippet(FILLER, "rabbit").startsWith("Lorem ipsum"));
  const atEnd = snippet(`${FILLER}rabbit`, "rabbit");
  assert(atEnd.startsWith("…") && atEnd.endsWith("rabbit"));
});

Deno.test("a match is found without case, diacritics and spaces", () => {
  assertStringIncludes(snippet(`${FILLER}le CAFÉ fermé ${FILLER}`, "cafe"), "CAFÉ");
  const japanese = "これは長い文章です。".repeat(40);
  assertStringIncludes(snippet(`${japanese}東京都${japanese}`, "京都"), "東京都");
  assertStringIncludes(snippet(`${FILLER}a 🐶 b ${FILLER}`, "🐶"), "🐶");
});

Deno.test("a passage comes of any text, bounded and well-formed", () => {
  const text = fc.string({ unit: "binary", minLength: 200, maxLength: 900 });
  fc.assert(fc.property(text, fc.string({ unit: "binary" }), (text, query) => {
    const passage = snippet(text, query);
    assert(passage.length <= 242 && passage.isWellFormed() && !passage.includes("\n"));
  }));
});
