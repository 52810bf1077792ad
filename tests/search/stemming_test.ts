import { assert, assertEquals, assertRejects } from "@std/assert";
import { openSearch, SEARCH_LANGUAGES } from "../../lib/search/mod.ts";
import { languageOf, loadStemmer, stemmerOf } from "../../lib/search/words/stemmer.ts";
import { startedThreads } from "../support/recycled_threads.ts";
import { Folder } from "./support.ts";

Deno.test("words are found in the forms of the language that is told, those as written first", async () => {
  using _ = startedThreads();
  await using engine = await openSearch({ data: [], writable: true, language: "en" });
  await engine.put({ key: "1", title: "Shoes", text: "shoes to run in, run and run" });
  await engine.put({
    key: "2",
    title: "Shoes",
    text: `${"other words ".repeat(50)} running shoes`,
  });
  await engine.put({ key: "3", title: "Universe", text: "it runs" });
  const keys = async (query: string, exact = false) =>
    (await engine.search(query, { exact })).hits.map((hit) => hit.key);
  const running = await keys("running");
  assertEquals([running[0], running.toSorted()], ["2", ["1", "2", "3"]]);
  assertEquals(await keys("running", true), ["2"]);
  assertEquals(await keys('"running"'), ["2"]);
  assertEquals((await keys("run shoe")).sort(), ["1", "2"]);
  const { hits, total } = await engine.search("runs");
  assertEquals([hits[0]?.key, total], ["3", 3]);
  const ranges = hits.find((hit) => hit.key === "1")!.highlights.snippet;
  assertEquals(ranges.length, 3);
});

Deno.test("a misspelled word of the same stem finds the title that is meant first", async () => {
  await using engine = await openSearch({ data: [], writable: true, language: "en" });
  await engine.put({ key: "1", title: "Elephantidae", text: "elephants" });
  await engine.put({
    key: "2",
    title: "Elephant",
    text: `a large animal ${"and so on ".repeat(40)}`,
  });
  const { hits, corrected } = await engine.search("elephent");
  assertEquals([hits.map((hit) => hit.key), corrected], [["2", "1"], undefined]);
});

Deno.test("HTML is in the language that it says, also after a restart; other files are not", async () => {
  using _ = startedThreads();
  await using folder = await Folder.make({
    "data/de.html": `<html lang="de-AT"><title>Häuser</title><body>Kinder spielen</body></html>`,
    "data/en.html": `<!doctype html><html class=x lang=en><title>Houses</title><body>children play`,
    "data/no.txt": "Kindern plays",
  });
  const options = { data: [folder.at("data")], index: folder.at("i.db") };
  for (let start = 0; start < 2; start++) {
    await using engine = await openSearch(options);
    const keys = async (query: string) => (await engine.search(query)).hits.map((hit) => hit.key);
    assertEquals(await keys("Haus"), ["de.html"]);
    assertEquals(await keys("house"), ["en.html"]);
    assertEquals(await keys("playing"), ["en.html"]);
    assertEquals(await keys("Kindern"), ["no.txt", "de.html"]);
  }
  // Told, it is the language of all that does not say its own.
  await using engine = await openSearch({ ...options, language: "en" });
  assertEquals((await engine.search("playing")).total, 2);
});

Deno.test("Markdown is in the language that its front matter says, which is then no text", async () => {
  using _ = startedThreads();
  const long = "Kinder spielen im Garten. ".repeat(60);
  await using folder = await Folder.make({
    "yaml.md": "---\nlang: de-CH\n---\nKinder spielen.",
    "toml.md": '+++\nlanguage = "de"\n+++\nKinder spielen.',
    "large.md": `---\nlang: de\n---\n${long}`,
    "none.md": "---\nlang: xx\n---\nKinder spielen.",
    "code.md": "---\nlanguage: [de]\n---\nKinder spielen.",
  });
  await using engine = await openSearch({ data: [folder.path], maxEntryBytes: 1000 });
  const found = (await engine.search("Kindern", { limit: 50 })).hits.map(({ key }) => key);
  assertEquals([...new Set(found.map((key) => key.replace(/:.*/, "")))].sort(), [
    "large.md",
    "toml.md",
    "yaml.md",
  ]);
  assertEquals(engine.lookup("yaml.md")?.text, "Kinder spielen.");
  assertEquals(engine.lookup("none.md")?.text, "Kinder spielen.\n\nlang: xx");
});

Deno.test("a language is told by a code that has stems", async () => {
  for (const language of ["xx", "", "english", "constructor"]) {
    await assertRejects(() => openSearch({ language }), TypeError, "give one of ar, bg");
  }
  assertEquals(["en-GB", "EN", "nb", "pt_BR", "xx"].map(languageOf), [
    "en",
    "en",
    "no",
    "pt",
    undefined,
  ]);
});

Deno.test("every language's stemmer can be loaded and takes any word", async () => {
  const words = [
    "",
    "a",
    "running",
    "constructor",
    "häuser",
    "книги",
    "كتاب",
    "東",
    "x".repeat(99),
  ];
  for (const language of SEARCH_LANGUAGES) {
    await loadStemmer(language);
    const stem = stemmerOf(language)!;
    for (const word of words) assert(typeof stem(word) === "string", `${language} ${word}`);
  }
});
