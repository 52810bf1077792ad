import { assertEquals, assertStringIncludes } from "@std/assert";
import { openSearch, type SearchOptions } from "../../lib/search/mod.ts";
import { markdownTitle } from "../../lib/search/data/markdown.ts";
import { assertCode, Folder, Recorder } from "./support.ts";

/** Opens files as data and returns `key | title | text` of the keys asked for. */
async function entriesOf(
  files: Record<string, string | Uint8Array>,
  keys: readonly string[],
  options: SearchOptions = {},
): Promise<string[]> {
  await using folder = await Folder.make(files);
  const data = Object.keys(files).map((name) => folder.at(name));
  await using engine = await openSearch({ data, ...options });
  return keys.map((key) => {
    const entry = engine.lookup(key);
    return entry === undefined ? `no ${key}` : `${entry.key} | ${entry.title} | ${entry.text}`;
  });
}

Deno.test("a folder's files are entries by their relative paths", async () => {
  await using folder = await Folder.make({
    "docs/plain.txt": "A first line\nand more",
    "docs/guide/install.md": "Intro\n\n# Installing `it`\n\nUnpack the archive.",
    "docs/guide/deep/page.HTML": "<title>Doc</title><h2>The <b>Page</b></h2><p>Some&nbsp;text.",
    "docs/README": "no extension",
    "docs/.git/config": "hidden",
    "docs/.hidden.txt": "hidden",
    "docs/table.csv": "id,text\nrow,from a table\n",
  });
  await using engine = await openSearch({ data: [`${folder.path}/docs/`] });
  assertEquals(engine.lookup("plain.txt")?.title, "A first line");
  assertEquals(engine.lookup("guide/install.md")?.title, "Installing it");
  assertStringIncludes(engine.lookup("guide/install.md")!.text, "# Installing");
  assertEquals(engine.lookup("guide/deep/page.HTML")?.title, "Doc");
  assertEquals(engine.lookup("guide/deep/page.HTML")?.text, "The Page\n\nSome text.");
  assertEquals(engine.lookup("README")?.text, "no extension");
  assertEquals(engine.lookup("row")?.text, "from a table");
  assertEquals((await engine.stats()).entries, 5);
  assertEquals((await engine.search("install")).hits[0]?.key, "guide/install.md");
});

Deno.test("what is no text is skipped and named", async () => {
  await using folder = await Folder.make({
    "good.txt": "good",
    "image.png": new Uint8Array([0x89, 0x50, 0, 0, 1]),
    "data.jsonl": new Uint8Array([0, 1, 2]),
    "empty.md": " \n",
  });
  if (Deno.build.os !== "windows") {
    await new Deno.Command("mkfifo", { args: [folder.at("pipe")] }).output();
  }
  const observer = new Recorder();
  await using engine = await openSearch({ data: [folder.path], maxEntryBytes: 2000, observer });
  assertEquals((await engine.stats()).entries, 1);
  assertEquals(observer.skippedFiles.sort(), [
    "data.jsonl: binary",
    "empty.md: empty",
    "image.png: binary",
    "pipe: neither a file nor a folder",
  ]);
  assertEquals(observer.summaries[0]?.skipped, 4);
});

Deno.test("a file named by itself is an entry by its name", async () => {
  assertEquals(await entriesOf({ "a/b/note.txt": "text" }, ["note.txt"]), [
    "note.txt | text | text",
  ]);
});

Deno.test("JSON: an array of records", async () => {
  const json = JSON.stringify(
    [
      { id: 7, name: "N", description: "D" },
      { key: "k", title: "T", text: "X\n\u{1F436}" },
      { title: "only" },
      { id: "list", text: ["a", "b"] },
      { id: "rest", title: "R", color: "red", size: 3, none: null },
    ],
    null,
    2,
  );
  assertEquals(await entriesOf({ "x.json": json }, ["7", "k", "only", "list", "rest"]), [
    "7 | N | D",
    "k | T | X\n🐶",
    "only | only | ",
    "list | list | a\nb",
    "rest | R | color: red\nsize: 3",
  ]);
});

Deno.test("JSON Lines: a record on each line, without a key by its line", async () => {
  const lines = '{"ID":"a","Text":"one"}\r\n\r\n{"text":"two"}\n{"slug":"c","body":"three"}';
  assertEquals(await entriesOf({ "x.ndjson": lines }, ["a", "x.ndjson:3", "c"]), [
    "a | a | one",
    "x.ndjson:3 | x.ndjson:3 | two",
    "c | c | three",
  ]);
});

Deno.test("CSV and TSV: records under a header", async () => {
  const csv = '\ufeffid,title,text\n1,One,"a, ""b""\r\nc"\n2,"",plain\n';
  const semicolon = "id;text\n3;x,y\n";
  const tsv = 'key\ttext\n4\t"q" r\n5\t5" disk\n';
  const files = { "a.csv": csv, "b.csv": semicolon, "c.tsv": tsv };
  assertEquals(await entriesOf(files, ["1", "2", "3", "4", "5"]), [
    '1 | One | a, "b"\nc',
    "2 | 2 | plain",
    "3 | 3 | x,y",
    '4 | 4 | "q" r',
    '5 | 5 | 5" disk',
  ]);
});

Deno.test("named fields go before guessed ones", async () => {
  const lines = '{"id":"i","title":"t","text":"x","isbn":"k","headline":"h","review":"r"}';
  const fields = { keyField: "isbn", titleField: "headline", textField: "review" };
  assertEquals(await entriesOf({ "x.jsonl": lines }, ["k", "i"], fields), ["k | h | r", "no i"]);
});

Deno.test("an unreadable data path is told, and nothing is left behind", async () => {
  await using folder = await Folder.make({ "a.txt": "a" });
  const missing = folder.at("missing");
  const error = await assertCode(
    openSearch({ data: [folder.path, missing], index: folder.at("i.db") }),
    "data-unreadable",
  );
  assertEquals(error.path, missing);
  assertStringIncludes(error.message, `${missing}: it does not exist`);
  const watched = openSearch({ data: [missing], watch: true });
  assertEquals((await assertCode(watched, "data-unreadable")).path, missing);
  if (Deno.build.os !== "windows") {
    await assertCode(openSearch({ data: ["/dev/null"] }), "data-unreadable");
  }
});

Deno.test("markdownTitle() finds the first heading that is one", () => {
  const cases: [string, string | undefined][] = [
    ["# One", "One"],
    ["text\n## Two ##\n# One", "Two"],
    ["```\n# not\n```\n# Yes", "Yes"],
    ["Title\n=====\n# later", "Title"],
    ["# Anchored {#here}", "Anchored"],
    ["# [A link](http://x.example) and *stars*", "A link and stars"],
    ["#hashtag\n- item\n---\n", undefined],
    ["", undefined],
  ];
  for (const [text, title] of cases) assertEquals(markdownTitle(text), title, text);
});
