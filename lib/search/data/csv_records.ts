/**
 * Splits CSV and TSV into records by RFC 4180, line by line. Own code rather than a library's for
 * two things that the well-kept ones do not give together: the line on which a record begins, and
 * going on at the next line after a quotation mark that is never closed, in bounded memory.
 *
 * @module
 */
import type { Line } from "./lines.ts";

/** A record: its values, or what is wrong with it. */
export type CsvRecord =
  | { readonly line: number; readonly values: string[] }
  | { readonly line: number; readonly broken: string };

/** A value in quotation marks may go over this many lines. */
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
  // Lines of a record that turned out broken, all but its first: they are looked at anew.
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

/** Splits one record into its values, fed line by line so that no line is read twice. */
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

  /** Reads on within quotation marks; where the next value begins, or -1 at the line's end. */
  #readQuoted(line: string, from: number): number {
    this.isOpen = true;
    for (let at = from; true;) {
      const end = line.indexOf(QUOTE, at);
      this.#value += line.slice(at, end < 0 ? line.length : end);
      if (end < 0) return -1;
      if (line[end + 1] !== QUOTE) {
        this.isOpen = false;
        // What follows a closing quotation mark is not good CSV, but it is kept rather than lost.
        return this.#finish(line, end + 1);
      }
      this.#value += QUOTE;
      at = end + 2;
    }
  }

  /** Reads on to the separator; where the next value begins, or -1 at the line's end. */
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
