import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { parseQuery } from "../../lib/search/query/parse.ts";
import { highlightsIn, snippetOf } from "../../lib/search/query/snippet.ts";
import { WordMatcher } from "../../lib/search/query/word_matcher.ts";
import { wordsOf } from "../../lib/search/words/words.ts";
import { anyCharacter } from "../support/any_character.ts";

function matcherOf(query: string): WordMatcher {
  return new WordMatcher([parseQuery(query)]);
}

function snippet(text: string, query: string): string {
  return snippetOf(text, matcherOf(query));
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
  const text = fc.string({ unit: anyCharacter, minLength: 200, maxLength: 900 });
  fc.assert(fc.property(text, fc.string({ unit: anyCharacter }), (text, query) => {
    const passage = snippet(text, query);
    assert(passage.length <= 242 && passage.isWellFormed() && !passage.includes("\n"));
  }));
});

Deno.test("of passages with the same words, the one with the most of them is cut out", () => {
  const text = `rabbit white ${FILLER} white rabbit, white rabbit ${FILLER} rabbit white`;
  assertStringIncludes(snippet(text, "white rabbit"), "white rabbit, white rabbit");
});

Deno.test("a phrase is looked for as a phrase, in Chinese and Japanese too", () => {
  const text = `white ${FILLER} rabbit white ${FILLER} a white rabbit ${FILLER}`;
  assertStringIncludes(snippet(text, '"white rabbit"'), "a white rabbit");
  const chinese = "天地玄黄宇宙洪荒。京の都。".repeat(30);
  assertStringIncludes(snippet(`${chinese}東京都の人${chinese}`, "東京都"), "東京都の人");
});

Deno.test("highlights are the words and phrases of the query, in code units", () => {
  const cases: [string, string, string[]][] = [
    ["The White Rabbit runs", "rabbit white", ["White", "Rabbit"]],
    ["A rabbit, a white rabbit", '"white rabbit"', ["white rabbit"]],
    ["Rabbits and rabbis", "rabb*", ["Rabbits", "rabbis"]],
    ["😀 Le CAFÉ, le cafe\u0301", "café", ["CAFÉ", "cafe\u0301"]],
    ["auto\u00admatic ﬁne Straße", "automatic fine strasse", ["auto\u00admatic", "ﬁne", "Straße"]],
    ["C, C++ and C#, .NET", "C++ .net", ["C++", ".NET"]],
    ["東京都、京都", "京都", ["京都", "京都"]],
    ["학교에서 학교", "학교", ["학교에서", "학교"]],
    ["none of it", "-none rabbit", []],
    ["white or rabbit", "hare OR rabbit", ["rabbit"]],
  ];
  for (const [text, query, expected] of cases) {
    const found = highlightsIn(text, matcherOf(query)).map(([start, end]) =>
      text.slice(start, end)
    );
    assertEquals(found, expected, query);
  }
});

Deno.test("a highlight covers a word of the query, and all words of the query are covered", () => {
  const word = fc.constantFrom(
    "white",
    "Rabbit",
    "Ёлка",
    "straße",
    "東京",
    "ｶﾞ",
    "ﬁn",
    "C++",
    ".NET",
    "x²",
  );
  const gap = fc.constantFrom(" ", ", ", " – ", "\u00a0", "(", "。");
  const text = fc.array(fc.tuple(word, gap), { maxLength: 12 }).map((parts) =>
    parts.flat().join("")
  );
  const query = fc.array(word, { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(text, query, (text, words) => {
    const wanted = new Set(words.flatMap(wordsOf));
    const ranges = highlightsIn(text, matcherOf(words.join(" ")));
    let last = -1;
    let covered = 0;
    for (const [start, end] of ranges) {
      assert(start > last && end > start && end <= text.length);
      last = end;
      const inside = wordsOf(text.slice(start, end));
      assert(inside.length > 0 && inside.every((each) => wanted.has(each)), text);
      covered += inside.length;
    }
    // Single words are always found; of a phrase each word only beside the others.
    const single = new Set(words.map(wordsOf).filter((each) => each.length === 1).flat());
    assert(covered >= wordsOf(text).filter((each) => single.has(each)).length);
  }));
});

Deno.test("words are found in the same places of plain text as of any other", () => {
  const matchers = ["ab", "a*", "ab b", "c++", ".ab", ".ab a", '"a ab"', "xab*", "zz", "zz ab"].map(
    matcherOf,
  );
  const pieces = [
    "a",
    "ab",
    "B",
    "xab",
    "ab+",
    "c++",
    ".",
    ".ab",
    " ",
    "  ",
    "-",
    "\n",
    "\t",
    "\0",
  ];
  fc.assert(fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (parts) => {
    const text = parts.join("");
    for (const matcher of matchers) {
      assertEquals(matcher.find(text, 100), matcher.find(`${text} é`, 100));
      assertEquals(matcher.find(text, 1), matcher.find(`${text} é`, 1));
    }
    const words = text.split(/[\s\0]+/).filter((part) => part !== "");
    assertEquals(snippet(text, "ab"), words.join(" "));
  }));
});
