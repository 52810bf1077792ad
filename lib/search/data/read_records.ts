/**
 * Reads files of many records. Only all records together show which of their fields tell them apart,
 * so they are looked at twice.
 *
 * @module
 */
import type { Fields } from "./field_values.ts";
import { EntryMaker } from "./fields.ts";
import type { DataFile, DataItem, ReadBroken, ReadNote, ReadOptions } from "./item.ts";
import { KeySurvey } from "./key_survey.ts";
import type { TextSource } from "./text_source.ts";

/** The records of this much text are kept, in code units; those of a larger file are read twice. */
const KEPT_LENGTH = 8 * 1024 * 1024;

/** A record as a format's reader gives it: its value, or what is wrong with it. */
export type RawRecord =
  | { readonly line: number; readonly value: unknown }
  | ReadBroken
  | ReadNote;

/**
 * Reads the records of a file.
 *
 * @param source The file's text.
 * @param records Reads them from the beginning of the source, several together. It may be called
 * twice; `isLast` tells the last time.
 */
export async function* readRecords(
  file: DataFile,
  options: ReadOptions,
  source: TextSource,
  records: (isLast: boolean) => AsyncIterable<readonly RawRecord[]>,
): AsyncGenerator<DataItem[]> {
  const survey = new KeySurvey();
  let kept: (readonly RawRecord[])[] | undefined;
  if (options.keyField === undefined) {
    kept = [];
    for await (const some of records(false)) {
      for (const record of some) {
        if ("value" in record && isFields(record.value)) survey.add(record.value);
      }
      if (source.taken > KEPT_LENGTH) kept = undefined;
      kept?.push(some);
    }
  }
  const maker = new EntryMaker(options, file.name, survey.names());
  let [lastLine, nth] = [0, 1];
  const itemOf = (record: RawRecord): DataItem => {
    if (!("value" in record)) return record;
    const { line, value } = record;
    // Several records may begin on one line: the first has the line alone.
    nth = line === lastLine ? nth + 1 : 1;
    lastLine = line;
    const entry = maker.make(value, nth === 1 ? `:${line}` : `:${line}.${nth}`);
    return typeof entry === "string" ? { line, broken: entry } : { line, entry };
  };
  if (kept === undefined) {
    for await (const some of records(true)) yield some.map(itemOf);
    return;
  }
  options.onProgress?.(file.bytes);
  for (const some of kept) yield some.map(itemOf);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
