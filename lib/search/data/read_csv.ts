/**
 * Reads CSV and TSV.
 *
 * @module
 */
import { type CsvDialect, csvDialect } from "./csv_dialect.ts";
import { CsvRecords } from "./csv_records.ts";
import type { DataFile, DataItem, ReadNote, ReadOptions } from "./item.ts";
import { readLines } from "./lines.ts";
import { type RawRecord, readRecords } from "./read_records.ts";
import { TextSource } from "./text_source.ts";

/** This much of a file shows how it is written, in code units. */
const SAMPLE_LENGTH = 64 * 1024;

/**
 * Reads CSV or TSV whose first record names the fields. Records with more or fewer values than names
 * are taken as they are, and told.
 *
 * @param preferred The separator, where others fit equally.
 */
export async function* readCsv(
  file: DataFile,
  options: ReadOptions,
  preferred: "," | "\t",
): AsyncGenerator<DataItem[]> {
  const source = await TextSource.open(file, options);
  if (source.note !== undefined) yield [source.note];
  const start = await source.beginning(SAMPLE_LENGTH);
  const isWhole = start.length < SAMPLE_LENGTH;
  const dialect = csvDialect(start, isWhole, options.separator, preferred);
  yield* readRecords(
    file,
    options,
    source,
    (isLast) => recordsIn(source, dialect, options, isLast),
  );
}

async function* recordsIn(
  source: TextSource,
  { separator, lineEnd, hasSeparatorLine }: CsvDialect,
  options: ReadOptions,
  isLast: boolean,
): AsyncGenerator<RawRecord[]> {
  // Each character of a value may be a quotation mark, which CSV doubles.
  const maxLength = options.maxEntryBytes * 2;
  const chunks = source.chunks(isLast);
  const records = new CsvRecords(separator, maxLength);
  const table = new CsvTable(records);
  for await (const lines of readLines(chunks, maxLength, lineEnd)) {
    const found: RawRecord[] = [];
    for (const line of lines) {
      if (hasSeparatorLine && line.number === 1) continue;
      for (const record of records.push(line)) found.push(...table.take(record));
    }
    yield found;
  }
  yield [...[...records.end()].flatMap((record) => [...table.take(record)]), ...table.notes()];
}

type CsvRecord = ReturnType<CsvRecords["push"]> extends Generator<infer T> ? T : never;

const ODDITIES = {
  stray: "a quotation mark is not closed; it was taken as text",
  records: "lines that look like records are inside quotation marks; they were taken as one value",
};

/** Names the values of records by the first record, the header. */
class CsvTable {
  readonly #records: CsvRecords;
  #names: string[] | undefined;
  readonly #odd = new Map<string, { line: number; count: number }>();

  constructor(records: CsvRecords) {
    this.#records = records;
  }

  *take(record: CsvRecord): Generator<RawRecord> {
    if ("broken" in record) {
      yield record;
      return;
    }
    const { line, values, oddity } = record;
    if (oddity !== undefined) this.#note(ODDITIES[oddity], line);
    if (this.#names === undefined) {
      this.#names = uniqueNames(values);
      this.#records.columns = values.length;
      return;
    }
    const names = this.#names;
    if (values.length !== names.length) {
      // Separators behind the last value make further, empty values, which mean nothing.
      while (values.length > names.length && values.at(-1)!.trim() === "") values.pop();
      if (values.length !== names.length) {
        const many = values.length > names.length ? "more" : "fewer";
        this.#note(`it has ${many} values than the header`, line);
      }
    }
    const fields = values.map((value, i) => [names[i] ?? `column ${i + 1}`, value]);
    yield { line, value: Object.fromEntries(fields) };
  }

  /** What was odd, once for each kind. */
  *notes(): Generator<ReadNote> {
    for (const [kind, { line, count }] of this.#odd) {
      const others = count > 1 ? ` (as ${count - 1} more of its records)` : "";
      yield { note: kind + others, line, option: "separator" };
    }
  }

  #note(kind: string, line: number): void {
    const odd = this.#odd.get(kind);
    if (odd === undefined) this.#odd.set(kind, { line, count: 1 });
    else odd.count++;
  }
}

/** Names of fields: those without one have their number, those of the same name as others as well. */
function uniqueNames(values: readonly string[]): string[] {
  // A set: a header of a file that is no table may have millions.
  const taken = new Set<string>();
  return values.map((value, i) => {
    const named = value.trim() || `column ${i + 1}`;
    const name = taken.has(named) ? `${named} ${i + 1}` : named;
    taken.add(name);
    return name;
  });
}
