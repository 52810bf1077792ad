import { assert, assertEquals, assertMatch } from "@std/assert";
import { zipSync } from "fflate";
import { openSearch } from "../../lib/search/mod.ts";
import { extract } from "../../lib/search/data/packed/extract.ts";
import type { PackedKind } from "../../lib/search/data/packed/packed_file.ts";
import { Folder, Recorder } from "./support.ts";

/** An archive with these texts. */
function zip(files: Record<string, string>): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const entries = Object.entries(files).map(([name, text]) => [name, encoder.encode(text)]);
  return zipSync(Object.fromEntries(entries)) as Uint8Array<ArrayBuffer>;
}

/** A PDF of pages with one line each. */
function pdf(title: string, lines: string[]): Uint8Array<ArrayBuffer> {
  const kids = lines.map((_, i) => `${10 + 2 * i} 0 R`).join(" ");
  const pages = lines.flatMap((line, i) => {
    const content = `BT /F 9 Tf 9 9 Td (${line}) Tj ET`;
    return [
      `${10 + 2 * i} 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents ${
        11 + 2 * i
      } 0 R ` +
      `/Resources << /Font << /F 3 0 R >> >> >> endobj`,
      `${11 + 2 * i} 0 obj << /Length ${content.length} >> stream\n${content}\nendstream endobj`,
    ];
  });
  const text = [
    "%PDF-1.4",
    "1 0 obj << /Type /Catalog /Pages 2 0 R /Lang (en-GB) >> endobj",
    `2 0 obj << /Type /Pages /Kids [${kids}] /Count ${lines.length} >> endobj`,
    "3 0 obj << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> endobj",
    `4 0 obj << /Title (${title}) >> endobj`,
    ...pages,
    "trailer << /Root 1 0 R /Info 4 0 R >>",
  ].join("\n");
  return new TextEncoder().encode(text);
}

const DOCX = zip({
  "word/document.xml": `<w:document><w:body><w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr>
    <w:r><w:t>On </w:t></w:r><w:r><w:t>coffee</w:t></w:r></w:p>
    <w:p><w:r><w:t>Grind &amp; brew.</w:t><w:tab/><w:t>Twice.</w:t></w:r></w:p></w:body></w:document>`,
  "docProps/core.xml": "<x><dc:title>Another</dc:title></x>",
  "word/styles.xml": '<x><w:rPr><w:lang w:eastAsia="ja-JP" w:val="en-US"/></w:rPr></x>',
});

const EPUB = zip({
  "META-INF/container.xml":
    '<container><rootfiles><rootfile full-path="O/c.opf"/></rootfiles></container>',
  "O/c.opf": `<package><metadata><dc:title>On water</dc:title><dc:creator>Ann</dc:creator>
    <dc:language> en </dc:language></metadata>
    <manifest><item id="b" href="b.xhtml"/><item id="a" href="ch/a%20x.xhtml#top"/></manifest>
    <spine><itemref idref="a"/><itemref idref="b"/><itemref idref="none"/></spine></package>`,
  "O/ch/a x.xhtml": "<html><body><h1>One</h1><p>First chapter.</p></body></html>",
  "O/b.xhtml": "<html><body><h1>Two</h1><p>Second chapter.</p></body></html>",
});

Deno.test("the text of PDF, DOCX and EPUB is found, and what cannot be read is named", async () => {
  await using folder = await Folder.make({
    "a.pdf": pdf("On tea", ["Boil the water", "and wait"]),
    "b.docx": DOCX,
    "c.epub": EPUB,
    "broken.pdf": "%PDF-1.4\nno more",
    "no.docx": "plain text",
    "other.epub": zip({ "x.txt": "x" }),
    "blank.pdf": pdf("Blank", [""]),
    "empty.pdf": "",
  });
  const observer = new Recorder();
  await using engine = await openSearch({ data: [folder.path], observer });
  const entries = ["a.pdf", "b.docx", "c.epub"].map((key) => engine.lookup(key)!)
    .map(({ title, text }) => `${title} | ${text}`);
  assertEquals(entries, [
    "On tea | Boil the water\n\nand wait",
    "On coffee | On coffee\nGrind & brew.\tTwice.",
    "On water | One\n\nFirst chapter.\n\nTwo\n\nSecond chapter.\n\nAnn",
  ]);
  assertEquals((await engine.stats()).entries, 3);
  // Each says that it is English.
  const keysOf = async (query: string) => (await engine.search(query)).hits.map(({ key }) => key);
  assertEquals(await Promise.all(["boiling", "grinding", "chapters"].map(keysOf)), [
    ["a.pdf"],
    ["b.docx"],
    ["c.epub"],
  ]);
  const skipped = observer.skippedFiles.sort().map((text) => text.replace(/read: .*/, "read"));
  assertEquals(skipped, [
    "blank.pdf: a PDF without text, perhaps of pictures only",
    "broken.pdf: no PDF that can be read",
    "empty.pdf: empty",
    "no.docx: no DOCX that can be read",
    "other.epub: no EPUB that can be read",
  ]);
});

Deno.test("an archive that says it unpacks to more than it may is not unpacked", async () => {
  const bytes = zip({ "word/document.xml": "<w:p><w:t>small</w:t></w:p>" });
  const view = new DataView(bytes.buffer);
  // The size that the directory at the end says, and the local header before it.
  for (let i = 0; i < bytes.length - 4; i++) {
    if (view.getUint32(i, true) === 0x02014b50) view.setUint32(i + 24, 0x7fffffff, true);
  }
  const error = await extract({ kind: "docx", bytes }).catch((error: Error) => error);
  assert(error instanceof Error);
  assertMatch(error.message, /unpacks to more than/);
});

Deno.test("whatever the bytes, extracting gives text or an error, in bounded time", async () => {
  const samples: [PackedKind, Uint8Array<ArrayBuffer>][] = [
    ["docx", DOCX],
    ["epub", EPUB],
    ["pdf", pdf("T", ["text"])],
  ];
  for (const [kind, good] of samples) {
    for (let seed = 1; seed <= 15; seed++) {
      const bytes = good.slice();
      for (let n = 0; n < 8; n++) {
        bytes[(seed * 7919 + n * 104729) % bytes.length]! ^= seed * 37 + n;
      }
      const outcome = await extract({ kind, bytes }).catch((error) => error);
      assert(outcome instanceof Error || typeof outcome.text === "string", kind);
    }
  }
});
