import { csvRecords } from "./csv_records.ts";
import { entryOf } from "./fields.ts";
import type { DataFile, DataItem, ReadOptions } from "./item.ts";
import { readLines } from "./lines.ts";
import { textChunks } from "./text_chunks.ts";

/**
 * Reads CSV or TSV whose first record names the fields. The key of a record without one is
 * `NAME:LINE`. A record with more or fewer values than names is broken.
 *
 * @param separator A tab for TSV. For CSV it is `undefined`: the separator is then `;` if the header
 * has one and no comma, as spreadsheets write CSV in countries with decimal commas; else `,`.
 */
export async function* readCsv(
  file: DataFile,
  options: ReadOptions,
  separator?: "\t",
): AsyncGenerator<DataItem> {
  // Each character of a value may be a quotation mark, which CSV doubles.
  const maxLength = options.maxEntryBytes * 2;
  const lines = readLines(textChunks(file, options), maxLength);
  const first = await nextLine(lines);
  if (first === undefined) return;
  const isSemicolon = first.text.includes(";") && !first.text.includes(",");
  let names: string[] | undefined;
  const records = csvRecords(
    withFirst(first, lines),
    separator ?? (isSemicolon ? ";" : ","),
    maxLength,
  );
  for await (const record of records) {
    if ("broken" in record) {
      yield record;
      if (names === undefined) return;
      continue;
    }
    const { line, values } = record;
    if (names === undefined) {
      names = values.map((name) => name.trim());
    } else if (values.length !== names.length) {
      yield { line, broken: `it has ${values.length} values where the header has ${names.length}` };
    } else {
      const fields = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
      const entry = entryOf(fields, options, file.name, `:${line}`);
      yield typeof entry === "string" ? { line, broken: entry } : { line, entry };
    }
  }
}

type Lines = ReturnType<typeof readLines>;

/** The first line with text, so that empty lines before the header do not hide it. */
async function nextLine(lines: Lines) {
  while (true) {
    const { value, done } = await lines.next();
    if (done) return undefined;
    if (value.text.trim() !== "") return value;
  }
}

async function* withFirst<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}
