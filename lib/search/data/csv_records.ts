/**
 * Splits CSV and TSV into records by RFC 4180, line by line. It is no library's code, because no
 * well-kept library does both of these: tell the line on which a record begins, and go on at the
 * next line, in bounded memory, after a quotation mark that is never closed.
 *
 * @module
 */
import type { Line } from "./lines.ts";

/** A record: its values, or what is wrong with it. */
export type CsvRecord =
  | { readonly line: number; readonly values: string[] }
  | { readonly line: number; readonly broken: string };

/** The most lines of one value in quotation marks. */
const MAX_LINES = 1000;
const QUOTE = '"';

/**
 * Splits lines into records. A value in quotation marks may hold the separator, doubled quotation
 * marks and line ends. Empty lines are no records.
 *
 * @param separator `,`, `;` or a tab.
 * @param maxLength The longest record, in code units.
 */
export async function* csvRecords(
  lines: AsyncIterable<Line>,
  separator: string,
  maxLength: number,
): AsyncGenerator<CsvRecord> {
  let open: Line[] = [];
  let length = 0;
  let splitter = new ValueSplitter(separator);
  // The lines of a broken record after its first one: they are read again, as records of their own.
  let again: Line[] = [];
  const source = lines[Symbol.asyncIterator]();
  while (true) {
    const line = again.length > 0 ? again.shift()! : await nextOf(source);
    if (line === undefined && open.length === 0) return;
    if (line !== undefined) {
      if (open.length === 0 && line.text.trim() === "") continue;
      open.push(line);
      length += line.text.length + 1;
      splitter.push(line.text);
    }
    const isTooLong = length > maxLength || line?.tooLong === true;
    if (splitter.isOpen && line !== undefined && open.length < MAX_LINES && !isTooLong) continue;
    const first = open[0]!.number;
    if (!splitter.isOpen && !isTooLong) yield { line: first, values: splitter.values };
    else {
      const broken = isTooLong && open.length === 1
        ? `it is larger than ${maxLength} characters`
        : "a quotation mark is not closed";
      yield { line: first, broken };
      again = [...open.slice(1), ...again];
    }
    open = [];
    length = 0;
    splitter = new ValueSplitter(separator);
  }
}

/** Splits one record into its values. It takes the record line by line and reads each line once. */
class ValueSplitter {
  readonly values: string[] = [];
  /** Whether a quotation mark is open at the end of the last line. */
  isOpen = false;
  readonly #separator: string;
  #value = "";

  constructor(separator: string) {
    this.#separator = separator;
  }

  push(line: string): void {
    let at = 0;
    if (this.isOpen) {
      this.#value += "\n";
      at = this.#readQuoted(line, 0);
    }
    while (at >= 0) {
      at = line[at] === QUOTE ? this.#readQuoted(line, at + 1) : this.#finish(line, at);
    }
  }

  /** Reads inside quotation marks. @returns where the next value begins; -1 at the line's end. */
  #readQuoted(line: string, from: number): number {
    this.isOpen = true;
    for (let at = from; true;) {
      const end = line.indexOf(QUOTE, at);
      this.#value += line.slice(at, end < 0 ? line.length : end);
      if (end < 0) return -1;
      if (line[end + 1] !== QUOTE) {
        this.isOpen = false;
        // Text behind a closing quotation mark is not valid CSV; it is kept rather than dropped.
        return this.#finish(line, end + 1);
      }
      this.#value += QUOTE;
      at = end + 2;
    }
  }

  /** Reads up to the separator. @returns where the next value begins; -1 at the line's end. */
  #finish(line: string, from: number): number {
    const end = line.indexOf(this.#separator, from);
    this.values.push(this.#value + line.slice(from, end < 0 ? line.length : end));
    this.#value = "";
    return end < 0 ? -1 : end + this.#separator.length;
  }
}

async function nextOf(source: AsyncIterator<Line>): Promise<Line | undefined> {
  const { value, done } = await source.next();
  return done ? undefined : value;
}
