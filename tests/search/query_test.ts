import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseQuery, replaceWords } from "../../lib/search/query/parse.ts";
import { matchExpression } from "../../lib/search/query/match.ts";
import type { SearchEngine } from "../../lib/search/mod.ts";
import { anyCharacter } from "../support/any_character.ts";
import { sharedEngine } from "./shared_engine.ts";

const ENTRIES = {
  rabbit: "Follow the white rabbit down the hole.",
  ring: "A ring in the white caves.",
  cafe: "Le café est fermé. ΟΔΟΣ Straße",
  tokyo: "東京都に住んでいます。ラーメンが好きです。",
  thai: "ภาษาไทยง่ายมาก",
  hindi: "नमस्ते दुनिया",
  pets: "A dog 🐶 and a 🐰🐰 pair ❤️ 👨‍👩‍👧",
  code: "don't call foo_bar(x) at 3.14 e-mail a@b.example",
};

const queries = sharedEngine("queries");

function withEntries(test: (engine: SearchEngine) => Promise<void>) {
  return async (engine: SearchEngine) => {
    const entries = Object.entries(ENTRIES);
    await Promise.all(entries.map(([key, text]) => engine.put({ key, title: "", text })));
    await test(engine);
  };
}

queries.test(
  "words, phrases, prefixes, OR and - choose entries",
  withEntries(async (engine) => {
    const cases: [string, string[]][] = [
      ["white", ["rabbit", "ring"]],
      ["white hole", ["rabbit"]],
      ["hole white", ["rabbit"]],
      ['"white rabbit"', ["rabbit"]],
      ['"rabbit white"', []],
      ['"white rabb', []],
      ['"white rabb"*', ["rabbit"]],
      ["whi*", ["rabbit", "ring"]],
      ["hole OR caves", ["rabbit", "ring"]],
      ["white hole OR caves", ["rabbit", "ring"]],
      ["white -caves", ["rabbit"]],
      ['white -"down the"', ["ring"]],
      ["white -hole -caves", []],
      ["-white", []],
      ["OR", []],
      ["OR white OR", ["rabbit", "ring"]],
      ["WHITE", ["rabbit", "ring"]],
      ["white AND hole", []],
    ];
    for (const [query, keys] of cases) {
      const { hits, total } = await engine.search(query, { exact: true });
      assertEquals(hits.map((hit) => hit.key).sort(), keys, query);
      assertEquals(total, keys.length, query);
    }
  }),
);

queries.test(
  "case and diacritics do not count",
  withEntries(async (engine) => {
    for (const query of ["cafe", "CAFÉ", "cafe\u0301", "Fermé", "straße", "οδος", "ΟΔΟΣ"]) {
      assertEquals((await engine.search(query)).hits[0]?.key, "cafe", query);
    }
  }),
);

queries.test(
  "writing without spaces is found anywhere, and emoji are words",
  withEntries(async (engine) => {
    const cases = {
      東京: "tokyo",
      京都: "tokyo",
      ラーメン: "tokyo",
      住: "tokyo",
      ไทย: "thai",
      नमस्ते: "hindi",
      "🐶": "pets",
      "🐰 🐶": "pets",
      "❤": "pets",
      "❤️": "pets",
      "👨‍👩‍👧": "pets",
    };
    for (const [query, key] of Object.entries(cases)) {
      assertEquals((await engine.search(query)).hits.map((hit) => hit.key), [key], query);
    }
    assertEquals((await engine.search("都京")).total, 0);
  }),
);

queries.test(
  "a word with marks in it is found as it is written",
  withEntries(async (engine) => {
    for (
      const query of ["don't", "foo_bar(x)", "foo_bar", "3.14", "e-mail", "a@b.example", "don"]
    ) {
      assertEquals((await engine.search(query)).hits[0]?.key, "code", query);
    }
  }),
);

queries.test(
  "an exact key comes first, and the others follow without a gap in the pages",
  withEntries(async (engine) => {
    await engine.put({ key: "other", title: "rabbit rabbit", text: "rabbit rabbit rabbit" });
    await engine.put({ key: "third", title: "", text: "a rabbit as well" });
    const all = await engine.search("rabbit");
    assertEquals(all.hits.map((hit) => hit.key), ["rabbit", "other", "third"]);
    assertEquals([all.total, all.exact, all.result], [3, true, ENTRIES.rabbit]);
    const pages: string[] = [];
    for (let offset = 0; offset < 4; offset++) {
      const page = await engine.search("rabbit", { limit: 1, offset });
      assertEquals([page.total, page.result], [3, ENTRIES.rabbit]);
      pages.push(...page.hits.map((hit) => hit.key));
    }
    assertEquals(pages, ["rabbit", "other", "third"]);
    assertEquals((await engine.search("rabbit", { limit: 0 })).hits, []);
  }),
);

queries.test("an exact key that no word of its entry matches is found", async (engine) => {
  await engine.put({ key: "!?", title: "", text: "marks" });
  const { result, exact, total, hits } = await engine.search("!?");
  assertEquals([result, exact, total, hits[0]?.key, hits[0]?.score], ["marks", true, 1, "!?", 0]);
});

queries.test("a match in the title counts more than one in the text", async (engine) => {
  await engine.put({ key: "1", title: "Gardens", text: "all about water and flowers" });
  await engine.put({ key: "2", title: "Water", text: "all about gardens and flowers" });
  assertEquals((await engine.search("water")).hits.map((hit) => hit.key), ["2", "1"]);
  const { hits } = await engine.search("gardens");
  assertEquals(hits.map((hit) => hit.key), ["1", "2"]);
  assert(hits[0]!.score > hits[1]!.score);
});

queries.test("limit and offset are bounded", async (engine) => {
  await Promise.all(
    Array.from({ length: 150 }, (_, i) => engine.put({ key: `k${i}`, title: "", text: "same" })),
  );
  const { hits, total, totalExact } = await engine.search("same", { limit: 1_000_000 });
  assertEquals([hits.length, total, totalExact], [100, 150, true]);
  assertEquals((await engine.search("same")).hits.length, 10);
  assertEquals((await engine.search("same", { offset: 145 })).hits.length, 5);
  assertEquals((await engine.search("same", { offset: 2 ** 40 })).hits.length, 0);
});

queries.test("suggest() completes keys, then words of titles", async (engine) => {
  await engine.put({ key: "red-fox", title: "A quick animal", text: "" });
  await engine.put({ key: "red-deer", title: "Antlers", text: "" });
  await engine.put({ key: "42", title: "The Red Planet", text: "mars" });
  await engine.put({ key: "赤い", title: "", text: "" });
  const keys = async (prefix: string, limit = 10) =>
    (await engine.suggest(prefix, { limit })).map((each) => each.key);
  assertEquals(await keys("red"), ["red-deer", "red-fox", "42"]);
  assertEquals(await keys("red", 2), ["red-deer", "red-fox"]);
  assertEquals(await keys("The red pl"), ["42"]);
  assertEquals(await keys("quick an"), ["red-fox"]);
  assertEquals(await keys("赤"), ["赤い"]);
  assertEquals([await keys(""), await keys("mars"), await keys("red", 0)], [[], [], []]);
  assertEquals(await engine.suggest("42"), [{ key: "42", title: "The Red Planet" }]);
});

queries.test(
  "no query is an error",
  withEntries(async (engine) => {
    const piece = fc.oneof(
      fc.constantFrom(
        '"',
        "*",
        "-",
        "OR",
        "AND",
        "NOT",
        "NEAR(",
        ")",
        "^",
        ":",
        "{",
        "}",
        "+",
        "\0",
      ),
      fc.constantFrom(
        "white",
        "rab",
        "東京",
        "🐶",
        "\ud800",
        "\udc00",
        " ",
        "\n",
        "key:",
        "%",
        "'",
      ),
      fc.string({ unit: anyCharacter }),
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((n) => String.fromCharCode(n)) }),
    );
    const query = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(query, async (text) => {
        const { hits, total } = await engine.search(text);
        assert(hits.length <= total);
        await engine.suggest(text);
        engine.lookup(text);
      }),
      { numRuns: 120 },
    );
  }),
);

Deno.test("words of a query are replaced where they stand, and nothing else changes", () => {
  const cases: [string, Record<string, string>, string][] = [
    ["Rabit  White", { rabit: "rabbit" }, "rabbit  White"],
    ['"misty mountians" -mountians', { mountians: "mountains" }, '"misty mountains" -mountians'],
    ["a OR Caffé* b", { caffe: "cafe" }, "a OR cafe* b"],
    ["foo_baz(x)", { baz: "bar" }, "foo_bar(x)"],
  ];
  for (const [text, replaced, expected] of cases) {
    assertEquals(replaceWords(parseQuery(text), new Map(Object.entries(replaced))).text, expected);
  }
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
    const query = parseQuery(text);
    assertEquals(matchExpression(replaceWords(query, new Map())), matchExpression(query));
  }));
});

queries.test(
  "a query of any length costs a bounded number of terms",
  withEntries(async (engine) => {
    for (const piece of ["a* ", "a OR ", "-a ", '"', '"a b" ', "東京", "a-b-", "OR "]) {
      const query = parseQuery(piece.repeat(100_000));
      const terms = [...query.groups.flat(), ...query.without];
      assert(terms.length <= 16 && terms.flatMap((term) => term.words).length <= 64);
      await engine.search(`white ${piece.repeat(100_000)}`);
    }
  }),
);
