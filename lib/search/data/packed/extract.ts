/**
 * Takes the text out of files that are no text: PDF, DOCX, EPUB. This is done in a worker of its own,
 * because a file may be made so that it takes any time.
 *
 * @module
 */
import { docxText } from "./docx.ts";
import { epubText } from "./epub.ts";
import type { PackedFile, PackedText } from "./packed_file.ts";
import { pdfText } from "./pdf.ts";

/** Takes the text out of a file. @throws what the library throws that reads it. */
export function extract({ kind, bytes }: PackedFile): Promise<PackedText> {
  switch (kind) {
    case "pdf":
      return pdfText(bytes);
    case "docx":
      return docxText(bytes);
    case "epub":
      return epubText(bytes);
  }
}
