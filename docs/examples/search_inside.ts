/**
 * Full-text search inside a program: over files, and over what the program itself stores.
 * Prints:
 *
 * docs: 2 found, first tea.txt
 * tea.txt: Black **tea** takes four minutes.
 * stored: note-1
 * by its key: Buy more tea.
 */
import { openSearch } from "@socktool/socktool/search";

const folder = await Deno.makeTempDir();
await Deno.writeTextFile(`${folder}/tea.txt`, "Black tea takes four minutes.");
await Deno.writeTextFile(`${folder}/cups.txt`, "A cup of tea holds 200 ml.");

await using engine = await openSearch({ data: [folder], writable: true });

const found = await engine.search("tea");
console.log(`docs: ${found.total} found, first ${found.hits[0]?.key}`);
const [hit] = found.hits;
if (hit) {
  let shown = hit.snippet;
  // Ranges are in UTF-16 units; from the last to the first, so that they stay right.
  for (const [start, end] of [...hit.highlights.snippet].reverse()) {
    shown = `${shown.slice(0, start)}**${shown.slice(start, end)}**${shown.slice(end)}`;
  }
  console.log(`${hit.key}: ${shown}`);
}

await engine.put({ key: "note-1", title: "Shopping", text: "Buy more tea." });
const notes = await engine.search("buy tea");
console.log(`stored: ${notes.hits.map(({ key }) => key).join(", ")}`);
console.log(`by its key: ${engine.lookup("note-1")?.text}`);

await Deno.remove(folder, { recursive: true });
