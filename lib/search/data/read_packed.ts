import { loadedLanguage } from "./document_language.ts";
import { type DataFile, type DataItem, type ReadOptions, SkipFile } from "./item.ts";
import type { PackedKind } from "./packed/packed_file.ts";
import { documentItems } from "./read_document.ts";
import { firstLine } from "./text_title.ts";
import { fileBytes } from "./text_source.ts";

/** The largest such file, in bytes: it is held in memory as a whole. */
const MAX_PACKED_BYTES = 64 * 1024 * 1024;

/** Reads a file whose text has to be taken out, as one entry or as passages. */
export async function* readPacked(
  file: DataFile,
  options: ReadOptions,
  kind: PackedKind,
): AsyncGenerator<DataItem[]> {
  const name = kind.toUpperCase();
  if (options.extract === undefined) throw new SkipFile(`${name} is not read`);
  const bytes = await fileBytes(file, options, MAX_PACKED_BYTES);
  if (bytes.length === 0) throw new SkipFile("empty");
  options.onProgress?.(bytes.length);
  const found = await options.extract({ kind, bytes });
  if ("problem" in found) throw new SkipFile(`no ${name} that can be read: ${found.problem}`);
  if (found.text.trim() === "") {
    throw new SkipFile(kind === "pdf" ? "a PDF without text, perhaps of pictures only" : "empty");
  }
  const title = found.title ?? firstLine(found.text);
  const language = await loadedLanguage(found.language);
  yield documentItems(file, options, { title, text: found.text, language });
}
