import { entryOf, type Fields } from "./fields.ts";
import type { DataFile, DataItem, ReadOptions } from "./item.ts";
import { readLines } from "./lines.ts";
import { textChunks } from "./text_chunks.ts";

/**
 * Reads JSON Lines: a record on each line. Empty lines are skipped, but counted in line numbers. The
 * key of a record without one is `NAME:LINE`.
 */
export async function* readJsonLines(
  file: DataFile,
  options: ReadOptions,
): AsyncGenerator<DataItem> {
  const chunks = textChunks(file, options);
  // JSON may write one character as six: \u0041.
  for await (const line of readLines(chunks, options.maxEntryBytes * 6)) {
    if (line.tooLong) {
      yield { line: line.number, broken: `it is larger than ${options.maxEntryBytes} bytes` };
    } else if (line.text.trim() !== "") {
      yield { line: line.number, ...recordOf(line.text, file, line.number, options) };
    }
  }
}

function recordOf(text: string, file: DataFile, line: number, options: ReadOptions) {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { broken: `it is not JSON: ${(error as Error).message}` };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { broken: "it is not an object" };
  }
  const entry = entryOf(value as Fields, options, file.name, `:${line}`);
  return typeof entry === "string" ? { broken: entry } : { entry };
}
