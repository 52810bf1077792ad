import { assert, assertEquals } from "@std/assert";
import type { SearchEngine } from "../../lib/search/mod.ts";
import { sharedEngine } from "./shared_engine.ts";

type Entry = readonly [key: string, title: string, text: string];

const ranking = sharedEngine("ranking");

async function putAll(engine: SearchEngine, entries: readonly Entry[]): Promise<void> {
  await Promise.all(entries.map(([key, title, text]) => engine.put({ key, title, text })));
}

function withEntries(
  entries: readonly Entry[],
  test: (engine: SearchEngine) => Promise<void>,
) {
  return async (engine: SearchEngine) => {
    await putAll(engine, entries);
    await test(engine);
  };
}

async function keys(engine: SearchEngine, query: string, limit = 10): Promise<string[]> {
  return (await engine.search(query, { limit })).hits.map(({ key }) => key);
}

ranking.test(
  "a title that is the query comes first, then titles that begin with it",
  withEntries([
    ["1", "The tree in the forest", "tree tree tree tree"],
    ["2", "Tree house", "tree tree tree"],
    ["3", "Forest", "tree"],
    ["4", "TREE", "a plant with one stem"],
    ["5", "Tree house by the sea", "wood"],
    ["6", "Trees", "tree tree tree tree tree tree"],
    ["7", "7.4. Tree", "a numbered one"],
  ], async (engine) => {
    assertEquals((await keys(engine, "tree")).slice(0, 4).sort(), ["2", "4", "5", "7"]);
    assertEquals((await keys(engine, "tree")).slice(0, 2).sort(), ["4", "7"]);
    assertEquals((await keys(engine, "tree")).slice(2, 4), ["2", "5"]);
    assertEquals((await keys(engine, '"tree house"'))[0], "2");
    assertEquals((await keys(engine, "tree -stem"))[0], "7");
    assertEquals((await keys(engine, "tree ho*")).slice(0, 2), ["2", "5"]);
  }),
);

ranking.test(
  "a name is found first where it belongs, and a file by its name",
  withEntries([
    ["lib/readline.html", "Line editing", "os.path.join os.path.join as in os.path.join"],
    ["lib/os.path.html", "Common pathname manipulations", `${"x ".repeat(300)} os.path.join`],
    ["lib/os.html", "Operating system", `os.path.join ${"y ".repeat(300)}`],
    ["open.2", "creat and others", "x ".repeat(99)],
    ["mq_open.3", "Queues", "open(2) open(2)"],
    ["vector", "std::vector", "push_back"],
    ["v", "Others", "std::vector::push_back std::vector::push_back"],
  ], async (engine) => {
    assertEquals(await keys(engine, "os.path.join"), [
      "lib/os.path.html",
      "lib/os.html",
      "lib/readline.html",
    ]);
    assertEquals((await keys(engine, "open(2)"))[0], "open.2");
    assertEquals((await keys(engine, "open"))[0], "open.2");
    assertEquals((await keys(engine, "std::vector"))[0], "vector");
  }),
);

ranking.test("pages of ranked hits follow each other without a gap", async (engine) => {
  const entries = Array.from({ length: 60 }, (_, i): Entry => {
    const near = i % 3 === 0 ? "white rabbit" : "white or black or grey or red or blue or a rabbit";
    return [`${i}`, i % 10 === 0 ? "White rabbit" : `Title ${i}`, `${near} ${"x ".repeat(i)}`];
  });
  await putAll(engine, entries);
  const all = await keys(engine, "white rabbit", 100);
  assertEquals(new Set(all).size, 60);
  const pages: string[] = [];
  for (let offset = 0; offset < 60; offset += 7) {
    const page = await engine.search("white rabbit", { limit: 7, offset });
    assertEquals(page.total, 60);
    pages.push(...page.hits.map(({ key }) => key));
  }
  assertEquals(pages, all);
  assert(all.slice(0, 6).every((key) => Number(key) % 10 === 0));
});

/** Parts of a list of hits: how many, from where on. */
const PAGES = [[1, 0], [5, 0], [7, 3], [10, 0], [10, 20], [40, 0]] as const;

ranking.test("a page of titles that are the query, or begin with it, begins a larger page", async (engine) => {
  const titles = ["Tree", "Trees", "Tree house", "Treeless", "Street tree", "Forest"];
  const entries = Array.from({ length: 60 }, (_, i): Entry => {
    return [`${i}`, `${titles[i % 6]}`, `${"tree ".repeat(i % 7)}${"x ".repeat(i % 11)}`];
  });
  await putAll(engine, [...entries, ["tree", "An own key", "tree"]]);
  for (const query of ["tree", "tree*", "tre*", "TREES", "tree -x", '"tree"']) {
    // With so many hits all that match are ranked.
    const all = await engine.search(query, { limit: 100 });
    assertEquals(all.hits.length, all.total, query);
    for (const [limit, offset] of PAGES) {
      const page = await engine.search(query, { limit, offset });
      assertEquals(
        page.hits,
        all.hits.slice(offset, offset + limit),
        `${query} ${limit} ${offset}`,
      );
      assertEquals([page.total, page.result], [all.total, all.result], query);
    }
  }
});

ranking.test("words near each other come before those apart", async (engine) => {
  const filler = "other words that say nothing at all about it ".repeat(3);
  const apart = Array.from({ length: 300 }, (_, i): Entry => {
    return [`apart${i}`, "", `borrow borrow ${filler} checker checker`];
  });
  const near: Entry = ["near", "", `${filler.repeat(20)} the borrow checker`];
  await putAll(engine, [...apart, near]);
  assertEquals((await keys(engine, "borrow checker"))[0], "near");
  assertEquals((await keys(engine, "checker borrow"))[0], "near");
  assertEquals((await engine.search("borrow checker")).total, 301);
});

ranking.test(
  "the last word is a prefix while nothing better matches",
  withEntries([
    ["1", "Photosynthesis", "how plants eat light"],
    ["2", "Documentation", "documents about plants"],
    ["3", "Doc", "a short one about plants"],
  ], async (engine) => {
    const cases: Record<string, string[]> = {
      photosyn: ["1"],
      docum: ["2"],
      doc: ["3"],
      "plants docum": ["2"],
      "plants OR docum": ["1", "2", "3"],
      '"docum"': [],
      "docum plants": ["1", "2", "3"],
      "plants -docum": ["1", "2", "3"],
    };
    for (const [query, expected] of Object.entries(cases)) {
      assertEquals((await keys(engine, query)).sort(), expected, query);
    }
  }),
);

ranking.test(
  "where no entry has all words, those with most of them are found, and it is told",
  withEntries([
    ["1", "Vacuum", "the vacuum of tables"],
    ["2", "Borrow checker", "rust has a borrow checker"],
    ["3", "Rust", "rust borrow"],
    ["4", "Tables", "tables and chairs and lamps"],
  ], async (engine) => {
    const cases: [string, string[], string[]][] = [
      ["vacuum borrow checker", ["2"], ["vacuum"]],
      ["Vacuum tables checker", ["1"], ["checker"]],
      ["rust borrow checker lamps", ["2"], ["lamps"]],
      ["E0382 checker", ["2"], ["E0382"]],
      ["lamps checker OR nothing -rust", ["4"], ["checker OR nothing"]],
      ['"borrow checker" vacuum', ["2"], ["vacuum"]],
      ["a lamps chairs tables rust borrow checker", ["2"], ["lamps", "chairs", "tables"]],
      ["and lamps chairs tables rust borrow", ["4"], ["rust", "borrow"]],
    ];
    for (const [query, expected, left] of cases) {
      const { hits, relaxed, corrected } = await engine.search(query);
      assertEquals(hits.map(({ key }) => key), expected, query);
      assertEquals(corrected, undefined);
      assertEquals(relaxed, left, query);
    }
    // The rarest word of two that are never together comes first, and the other's entries follow.
    const { hits, relaxed, total } = await engine.search("rust vacuum");
    assertEquals([hits.map(({ key }) => key).sort(), relaxed, total], [
      ["1", "2", "3"],
      ["rust"],
      3,
    ]);
    assertEquals(hits[0]?.key, "1");
    assertEquals((await engine.search('"borrow checker" "vacuum"')).total, 0);
  }),
);

ranking.test(
  "a run of words that stands nowhere is found by its words",
  withEntries([
    ["1", "", "東京にある大学で学ぶ"],
    ["2", "", "京都は東にある"],
    ["3", "", "the handling of an error"],
    ["4", "", "on 11 March, 2024 of them"],
  ], async (engine) => {
    const cases: Record<string, string[]> = {
      東京大学: ["1"],
      error_handling: ["3"],
      "error.handling march": ["3"],
      "2024-11-03": [],
      '"error handling"': [],
    };
    for (const [query, expected] of Object.entries(cases)) {
      assertEquals(await keys(engine, query), expected, query);
    }
    assertEquals((await engine.search("error.handling march")).relaxed, ["march"]);
    assertEquals((await engine.search("error_handling")).relaxed, undefined);
  }),
);

ranking.test(
  "C++, C# and .NET find what is about them, and Korean words with particles",
  withEntries([
    ["1", "C++", "templates"],
    ["2", "C", "pointers"],
    ["3", "C#", "on .NET"],
    ["4", "net", "for fishing"],
    ["5", "학교", "나는 학교에서 공부한다"],
    ["6", "집", "학교는 멀다"],
  ], async (engine) => {
    const cases: Record<string, string[]> = {
      "C++": ["1"],
      "c#": ["3"],
      C: ["2"],
      ".NET": ["3"],
      "c++ templates": ["1"],
      학교: ["5", "6"],
      학교에서: ["5"],
    };
    for (const [query, expected] of Object.entries(cases)) {
      assertEquals(await keys(engine, query), expected, query);
    }
    assertEquals((await keys(engine, "net"))[0], "4");
  }),
);

ranking.test(
  "hits tell where the words are, in the title and in the snippet",
  withEntries([
    ["1", "Der Straßenbau", "Über die Straße und ihren Bau"],
    ["2", "Weg", "strasse"],
  ], async (engine) => {
    const { hits } = await engine.search("STRASSE bau");
    const [hit] = hits;
    const cut = (text: string, ranges: readonly (readonly [number, number])[]) =>
      ranges.map(([start, end]) => text.slice(start, end));
    assertEquals(cut(hit!.title, hit!.highlights.title), []);
    assertEquals(cut(hit!.snippet, hit!.highlights.snippet), ["Straße", "Bau"]);
    const corrected = await engine.search("strase");
    assertEquals(corrected.corrected, "strasse");
    assertEquals(cut(corrected.hits[0]!.snippet, corrected.hits[0]!.highlights.snippet).length, 1);
  }),
);
