/** Files that are made, or happen, to be the worst that a reader can get. */
import { assert, assertEquals } from "@std/assert";
import { firstLine } from "../../lib/search/data/text_title.ts";
import { readItems } from "./read_items.ts";

const MAX_ENTRY = 4 * 1024 * 1024;
/** With time by the square of their length, each of the files below would take minutes. */
const WITHIN_MS = 10_000;

const SPACES = " ".repeat(300_000);

Deno.test("reading a file takes time by its length, whatever is in it", async () => {
  const files: Record<string, string> = {
    "elements in elements.html": "<b>x".repeat(9_000),
    "texts in elements.html": `${"<b>".repeat(9_000)}${"x<br>".repeat(100_000)}`,
    "space in a line.html": `<pre>a${SPACES}b</pre>`,
    "space in a heading.md": `# a${" ".repeat(60_000)}\u2028b`,
    "space in a closed heading.md": `# a${" #".repeat(30_000)}\u2028b`,
    "comments without an end.md": "<!--".repeat(200_000),
    "comments of MDX.mdx": "{/*".repeat(200_000) + "<!--".repeat(200_000) + "-->",
    "space before a name.md": `{# a${SPACES}b`,
    "brackets.md": `# ${"[".repeat(60_000)}`,
    "columns.csv": `${",".repeat(100_000)}\n1,2\n`,
  };
  for (const [name, content] of Object.entries(files)) {
    const startedAt = performance.now();
    const { entries, told } = await readItems(name, content, { maxEntryBytes: MAX_ENTRY });
    assert(performance.now() - startedAt < WITHIN_MS, `${name} took too long`);
    assert(entries.length > 0, `${name}: ${told}`);
  }
  const deep = await readItems("deep.html", "<b>x".repeat(500_000));
  assertEquals(deep.told, ["SkipFile: HTML of more than 10000 elements in each other"]);
  const startedAt = performance.now();
  for (const line of [`a${SPACES}b`, `a${"*".repeat(300_000)}b`]) {
    assertEquals(firstLine(line), undefined);
  }
  assert(performance.now() - startedAt < WITHIN_MS, "a line of a text took too long");
});

Deno.test("a record may have very many fields, and fields in fields", async () => {
  const many = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`f${i}`, "x"]));
  const deep = '{"a":'.repeat(20) + "[".repeat(10_000) + '"x"' + "]".repeat(10_000) +
    "}".repeat(20);
  const file = [JSON.stringify({ id: 1, many }), `{"id":2,"deep":${deep}}`, '{"id":3,"text":"x"}'];
  const { entries, told } = await readItems("r.jsonl", file.join("\n"), {
    maxEntryBytes: MAX_ENTRY,
  });
  assertEquals(entries.map((each) => each.slice(0, 20)), [
    "1 | 1 | many.f0: x\nm",
    "2 | 2 | deep.a.a.a.a",
    "3 | 3 | x",
  ]);
  assertEquals(told, []);
});
