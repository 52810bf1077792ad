import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { openSearch, type SearchEngine } from "../../lib/search/mod.ts";
import { sharedEngine } from "./shared_engine.ts";
import { Folder, records } from "./support.ts";
import { editDistance } from "../../lib/search/query/edit_distance.ts";
import { soakSize } from "../support/soak_size.ts";

const spelling = sharedEngine("spelling");

async function putTexts(engine: SearchEngine, texts: readonly string[]): Promise<void> {
  await Promise.all(texts.map((text, i) => engine.put({ key: `${i}`, title: "", text })));
}

function withTexts(texts: readonly string[], test: (engine: SearchEngine) => Promise<void>) {
  return async (engine: SearchEngine) => {
    await putTexts(engine, texts);
    await test(engine);
  };
}

spelling.test(
  "a query that matches nothing is answered by a spelling within two edits",
  withTexts(
    ["Follow the white rabbit", "the misty mountains", "café au lait", "a rabbi", "кролик"],
    async (engine) => {
      const cases = {
        rabit: "rabbit",
        "rabit white": "rabbit white",
        wihte: "white",
        mountans: "mountains",
        mmoutains: "mountains",
        '"misty mountians"': '"misty mountains"',
        "whit rabbitt": "white rabbit",
        caffe: "cafe",
        кралик: "кролик",
        "nothing OR mistt": "nothing OR misty",
        "whitte -mountains": "white -mountains",
      };
      for (const [query, corrected] of Object.entries(cases)) {
        const result = await engine.search(query);
        assertEquals(result.corrected, corrected, query);
        assert(result.total > 0 && result.hits.length > 0 && !result.exact);
      }
    },
  ),
);

spelling.test(
  "a query is left as it is where it matches, and where nothing is near",
  withTexts(["white rabbit", "black rabbits", "it is so"], async (engine) => {
    for (const query of ["rabbit", "rab*", "elephant", "-white", "zz", "e", "xabbixxx", "wxyte*"]) {
      assertEquals((await engine.search(query)).corrected, undefined, query);
    }
  }),
);

spelling.test(
  "numbers, codes, emoji, short words, first letters and known words are not corrected",
  withTexts(
    [
      "error E0382 at 4711 🐶 cat form from tables",
      "rabbit tabled planet",
      "internationalization",
      "𝒜𝒷𝒸𝒹 ελληνικα",
    ],
    async (engine) => {
      const cases: Record<string, string | undefined> = {
        // The kind is not corrected.
        E0383: undefined,
        "4712": undefined,
        "2024-11-03": undefined,
        "🐱": undefined,
        caz: undefined,
        sabbit: undefined,
        // So many edits, and no more.
        rabit: "rabbit",
        rabbti: "rabbit",
        rbbt: undefined,
        plannets: "planet",
        plannetss: undefined,
        internatonalizaton: "internationalization",
        intrnatonalizaton: undefined,
        // Letters are code points, of any writing.
        ελλνικα: "ελληνικα",
        ελνικα: undefined,
      };
      for (const [query, corrected] of Object.entries(cases)) {
        assertEquals((await engine.search(query)).corrected, corrected, query);
      }
      for (const query of ["form tabled", "from rabbit", "planet tables E0383"]) {
        const { corrected, relaxed } = await engine.search(query);
        assertEquals([corrected, relaxed !== undefined], [undefined, true], query);
      }
    },
  ),
);

spelling.test("a rare word's common neighbour follows, and is told", async (engine) => {
  const texts = Array.from({ length: 12 }, (_, i) => `a regular expression ${i}`);
  await putTexts(engine, [...texts, "one regular expresion", "the lonely tapestry"]);
  const { also, corrected, hits, total } = await engine.search("Regular expresion", { limit: 20 });
  assertEquals([also, corrected, total], ["Regular expression", undefined, 13]);
  assertEquals(hits[0]?.key, "12");
  assertEquals(new Set(hits.map(({ key }) => key)).size, 13);
  assertEquals((await engine.search("regular expresion", { limit: 2, offset: 1 })).total, 13);
  await engine.put({ key: "expresion", title: "", text: "its own entry" });
  for (const query of ["regular expression", "tapestry", '"lonely tapestry"', "expresion"]) {
    assertEquals((await engine.search(query)).also, undefined, query);
  }
  assertEquals((await engine.search("regular expresion", { exact: true })).total, 1);
});

spelling.test(
  "nothing but the words themselves is looked for where that is asked for",
  withTexts(["white rabbit", "documentation of rabbits"], async (engine) => {
    for (const query of ["rabit", "docum", "white documentation", "whit rabit"]) {
      const { corrected, relaxed, also, total } = await engine.search(query, { exact: true });
      assertEquals([corrected, relaxed, also, total], [undefined, undefined, undefined, 0], query);
    }
    assertEquals((await engine.search("rabbit", { exact: true })).total, 1);
  }),
);

spelling.test(
  "words that were just put are known to the correction, those deleted are not",
  withTexts(["white rabbit"], async (engine) => {
    await engine.search("elefants");
    await engine.put({ key: "new", title: "", text: "elephants" });
    assertEquals((await engine.search("elefants")).corrected, "elephants");
    await engine.delete("new");
    assertEquals((await engine.search("elefants")).corrected, undefined);
  }),
);

spelling.test("words that are gone do not hide one that is as near", async (engine) => {
  const gone = ["marmaladas", "marmalads", "marmalado", "marmaladee", "marmalide", "mormalade"];
  await putTexts(engine, [...gone, "marmelade"]);
  for (const i of gone.keys()) await engine.delete(`${i}`);
  const { corrected, total } = await engine.search("marmalade");
  assertEquals([corrected, total], ["marmelade", 1]);
});

Deno.test("editDistance() is that of the plain algorithm, up to the limit", () => {
  for (const letter of ["m", "𝒜"]) {
    const long = letter.repeat(150);
    assertEquals(editDistance(`a${long}b`, `c${long}d`, 2), 2);
    assertEquals(editDistance(`a${long}b`, `c${long}${letter}d`, 2), 3);
  }
  // Of the letters of two code units some share the first, and some the second.
  const plain = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 9 });
  const long = fc.string({ unit: fc.constantFrom("a", "𝒜", "𝒷", "𐒜"), maxLength: 5 });
  const word = fc.oneof(plain, long);
  fc.assert(
    fc.property(word, word, fc.integer({ min: 1, max: 3 }), (a, b, limit) => {
      assertEquals(editDistance(a, b, limit), Math.min(plainDistance(a, b), limit + 1));
    }),
    { numRuns: 300 },
  );
});

/** Of one case. */
const MOST_WORDS = 6;

spelling.test("a word is corrected by the vocabulary exactly if one is near", async (engine) => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c", "é"), minLength: 3, maxLength: 8 })
    .map((rest) => `q${rest}`);
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(word, { minLength: 1, maxLength: MOST_WORDS }),
      word,
      async (words, wanted) => {
        // Those of the case before go, and those that are put again are replaced.
        for (let i = words.length; i < MOST_WORDS; i++) await engine.delete(`${i}`);
        await putTexts(engine, words);
        const folded = wanted.replaceAll("é", "e");
        const known = words.map((each) => each.replaceAll("é", "e"));
        const { corrected } = await engine.search(wanted);
        if (known.some((each) => each.startsWith(folded))) {
          return assertEquals(corrected, undefined);
        }
        const limit = folded.length < 8 ? 1 : 2;
        const distances = known.map((each) => plainDistance(each, folded));
        const least = Math.min(...distances);
        if (least > limit) return assertEquals(corrected, undefined);
        assertEquals(plainDistance(corrected!, folded), least);
      },
    ),
    { numRuns: 4 },
  );
});

Deno.test("words are known to the correction however many clients have put", async () => {
  await using engine = await openSearch({ data: [], writable: true });
  const letters = "abcdefghijklmnopqrstuvwxyz";
  const words = Array.from(
    { length: 17_576 },
    (_, i) => [i / 676, i / 26, i].map((n) => letters[Math.floor(n) % 26]).join(""),
  );
  for (const end of ["xx", "yy"]) {
    await engine.put({ key: end, title: "", text: words.map((word) => word + end).join(" ") });
  }
  await engine.put({ key: "last", title: "", text: "marmalade" });
  // The vocabulary is made anew after the answer to the put.
  const deadline = Date.now() + 20_000;
  const corrected = async () => (await engine.search("marmelade")).corrected;
  while (await corrected() === undefined && Date.now() < deadline);
  assertEquals(await corrected(), "marmalade");
});

Deno.test("the first search of an index corrects by what was indexed before", async () => {
  await using folder = await Folder.make({ "a.jsonl": records(soakSize(5_000, 30_000)) });
  const [index, data] = [folder.at("i.db"), [folder.at("a.jsonl")]];
  for (let start = 0; start < 2; start++) {
    await using engine = await openSearch({ index, data, writable: true });
    assertEquals((await engine.search("commn")).corrected, "common");
    await engine.put({ key: `new${start}`, title: "", text: `zeppelins${"xy"[start]}` });
    assertEquals((await engine.search("zepelins")).corrected, "zeppelinsx");
  }
});

/** The optimal string alignment distance, as it is defined. */
function plainDistance(first: string, second: string): number {
  const [a, b] = [[...first], [...second]];
  const d = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = 0; i <= a.length; i++) {
    for (let j = 0; j <= b.length; j++) {
      if (i === 0 || j === 0) {
        d[i]![j] = i + j;
        continue;
      }
      const replaced = d[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(d[i - 1]![j]! + 1, d[i]![j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, d[i - 2]![j - 2]! + 1);
      }
      d[i]![j] = best;
    }
  }
  return d[a.length]![b.length]!;
}
