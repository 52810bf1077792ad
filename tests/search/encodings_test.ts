import { assertEquals } from "@std/assert";
import { latin1, readItems } from "./read_items.ts";

const GUESS = "it is no UTF-8 and was read as windows-1252, by a guess (encoding)";

function utf16(text: string, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(i * 2, text.charCodeAt(i), littleEndian);
  return bytes;
}

Deno.test("text is decoded by its mark, by what it says, and else by a guess that is told", async () => {
  const cases: [what: string, name: string, content: Uint8Array | string, told: string[]][] = [
    ["UTF-8", "a.txt", "café", []],
    ["UTF-8 with a mark", "a.txt", "\ufeffcafé", []],
    ["UTF-16 LE with a mark", "a.txt", utf16("\ufeffcafé", true), []],
    ["UTF-16 BE with a mark", "a.txt", utf16("\ufeffcafé", false), []],
    ["UTF-16 LE without", "a.txt", utf16("café", true), [
      "it does not say its encoding and was read as utf-16le, by a guess (encoding)",
    ]],
    ["Latin-1", "a.txt", latin1("café"), [GUESS]],
    ["Latin-1 in HTML that says so", "a.html", latin1('<meta charset="latin1">café'), []],
    [
      "as old HTML says it",
      "a.html",
      latin1('<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1">café'),
      [],
    ],
    ["HTML that does not say it", "a.html", latin1("<p>café"), [GUESS]],
    ["XHTML", "a.xhtml", latin1('<?xml version="1.0" encoding="ISO-8859-1"?><p>café</p>'), []],
    ["HTML that says UTF-8 and is not", "a.html", latin1('<meta charset="utf-8">café'), [GUESS]],
    ["HTML that names nothing known", "a.html", '<meta charset="none">café', []],
  ];
  for (const [what, name, content, told] of cases) {
    const read = await readItems(name, content);
    assertEquals(read.entries.map((entry) => entry.split(" | ")[2]), ["café"], what);
    assertEquals(read.told, told, what);
  }
});

Deno.test("every format is decoded, and --encoding says what a guess cannot know", async () => {
  const files = {
    "a.csv": "id,text\nk,café\n",
    "a.json": '[{"id":"k","text":"café"}]',
    "a.jsonl": '{"id":"k","text":"café"}\n',
    "a.md": "# café",
  };
  for (const [name, text] of Object.entries(files)) {
    const { entries, told } = await readItems(name, latin1(text));
    assertEquals([entries[0]?.slice(-4), told], ["café", [GUESS]], name);
  }
  const greek = new Uint8Array([0xea, 0xe1, 0xf6, 0xdd]);
  const { entries, told } = await readItems("a.txt", greek, { encoding: "iso-8859-7" });
  assertEquals([entries, told], [[" | καφέ | καφέ"], []]);
});

Deno.test("a large file is decoded as a small one", async () => {
  const line = "a line with a café in it\n";
  const large = line.repeat(60_000);
  const settings = { maxEntryBytes: 16 * 1024 * 1024 };
  const read = await readItems("a.txt", latin1(large), settings);
  assertEquals(read.told, [GUESS]);
  assertEquals(read.entries[0]?.endsWith(large), true);
  assertEquals((await readItems("a.txt", large, settings)).told, []);
  // One broken byte far behind does not make the rest something else.
  const damaged = new TextEncoder().encode(large);
  damaged[damaged.length - 100] = 0xff;
  const { entries, told } = await readItems("a.txt", damaged, settings);
  assertEquals(told, ["some of its bytes are no UTF-8; they were read as U+FFFD (encoding)"]);
  assertEquals(entries[0]?.includes("café"), true);
});

Deno.test("what is no text in any encoding is skipped", async () => {
  const noise = Uint8Array.from({ length: 4000 }, (_, i) => (i * i * 7 + i * 131) % 255 + 1);
  for (const bytes of [new Uint8Array([1, 0, 2, 0, 0, 3]), noise, new Uint8Array(0)]) {
    const { entries, told } = await readItems("a.txt", bytes);
    assertEquals(entries, []);
    assertEquals(told, [`SkipFile: ${bytes.length === 0 ? "empty" : "binary"}`]);
  }
});
