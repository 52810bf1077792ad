import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { openSearch, type SearchEngine } from "../../lib/search/mod.ts";
import { editDistance } from "../../lib/search/query/edit_distance.ts";
import { Vocabulary } from "../../lib/search/query/vocabulary.ts";

async function withTexts(texts: readonly string[], test: (engine: SearchEngine) => Promise<void>) {
  await using engine = await openSearch({ data: [], writable: true });
  await Promise.all(texts.map((text, i) => engine.put({ key: `${i}`, title: "", text })));
  await test(engine);
}

Deno.test("a query that matches nothing is answered by a spelling within two edits", () =>
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
  ));

Deno.test("a query is left as it is where it matches, and where nothing is near", () =>
  withTexts(["white rabbit", "black rabbits", "it is so"], async (engine) => {
    for (const query of ["rabbit", "rab*", "elephant", "-white", "zz", "e", "xabbixxx", "wxyte*"]) {
      assertEquals((await engine.search(query)).corrected, undefined, query);
    }
  }));

Deno.test("words that occur, but not together, are corrected one at a time", () =>
  withTexts(["a form to fill", "from here", "fill the cup"], async (engine) => {
    const { corrected, hits } = await engine.search("from fill");
    assertEquals([corrected, hits[0]?.key], ["form fill", "0"]);
  }));

Deno.test("words that were just put are known to the correction, those deleted are not", () =>
  withTexts(["white rabbit"], async (engine) => {
    await engine.search("elefants");
    await engine.put({ key: "new", title: "", text: "elephants" });
    assertEquals((await engine.search("elefants")).corrected, "elephants");
    await engine.delete("new");
    assertEquals((await engine.search("elefants")).corrected, undefined);
  }));

Deno.test("editDistance() is that of the plain algorithm, up to the limit", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 9 });
  fc.assert(
    fc.property(word, word, fc.integer({ min: 1, max: 3 }), (a, b, limit) => {
      assertEquals(editDistance(a, b, limit), Math.min(plainDistance(a, b), limit + 1));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a vocabulary finds all words that are near, and no others", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "é", "z"), minLength: 2, maxLength: 7 });
  fc.assert(fc.property(fc.uniqueArray(word), word, (words, wanted) => {
    const vocabulary = new Vocabulary(1000);
    for (const each of words) vocabulary.add(each, 1);
    const limit = wanted.length < 4 ? 1 : 2;
    const near = words.filter((each) => {
      const distance = plainDistance(each, wanted);
      return distance > 0 && distance <= limit;
    });
    assertEquals(vocabulary.near(wanted, 1000).map((each) => each.word).sort(), near.sort());
  }));
});

Deno.test("a vocabulary that is full leaves out the rarest words", () => {
  const vocabulary = new Vocabulary(100);
  for (let i = 0; i < 1000; i++) vocabulary.add(`word${i}`, 1 + i % 100);
  assert(vocabulary.size <= 100 && vocabulary.size > 0);
  const near = vocabulary.near("word099", 1000);
  assert(near.length > 0 && near.every((each) => each.entries > 90));
});

/** The optimal string alignment distance, as it is defined. */
function plainDistance(a: string, b: string): number {
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
