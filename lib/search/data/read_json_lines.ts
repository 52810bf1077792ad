import { type DataFile, type DataItem, type ReadOptions, tooLarge } from "./item.ts";
import { readLines } from "./lines.ts";
import { parseJson } from "./parse_json.ts";
import { type RawRecord, readRecords } from "./read_records.ts";
import { TextSource } from "./text_source.ts";

/** Reads JSON Lines: a record on each line. Empty lines are skipped, but counted in line numbers. */
export async function* readJsonLines(
  file: DataFile,
  options: ReadOptions,
): AsyncGenerator<DataItem[]> {
  const source = await TextSource.open(file, options);
  if (source.note !== undefined) yield [source.note];
  yield* readRecords(file, options, source, (isLast) => recordsIn(source, options, isLast));
}

async function* recordsIn(
  source: TextSource,
  options: ReadOptions,
  isLast: boolean,
): AsyncGenerator<RawRecord[]> {
  const chunks = source.chunks(isLast);
  // JSON may write one character as six: \u0041.
  for await (const lines of readLines(chunks, options.maxEntryBytes * 6)) {
    const records: RawRecord[] = [];
    for (const { number: line, text, tooLong } of lines) {
      if (tooLong) records.push({ line, ...tooLarge(options) });
      else if (text.trim() !== "") records.push(recordOf(line, text));
    }
    yield records;
  }
}

function recordOf(line: number, text: string): RawRecord {
  try {
    return { line, value: parseJson(text) };
  } catch (error) {
    return { line, broken: `it is not JSON: ${(error as Error).message}` };
  }
}
