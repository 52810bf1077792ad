/**
 * Reads DOCX: a ZIP archive with the text in one file of XML. The package mammoth, which also keeps
 * lists and tables as HTML, does not run in Deno.
 *
 * @module
 */
import type { PackedText } from "./packed_file.ts";
import { unzipTexts } from "./unzip.ts";

const DOCUMENT = "word/document.xml";
const CORE = "docProps/core.xml";
const STYLES = "word/styles.xml";
const READ = [DOCUMENT, CORE, STYLES];
const TITLE_STYLE = /^(?:title|heading ?1)$/i;

/** The text of a DOCX file, a line for each paragraph; its title is that of its first heading. */
export async function docxText(bytes: Uint8Array): Promise<PackedText> {
  const files = await unzipTexts(bytes, (name) => READ.includes(name));
  const document = files.get(DOCUMENT);
  if (document === undefined) throw new Error("it has no document in it");
  const { Parser } = await import("htmlparser2");
  const lines: string[] = [];
  let [line, style, heading] = ["", "", ""];
  let isText = false;
  const parser = new Parser({
    onopentag(name, attributes) {
      if (name === "w:t") isText = true;
      else if (name === "w:tab") line += "\t";
      else if (name === "w:br" || name === "w:cr") line += "\n";
      else if (name === "w:pStyle") style = attributes["w:val"] ?? "";
    },
    ontext(text) {
      if (isText) line += text;
    },
    onclosetag(name) {
      if (name === "w:t") isText = false;
      if (name !== "w:p") return;
      if (heading === "" && TITLE_STYLE.test(style)) heading = line.trim();
      lines.push(line);
      [line, style] = ["", ""];
    },
  }, { xmlMode: true });
  parser.end(document);
  const named = /<dc:title>([^<]*)</.exec(files.get(CORE) ?? "")?.[1]?.trim();
  // The first language of the styles is that of all paragraphs that name no other.
  const language = /<w:lang\b[^>]*\sw:val="([^"]*)"/.exec(files.get(STYLES) ?? "")?.[1];
  return { title: heading || named || undefined, text: lines.join("\n").trim(), language };
}
