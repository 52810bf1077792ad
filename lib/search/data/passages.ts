/**
 * Splits texts that are too large for one entry into passages.
 *
 * @module
 */
import type { DataFile, DataItem, ReadNote, ReadOptions } from "./item.ts";
import type { TextSource } from "./text_source.ts";

/** The length of a passage in code units, about: a snippet's search for its place takes about 1 ms. */
const PASSAGE_LENGTH = 64 * 1024;

/** A part of a text. */
export interface Passage {
  readonly text: string;
  /** The line on which it begins, from 1. */
  readonly line: number;
}

/** Cuts a text, which it takes in pieces, into passages that end with a paragraph where possible. */
export class PassageCutter {
  readonly #maxLength: number;
  #text = "";
  #line = 1;

  /** @param maxLength The longest passage, in code units. */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** Takes the next piece. @returns the passages that are complete. */
  *push(chunk: string): Generator<Passage> {
    this.#text += chunk;
    while (this.#text.length > this.#maxLength) {
      yield* this.#cut(endOf(this.#text.slice(0, this.#maxLength)));
    }
  }

  /** The text is over: the last passage. */
  *end(): Generator<Passage> {
    yield* this.#cut(this.#text.length);
  }

  *#cut(end: number): Generator<Passage> {
    const whole = this.#text.slice(0, end);
    this.#text = this.#text.slice(end);
    const text = whole.trimStart();
    const skipped = countLines(whole.slice(0, whole.length - text.length));
    if (text !== "") yield { text: text.trimEnd(), line: this.#line + skipped };
    this.#line += countLines(whole);
  }
}

/** Where a passage may end: behind its last paragraph, line or word, unless that makes it short. */
function endOf(text: string): number {
  for (const mark of ["\n\n", "\n", " "]) {
    const at = text.lastIndexOf(mark);
    if (at > text.length / 2) return at + mark.length;
  }
  // Not between the two halves of a character.
  return /[\ud800-\udbff]$/.test(text) ? text.length - 1 : text.length;
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

/** Told of a file whose text becomes passages. */
export const SPLIT: ReadNote = {
  note: "it is too large for one entry and was split into passages",
  option: "maxEntryBytes",
};

/** The length of passages, in code units, by the largest entry. A code unit takes up to three bytes. */
export function passageLength(maxEntryBytes: number): number {
  return Math.max(1, Math.min(PASSAGE_LENGTH, Math.floor(maxEntryBytes / 4)));
}

/**
 * Reads a text as passages. Each has the key `FILE:LINE` of the line on which it begins, so it leads
 * back to its place.
 *
 * @param title The text's title; without one it is the file's name.
 * @param language That of the text, where it is known.
 */
export async function* readPassages(
  file: DataFile,
  options: ReadOptions,
  source: TextSource,
  title: string | undefined,
  language?: string,
): AsyncGenerator<DataItem[]> {
  yield [SPLIT];
  const cutter = new PassageCutter(passageLength(options.maxEntryBytes));
  for await (const chunk of source.chunks(true)) {
    yield [...cutter.push(chunk)].map(itemOf);
  }
  yield [...cutter.end()].map(itemOf);

  function itemOf({ text, line }: Passage): DataItem {
    const place = `:${line}`;
    const local = (file.name + place).toWellFormed();
    const name = title ?? file.name;
    return { line, entry: { local, place, title: `${name} (from line ${line})`, text, language } };
  }
}
