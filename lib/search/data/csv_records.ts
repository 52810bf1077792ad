/**
 * Splits CSV into records by RFC 4180, line by line. It is our own code, because no well-kept
 * library does all of this in bounded memory: it goes on behind a quotation mark that is not closed
 * without swallowing the next records, and it tells the line on which each record begins.
 *
 * @module
 */
import type { ReadBroken } from "./item.ts";
import type { Line } from "./lines.ts";

/** A record: its values, or what is wrong with it. */
export type CsvRecord =
  | {
    readonly line: number;
    readonly values: string[];
    /**
     * What is odd about its quotation marks: one is not closed, and was taken as text; or they hold
     * several lines that look like records themselves.
     */
    readonly oddity?: "stray" | "records" | undefined;
  }
  | ReadBroken;

/** The most lines of one value in quotation marks. */
const MAX_LINES = 1000;

/**
 * Splits lines into records. A value in quotation marks may hold the separator, doubled quotation
 * marks and line ends. Empty lines are no records.
 *
 * A quotation mark counts as text if it is never closed, if it is closed in the middle of a value,
 * or if it makes a record of several lines whose number of values is not `columns`. Then each of
 * these lines is read again as a record of its own.
 */
export class CsvRecords {
  /** How many values a record should have; `undefined` while that is not known. */
  columns: number | undefined;
  readonly #separator: string;
  readonly #maxLength: number;
  #open: Line[] = [];
  #length = 0;
  #splitter: ValueSplitter;

  /** @param separator One character. @param maxLength The longest record, in code units. */
  constructor(separator: string, maxLength: number) {
    this.#separator = separator;
    this.#maxLength = maxLength;
    this.#splitter = new ValueSplitter(separator);
  }

  /** Takes the next line. @returns the records that it completes. */
  *push(line: Line): Generator<CsvRecord> {
    // The lines of a broken record after its first one are read again, as records of their own.
    const waiting = [line];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (this.#open.length === 0 && next.text.trim() === "") continue;
      this.#open.push(next);
      this.#length += next.text.length + 1;
      this.#splitter.push(next.text);
      const isTooLong = this.#length > this.#maxLength || next.tooLong;
      if (this.#splitter.isOpen && this.#open.length < MAX_LINES && !isTooLong) continue;
      yield this.#finish(isTooLong, waiting);
    }
  }

  /** The lines are over. */
  *end(): Generator<CsvRecord> {
    while (this.#open.length > 0) {
      const waiting: Line[] = [];
      yield this.#finish(false, waiting);
      for (const line of waiting.reverse()) yield* this.push(line);
    }
  }

  #finish(isTooLong: boolean, waiting: Line[]): CsvRecord {
    const lines = this.#open;
    const { values, isOpen, isMalformed } = this.#splitter;
    this.#open = [];
    this.#length = 0;
    this.#splitter = new ValueSplitter(this.#separator);
    const { number: line, text } = lines[0]!;
    const isWhole = !isOpen && !isMalformed && !isTooLong &&
      (lines.length === 1 || this.columns === undefined || values.length === this.columns);
    if (isWhole) {
      return { line, values, oddity: this.#looksLikeRecords(lines) ? "records" : undefined };
    }
    for (let i = lines.length - 1; i > 0; i--) waiting.push(lines[i]!);
    if (text.length > this.#maxLength || lines[0]!.tooLong) {
      const broken = `it is larger than ${this.#maxLength} characters`;
      return { line, broken, option: "maxEntryBytes" };
    }
    return { line, values: this.#alone(text), oddity: "stray" };
  }

  /** The values of a line that is a record of its own. */
  #alone(text: string): string[] {
    const splitter = new ValueSplitter(this.#separator, true);
    splitter.push(text);
    return splitter.values;
  }

  /** Whether each line of a record has as many values as a record, so that each may be one. */
  #looksLikeRecords(lines: readonly Line[]): boolean {
    if (lines.length === 1 || this.columns === undefined || this.columns === 1) return false;
    return lines.every(({ text }) => this.#alone(text).length === this.columns);
  }
}

const QUOTE = '"';
/** A quotation mark at the beginning of a value; spaces before it are no part of the value. */
const OPENING = / *"/y;

/** Splits one record into its values. It takes the record line by line and reads each line once. */
class ValueSplitter {
  readonly values: string[] = [];
  /** Whether a quotation mark is open at the end of the last line. */
  isOpen = false;
  /** Whether a quotation mark was closed in the middle of a value. */
  isMalformed = false;
  readonly #separator: string;
  readonly #isAlone: boolean;
  #value = "";

  /**
   * @param isAlone Whether the record has this one line. A quotation mark that is not closed on it,
   * or is closed in the middle of a value, is then text.
   */
  constructor(separator: string, isAlone = false) {
    this.#separator = separator;
    this.#isAlone = isAlone;
  }

  push(line: string): void {
    if (this.isMalformed) return;
    let at = 0;
    if (this.isOpen) {
      this.#value += "\n";
      at = this.#readQuoted(line, 0);
    }
    while (at >= 0) {
      OPENING.lastIndex = at;
      if (OPENING.test(line)) at = this.#quoted(line, at, OPENING.lastIndex);
      else at = this.#finish(line, at);
    }
  }

  #quoted(line: string, from: number, content: number): number {
    const next = this.#readQuoted(line, content);
    if (!this.#isAlone || !(this.isOpen || this.isMalformed)) return next;
    this.isOpen = this.isMalformed = false;
    this.#value = "";
    return this.#finish(line, from);
  }

  /** Reads inside quotation marks. @returns where the next value begins; -1 at the line's end. */
  #readQuoted(line: string, from: number): number {
    this.isOpen = true;
    for (let at = from; true;) {
      const end = line.indexOf(QUOTE, at);
      this.#value += line.slice(at, end < 0 ? line.length : end);
      if (end < 0) return -1;
      if (line[end + 1] === QUOTE) {
        this.#value += QUOTE;
        at = end + 2;
        continue;
      }
      this.isOpen = false;
      let after = end + 1;
      while (line[after] === " ") after++;
      if (after < line.length && !line.startsWith(this.#separator, after)) {
        this.isMalformed = true;
        return -1;
      }
      this.values.push(this.#value);
      this.#value = "";
      return after < line.length ? after + this.#separator.length : -1;
    }
  }

  /** Reads up to the separator. @returns where the next value begins; -1 at the line's end. */
  #finish(line: string, from: number): number {
    const end = line.indexOf(this.#separator, from);
    this.values.push(line.slice(from, end < 0 ? line.length : end));
    return end < 0 ? -1 : end + this.#separator.length;
  }
}
