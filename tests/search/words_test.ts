import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { headingOf, headingsOf } from "../../lib/search/words/heading.ts";
import { UnseenWords } from "../../lib/search/words/unseen_words.ts";
import { isSpellable } from "../../lib/search/words/vocabulary_word.ts";
import { eachWord, normalise, wordsOf } from "../../lib/search/words/words.ts";
import { anyCharacter } from "../support/any_character.ts";

Deno.test("words that people take for the same are equal", () => {
  const groups: string[][] = [
    // Compatibility forms.
    ["ABC", "ＡＢＣ", "ａｂｃ", "𝐀𝐁𝐂", "ⓐⓑⓒ".normalize("NFKC")],
    ["fine", "ﬁne", "FINE"],
    ["ガギ", "ｶﾞｷﾞ", "カ\u3099キ\u3099"],
    ["h2o", "H₂O"],
    // Signs inside words.
    ["automatic", "auto\u00admatic", "auto\u200dmatic", "\u2060automatic\ufeff"],
    // Accents, points and marks.
    ["ёлка", "елка", "Ёлка", "е\u0308лка"],
    ["замок", "за\u0301мок"],
    ["οδυσσευσ", "Ὀδυσσεύς", "ΟΔΥΣΣΕΥΣ", "οδυσσεύς"],
    ["שלום", "שָׁלוֹם"],
    ["كتاب", "كِتَابٌ", "كـتـاب"],
    ["احمد", "أحمد", "آحمد", "ٱحمد"],
    ["کتاب", "كتاب"],
    ["34", "٣٤", "۳۴", "３４"],
    // Letters that people write in two ways.
    ["strasse", "Straße", "STRASSE", "STRAẞE"],
    ["ore", "Øre", "øre"],
    ["lodz", "Łódź", "ŁÓDŹ"],
    ["dorde", "Đorđe"],
    ["oeuvre", "œuvre", "ŒUVRE"],
    ["aether", "Æther"],
    ["istanbul", "İstanbul", "ıstanbul"],
    ["han", "hân", "Hãn"],
    ["한국", "한국"],
  ];
  for (const group of groups) {
    const words = group.map((each) => wordsOf(each).join(" "));
    assertEquals(new Set(words).size, 1, `${group}: ${words}`);
  }
  const different = [["мой", "мои"], ["が", "か"], ["हिन्दी", "हन्द"], ["น้ำ", "นำ"], ["l", "ı2"]];
  for (const [a, b] of different) assert(wordsOf(a!).join() !== wordsOf(b!).join(), `${a} ${b}`);
});

Deno.test("words are where they end for people", () => {
  const cases: Record<string, string[]> = {
    "don't foo_bar(x) 3.14 a@b.example": "don t foo bar x 3 14 a b example".split(" "),
    "naïve—word «x»": ["naive", "word", "x"],
    "東京ラーメン": ["東", "京", "ラ", "ー", "メ", "ン"],
    "a🐶b 👨‍👩‍👧 👍🏽 1️⃣": ["a", "🐶", "b", "👨", "👩", "👧", "👍", "1"],
    "Foo™ x²": ["foo", "tm", "x2"],
    "½": ["1", "2"],
    "": [],
    " \0\ud800": [],
  };
  for (const [text, words] of Object.entries(cases)) assertEquals(wordsOf(text), words, text);
});

Deno.test("C++, C#, F# and .NET are words, and what only looks so is not", () => {
  const shown = (text: string) =>
    wordsOf(text).map((word) =>
      word.replaceAll("\ufdd0", "+").replaceAll("\ufdd1", "#").replaceAll("\ufdd2", ".")
    );
  const cases: Record<string, string[]> = {
    "C++ c# F#, (J#)": ["c++", "c#", "f#", "j#"],
    "C++11 C#9": ["c++", "11", "c#", "9"],
    "Ｃ＋＋ Ｃ＃": ["c++", "c#"],
    "学习C++编程": ["学", "习", "c++", "编", "程"],
    ".NET .net 使用.NET框架": "net .net net .net 使 用 net .net 框 架".split(" "),
    "Notepad++ libstdc++": ["notepad", "notepad++", "libstdc", "libstdc++"],
    ".gitignore": ["gitignore", ".gitignore"],
    "ASP.NET a.b ..x": ["asp", "net", "a", "b", "x"],
    "issue#12 #tag a#b a+++b a+b C+": "issue 12 tag a b a b a b c".split(" "),
    "1# 2++ 3.5 .5": ["1", "2", "3", "5", "5"],
    "The end. Next": ["the", "end", "next"],
  };
  for (const [text, words] of Object.entries(cases)) assertEquals(shown(text), words, text);
});

const PIECES = ["C", "++", "#", ".", "NET", "é", "e\u0301", "学", " ", "\u00ad", "ｶ", "ﾞ", "ß"];
const MORE = ["½", "ﷺ", "👍🏽", "\u200d", "가", "ᄀ", "ᅡ", "ᆨ", "Σ", "-", "٣", "\u3099", "か", "İ"];
const anyText = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 60 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.array(fc.constantFrom(...PIECES, ...MORE, "™", "＋", "\ud800", "\0", "\n"), { maxLength: 14 })
    .map((parts) => parts.join("")),
);

Deno.test("the index's tokenizer makes the same words of a normalised text", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      // SQLite's `ascii` splits at ASCII characters that are no letters and digits, and folds A to Z.
      const tokens = normalise(text).replace(/[A-Z]/g, (letter) => letter.toLowerCase())
        // deno-lint-ignore no-control-regex
        .split(/[\x00-\x2f\x3a-\x60\x7b-\x7f]+/).filter((token) => token !== "");
      assertEquals(wordsOf(text), tokens);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("a word's place in the text holds that word", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      let last = 0;
      eachWord(text, (word, start, end) => {
        assert(start < end && end <= text.length && start >= last - 1);
        last = start;
        assert(wordsOf(text.slice(start, end)).includes(word), `${word} in ${text}`);
      });
    }),
    { numRuns: 1000 },
  );
});

Deno.test("letters with accents and single pictures are the words that other text has of them", () => {
  const ranges = [[0xc0, 0x24f], [0x1f300, 0x1f64f]] as const;
  const all = ranges.flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, i) => String.fromCodePoint(from + i))
  );
  // A soft hyphen is no part of a word; with one, a run is looked at character by character.
  const wordsBySign = (run: string) => wordsOf(`${run}\u00ad`);
  for (const sign of all) {
    for (const run of [sign, `a${sign}1`, sign + sign]) {
      assertEquals(wordsOf(run), wordsBySign(run), run);
    }
  }
  const anyRun = fc.string({ unit: fc.constantFrom("a", "Z", "7", ...all), maxLength: 40 });
  fc.assert(fc.property(anyRun, (run) => assertEquals(wordsOf(run), wordsBySign(run))));
});

Deno.test("spelling is corrected by words of 3 to 40 letters, in writing with spaces", () => {
  const spellable = (word: string) =>
    /^\p{L}[\p{L}\p{M}]{2,39}$/u.test(word) &&
    !/[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]/u.test(word);
  const cases = [
    "it",
    "its",
    "x".repeat(40),
    "x".repeat(41),
    "p53",
    "été",
    "ёлка",
    "a-b",
    "",
    "東京都",
  ];
  for (const word of [...cases, "\u{1f430}\u{1f430}\u{1f430}", "\u{1e900}\u{1e901}\u{1e902}"]) {
    assertEquals(isSpellable(word), spellable(word), word);
  }
  const pictures = Array.from({ length: 0xc00 }, (_, i) => String.fromCodePoint(0x1f000 + i));
  assertEquals(pictures.filter((sign) => isSpellable(sign + "ab")), []);
  assertEquals(pictures.filter((sign) => /\p{L}/u.test(sign)), []);
});

Deno.test("a title is compared by its words, with and without its number, and a file's name too", () => {
  const cases: [string, string, string[]][] = [
    ["8.1. Numeric Types", "1", ["8 1 numeric types", "numeric types"]],
    ["3.2 Foo", "foo", ["3 2 foo", "foo"]],
    ["Chapter 8. Data Types", "1", ["chapter 8 data types", "data types"]],
    ["2001 A Space Odyssey", "1", ["2001 a space odyssey"]],
    ["json — JSON encoder", "library/json.html", ["json json encoder", "json", "json html"]],
    ["open, openat", "open.2", ["open openat", "open", "open 2"]],
    ["open 2", "open.2", ["open 2", "open"]],
    ["4. ", "doc-4", ["4"]],
    ["", "?", []],
  ];
  for (const [title, key, headings] of cases) assertEquals(headingsOf(title, key), headings, title);
});

Deno.test("the heading of a title is its words, whatever is between them", () => {
  const piece = fc.oneof(
    fc.constantFrom(" ", "Big", "c", "2", ".", "#", "++", "-", "é", "中"),
    anyCharacter,
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
    const title = pieces.join("");
    assertEquals(headingOf(title), wordsOf(title).join(" "));
  }));
});

Deno.test("each ideograph is a word as it stands, with what belongs to it", () => {
  const cases: readonly (readonly [text: string, words: string])[] = [
    ["\u4e00\u9fff\u3400\u4dbf", "\u4e00 \u9fff \u3400 \u4dbf"],
    ["\u{20000}\u{2a3ff}\u{2a400}\u4e00", "\u{20000} \u{2a3ff} \u{2a400} \u4e00"],
    ["\u4e00abc\u4e01 1\u4e02\u3042\u30a2", "\u4e00 abc \u4e01 1 \u4e02 \u3042 \u30a2"],
    // A compatibility form, a choice of a form, a mark, a sign that joins, and a comma.
    ["\u4e00\uf900\u4e01", "\u4e00 \u8c48 \u4e01"],
    ["\u4e00\ufe00\u4e01\u{e0100}\u4e02", "\u4e00 \u4e01 \u4e02"],
    ["\u4e00\u200d\u4e01\uff0c\u4e02\u3002\u4e03", "\u4e00 \u4e01 \u4e02 \u4e03"],
  ];
  for (const [text, words] of cases) {
    assertEquals(wordsOf(text).join(" "), words);
    assertEquals(wordsOf(normalise(text)).join(" "), words);
    let end = 0;
    eachWord(text, (word, from, to) => {
      assert(from >= end && to > from, `${text}: ${from} to ${to}`);
      if (!word.startsWith("\u8c48")) assert(text.slice(from, to).startsWith(word), text);
      end = to;
    });
  }
});

Deno.test("UnseenWords visits each word that isSpellable() holds for once, until it is cleared", () => {
  const part = fc.oneof(
    fc.constantFrom(
      "abc",
      "AbC",
      "a1c",
      "x".repeat(40),
      "x".repeat(41),
      "_",
      " ",
      "-",
      "c++",
      ".net",
    ),
    fc.string({ maxLength: 4 }),
    anyCharacter,
  );
  const unseen = new UnseenWords();
  const visit = (text: string) => {
    const words: string[] = [];
    unseen.visit(text, (word) => void words.push(word));
    return words;
  };
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const text = parts.join("");
      assertEquals(visit(text), [...new Set(wordsOf(text).filter(isSpellable))], text);
      assertEquals(visit(text), [], text);
      unseen.clear();
    }),
    { numRuns: 200 },
  );
});

Deno.test("UnseenWords tells many words apart, and forgets the first ones when they are too many", () => {
  const unseen = new UnseenWords();
  const letters = "abcdefghijklmnop";
  const word = (n: number) => [12, 8, 4, 0].map((bits) => letters[(n >> bits) & 15]).join("");
  const words = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => word(from + i)).join(" ");
  const count = (text: string) => {
    let n = 0;
    unseen.visit(text, () => void n++);
    return n;
  };
  assertEquals(count(words(0, 32_000)), 32_000);
  assertEquals(count(words(0, 32_000)), 0);
  assertEquals(count(words(32_000, 64_000)), 32_000);
  assertEquals(count("ÄAAA aaaa"), 1);
});
