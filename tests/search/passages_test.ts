import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { openSearch } from "../../lib/search/mod.ts";
import { PassageCutter } from "../../lib/search/data/passages.ts";
import { readItems } from "./read_items.ts";
import { Folder, Recorder } from "./support.ts";

Deno.test("PassageCutter keeps every word and its line, wherever the text is cut", () => {
  const word = fc.string({
    unit: fc.constantFrom("a", "b", " ", "\n", "\n\n", "😀"),
    maxLength: 300,
  });
  fc.assert(fc.property(word, fc.integer({ min: 2, max: 40 }), fc.nat(50), (text, max, step) => {
    const cutter = new PassageCutter(max);
    const passages = [];
    for (let i = 0; i < text.length; i += step + 1) {
      passages.push(...cutter.push(text.slice(i, i + step + 1)));
    }
    passages.push(...cutter.end());
    const bare = (text: string) => text.replace(/\s/g, "");
    assertEquals(bare(passages.map((each) => each.text).join("")), bare(text));
    const lines = text.split("\n");
    for (const { text, line } of passages) {
      assert(text.length <= max);
      assert(lines[line - 1]!.includes(text.split("\n")[0]!));
    }
  }));
});

Deno.test("a text that is too large for one entry becomes passages that lead back to it", async () => {
  const lines = Array.from(
    { length: 40_000 },
    (_, i) => `Line ${i + 1} of the large text has word${i}.`,
  );
  await using folder = await Folder.make({
    "data/large.txt": lines.join("\n"),
    "data/large.html": `<title>Large</title>${lines.map((line) => `<p>${line}</p>`).join("")}`,
  });
  const observer = new Recorder();
  const data = [folder.at("data")];
  await using engine = await openSearch({ data, observer, maxEntryBytes: 1_000_000 });
  assertEquals(observer.skippedFiles, []);
  assertEquals(observer.notes, [
    "large.html: it is too large for one entry and was split into passages (maxEntryBytes)",
    "large.txt: it is too large for one entry and was split into passages (maxEntryBytes)",
  ]);
  const { hits } = await engine.search("word39000");
  assertEquals(hits.length, 2);
  const line = Number(/^large\.txt:(\d+)$/.exec(hits.map((hit) => hit.key).sort()[1]!)?.[1]);
  assert(engine.lookup(`large.txt:${line}`)!.text.startsWith(lines[line - 1]!));
  assert(hits.some((hit) => /^large\.html#\d+$/.test(hit.key)));
});

Deno.test("a character is not cut in two, and text without spaces is split too", async () => {
  const { entries } = await readItems("a.txt", "😀".repeat(5000));
  assertEquals(entries.every((entry) => entry.isWellFormed()), true);
  const emoji = entries.map((entry) => entry.match(/😀/gu)?.length ?? 0);
  assertEquals(emoji.reduce((a, b) => a + b), 5000);
});
