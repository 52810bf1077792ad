import type { PackedText } from "./packed_file.ts";

/** Pages that are read at most. */
const MAX_PAGES = 10_000;

/**
 * The text of a PDF, page by page, and the title that it says it has. The library, PDF.js without what
 * draws, is loaded with the first PDF.
 */
export async function pdfText(bytes: Uint8Array): Promise<PackedText> {
  const { getDocumentProxy } = await import("unpdf");
  const pdf = await getDocumentProxy(bytes, { verbosity: 0 });
  const pages: string[] = [];
  for (let number = 1; number <= Math.min(pdf.numPages, MAX_PAGES); number++) {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    const text = items.map((item) => "str" in item ? item.str + (item.hasEOL ? "\n" : "") : "");
    pages.push(text.join("").trim());
    page.cleanup();
  }
  const { info } = await pdf.getMetadata();
  const said = info as { readonly Title?: unknown; readonly Language?: unknown };
  const named = (value: unknown) => typeof value === "string" && value.trim() || undefined;
  return {
    title: named(said.Title),
    text: pages.filter(Boolean).join("\n\n"),
    language: named(said.Language),
  };
}
