/**
 * Reads EPUB: a ZIP archive of pages in XHTML, and a file that tells their order.
 *
 * @module
 */
import { posix } from "node:path";
import { htmlContent } from "../html_text.ts";
import type { PackedText } from "./packed_file.ts";
import { unzipTexts } from "./unzip.ts";

const CONTAINER = "META-INF/container.xml";

/** The text of an EPUB's pages in their order, and behind it who made it. */
export async function epubText(bytes: Uint8Array): Promise<PackedText> {
  const files = await unzipTexts(bytes, (name) => /\.(?:x?html?|opf|xml)$/i.test(name));
  const container = await elementsOf(files.get(CONTAINER) ?? "");
  const path = container.find(({ name }) => name === "rootfile")?.attributes["full-path"];
  const book = path === undefined ? undefined : files.get(path);
  if (path === undefined || book === undefined) throw new Error("it has no list of its pages");
  const elements = await elementsOf(book);
  const byId = new Map(
    elements.filter(({ name }) => name === "item")
      .map(({ attributes }) => [attributes["id"], attributes["href"]]),
  );
  const texts: string[] = [];
  for (const { name, attributes } of elements) {
    const href = name === "itemref" ? byId.get(attributes["idref"]) : undefined;
    const page = href === undefined ? undefined : files.get(placeOf(path, href));
    if (page !== undefined) texts.push((await htmlContent(page)).text);
  }
  const textsOf = (wanted: string) =>
    elements.filter(({ name }) => name === wanted).map(({ text }) => text.trim()).filter(Boolean);
  return {
    title: textsOf("dc:title")[0],
    language: textsOf("dc:language")[0],
    text: [...texts, textsOf("dc:creator").join(", ")].filter(Boolean).join("\n\n"),
  };
}

/** Where a page is in the archive that the list at `path` calls `href`. */
function placeOf(path: string, href: string): string {
  const bare = href.replace(/[?#].*$/, "");
  let decoded = bare;
  try {
    decoded = decodeURIComponent(bare);
  } catch {
    // A percent sign that means itself.
  }
  return posix.join(posix.dirname(path), decoded);
}

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  text: string;
}

/** The elements of an XML text, in their order, with the text directly in them. */
async function elementsOf(xml: string): Promise<Element[]> {
  const { Parser } = await import("htmlparser2");
  const elements: Element[] = [];
  const open: Element[] = [];
  const parser = new Parser({
    onopentag(name, attributes) {
      const element = { name, attributes, text: "" };
      elements.push(element);
      open.push(element);
    },
    ontext(text) {
      const element = open.at(-1);
      if (element !== undefined) element.text += text;
    },
    onclosetag() {
      open.pop();
    },
  }, { xmlMode: true });
  parser.end(xml);
  return elements;
}
