import type { DataFile, DataItem, ReadOptions } from "./item.ts";
import { readCsv } from "./read_csv.ts";
import { readDocument } from "./read_document.ts";
import { readJson } from "./read_json.ts";
import { readJsonLines } from "./read_json_lines.ts";
import { readPacked } from "./read_packed.ts";

/**
 * Reads a file's records. The end of its name tells the format: `.json`; `.jsonl` and `.ndjson`;
 * `.csv`; `.tsv` and `.tab`; `.html`, `.htm` and `.xhtml`; `.md`, `.markdown` and `.mdx`; `.pdf`, `.docx`, `.epub`. Every other file
 * is plain text.
 *
 * @throws {SkipFile} if the file is not text, or too large.
 * @throws {UnreadableFile} if it cannot be read at this time.
 */
export function readFile(file: DataFile, options: ReadOptions): AsyncGenerator<DataItem> {
  const extension = /\.([^./\\]+)$/.exec(file.path)?.[1]?.toLowerCase();
  switch (extension) {
    case "json":
      return readJson(file, options);
    case "jsonl":
    case "ndjson":
      return readJsonLines(file, options);
    case "csv":
      return readCsv(file, options, ",");
    case "tsv":
    case "tab":
      return readCsv(file, options, "\t");
    case "html":
    case "htm":
    case "xhtml":
      return readDocument(file, options, "html");
    case "pdf":
    case "docx":
    case "epub":
      return readPacked(file, options, extension);
    case "md":
    case "markdown":
      return readDocument(file, options, "markdown");
    case "mdx":
      return readDocument(file, options, "mdx");
    default:
      return readDocument(file, options, "text");
  }
}
