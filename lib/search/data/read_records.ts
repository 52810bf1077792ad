/**
 * Reads files of many records: twice, because only all records together show which of their fields
 * tell them apart.
 *
 * @module
 */
import type { Fields } from "./field_values.ts";
import { EntryMaker } from "./fields.ts";
import type { DataFile, DataItem, ReadBroken, ReadNote, ReadOptions } from "./item.ts";
import { KeySurvey } from "./key_survey.ts";

/** A record as a format's reader gives it: its value, or what is wrong with it. */
export type RawRecord =
  | { readonly line: number; readonly value: unknown }
  | ReadBroken
  | ReadNote;

/**
 * Reads the records of a file.
 *
 * @param records Reads them from the beginning, several together. It is called twice; `isLast` tells
 * the second time.
 */
export async function* readRecords(
  file: DataFile,
  options: ReadOptions,
  records: (isLast: boolean) => AsyncIterable<readonly RawRecord[]>,
): AsyncGenerator<DataItem> {
  const survey = new KeySurvey();
  if (options.keyField === undefined) {
    for await (const some of records(false)) {
      for (const record of some) {
        if ("value" in record && isFields(record.value)) survey.add(record.value);
      }
    }
  }
  const maker = new EntryMaker(options, file.name, survey.names());
  let [lastLine, nth] = [0, 1];
  for await (const some of records(true)) {
    for (const record of some) {
      if (!("value" in record)) {
        yield record;
        continue;
      }
      const { line, value } = record;
      // Several records may begin on one line: the first has the line alone.
      nth = line === lastLine ? nth + 1 : 1;
      lastLine = line;
      const entry = maker.make(value, nth === 1 ? `:${line}` : `:${line}.${nth}`);
      yield typeof entry === "string" ? { line, broken: entry } : { line, entry };
    }
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
