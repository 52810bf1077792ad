import type { DataFile, DataItem, ReadOptions } from "./item.ts";
import { readLines } from "./lines.ts";
import { parseJson } from "./parse_json.ts";
import { type RawRecord, readRecords } from "./read_records.ts";
import { TextSource } from "./text_source.ts";

/** Reads JSON Lines: a record on each line. Empty lines are skipped, but counted in line numbers. */
export async function* readJsonLines(
  file: DataFile,
  options: ReadOptions,
): AsyncGenerator<DataItem> {
  const source = await TextSource.open(file, options);
  if (source.note !== undefined) yield source.note;
  yield* readRecords(file, options, (isLast) => recordsIn(source, options, isLast));
}

async function* recordsIn(
  source: TextSource,
  { maxEntryBytes }: ReadOptions,
  isLast: boolean,
): AsyncGenerator<RawRecord> {
  const chunks = source.chunks(isLast);
  // JSON may write one character as six: \u0041.
  for await (const { number: line, text, tooLong } of readLines(chunks, maxEntryBytes * 6)) {
    if (tooLong) yield { line, broken: `it is larger than ${maxEntryBytes} bytes` };
    else if (text.trim() !== "") yield { line, ...valueOf(text) };
  }
}

function valueOf(text: string): { value: unknown } | { broken: string } {
  try {
    return { value: parseJson(text) };
  } catch (error) {
    return { broken: `it is not JSON: ${(error as Error).message}` };
  }
}
