import { importLater } from "../../base/import_later.ts";
import type { DataFile, DataItem, ReadOptions } from "./item.ts";

/**
 * Reads a file's records, several together: waiting for each would take as long as making it. The end
 * of its name tells the format: `.json`; `.jsonl` and `.ndjson`; `.csv`; `.tsv` and `.tab`; `.html`, `.htm` and `.xhtml`; `.md`, `.markdown` and `.mdx`; `.pdf`, `.docx`, `.epub`.
 * Every other file is plain text. What reads a format is loaded with the first file that has it.
 *
 * @throws {SkipFile} if the file is not text, or too large.
 * @throws {UnreadableFile} if it cannot be read at this time.
 */
export async function readFile(
  file: DataFile,
  options: ReadOptions,
): Promise<AsyncGenerator<DataItem[]>> {
  const extension = /\.([^./\\]+)$/.exec(file.path)?.[1]?.toLowerCase();
  switch (extension) {
    case "json": {
      const { readJson } = await importLater<typeof import("./read_json.ts")>(
        new URL("./read_json.ts", import.meta.url),
      );
      return readJson(file, options);
    }
    case "jsonl":
    case "ndjson": {
      const { readJsonLines } = await importLater<typeof import("./read_json_lines.ts")>(
        new URL("./read_json_lines.ts", import.meta.url),
      );
      return readJsonLines(file, options);
    }
    case "csv":
    case "tsv":
    case "tab": {
      const { readCsv } = await importLater<typeof import("./read_csv.ts")>(
        new URL("./read_csv.ts", import.meta.url),
      );
      return readCsv(file, options, extension === "csv" ? "," : "\t");
    }
    case "pdf":
    case "docx":
    case "epub": {
      const { readPacked } = await importLater<typeof import("./read_packed.ts")>(
        new URL("./read_packed.ts", import.meta.url),
      );
      return readPacked(file, options, extension);
    }
    default: {
      const { readDocument } = await importLater<typeof import("./read_document.ts")>(
        new URL("./read_document.ts", import.meta.url),
      );
      return readDocument(
        file,
        options,
        (Object.hasOwn(KINDS, extension ?? "") ? KINDS[extension!] : undefined) ?? "text",
      );
    }
  }
}

/** The kinds of documents, by the end of the name. */
const KINDS: Readonly<Record<string, "html" | "markdown" | "mdx">> = {
  html: "html",
  htm: "html",
  xhtml: "html",
  md: "markdown",
  markdown: "markdown",
  mdx: "mdx",
};
