import { parseBytes, parseDuration } from "../../base/units.ts";
import { suggestion } from "../../base/nearest.ts";
import type { FaultRange } from "./fault.ts";
import { FaultError } from "./fault_error.ts";

/** A word of a fault, and where it stands. */
export interface Word {
  /** The word without quotation marks. */
  readonly text: string;
  readonly index: number;
  readonly length: number;
}

/** The words of a fault, read one after the other. Spaces within quotation marks belong to a word. */
export class FaultWords {
  readonly #text: string;
  readonly #words: readonly Word[];
  #at = 0;

  /** @throws {FaultError} if a quotation mark has no counterpart. */
  constructor(text: string) {
    this.#text = text;
    const words: Word[] = [];
    for (const match of text.matchAll(/(?:"[^"]*"|[^\s"])+|"/g)) {
      const [word] = match;
      const place = { index: match.index, length: word.length };
      if (word === '"') throw new FaultError(text, "a quotation mark is never closed", place);
      words.push({ text: word.replaceAll('"', ""), ...place });
    }
    this.#words = words;
  }

  /** The words with one space between two. What stands within quotation marks stays as it is. */
  get normal(): string {
    return this.#words.map(({ index, length }) => this.#text.slice(index, index + length)).join(
      " ",
    );
  }

  /** The next word, which stays. */
  peek(): Word | undefined {
    return this.#words[this.#at];
  }

  /** The word behind the next. */
  second(): Word | undefined {
    return this.#words[this.#at + 1];
  }

  /** Whether the next word is this one; then it is taken. */
  takes(word: string): boolean {
    if (this.peek()?.text !== word) return false;
    this.#at++;
    return true;
  }

  /** Takes the next word. @param what What it has to be, for the error where there is none. */
  next(what: string): Word {
    const word = this.#words[this.#at++];
    if (word) return word;
    throw new FaultError(this.#text, `${what} is missing`, { index: this.#text.length, length: 0 });
  }

  /** Takes the next word, which has to be one of these. */
  choice<const T extends string>(what: string, names: readonly T[]): T {
    const word = this.next(what);
    if ((names as readonly string[]).includes(word.text)) return word.text as T;
    const known = `there are ${names.join(", ")}`;
    this.refuse(
      word,
      `${JSON.stringify(word.text)} is no ${what}${suggestion(word.text, names) || `: ${known}`}`,
    );
  }

  /** A time above 0, such as `80ms`. */
  duration(what: string): number {
    const word = this.next(`a ${what}, such as 80ms,`);
    const ms = parseDuration(word.text) ??
      this.refuse(word, `${JSON.stringify(word.text)} is no ${what} (write 80ms, 3s or 1m)`);
    if (ms === 0) this.refuse(word, `a ${what} of 0 does nothing`);
    return ms;
  }

  /** A number of bytes, such as `64KiB`. */
  size(what: string): number {
    const word = this.next(`a ${what}, such as 64KiB,`);
    return parseBytes(word.text) ??
      this.refuse(word, `${JSON.stringify(word.text)} is no ${what} (write 512, 64KiB or 1MB)`);
  }

  /** A probability above 0, such as `2%` or `1e-6`. */
  probability(what: string): number {
    const word = this.next(`a ${what}, such as 2%,`);
    const [, digits, percent] = /^(\d+(?:\.\d+)?(?:e[+-]?\d+)?)(%?)$/i.exec(word.text) ?? [];
    if (digits === undefined) {
      this.refuse(word, `${JSON.stringify(word.text)} is no ${what} (write 2% or 1e-6)`);
    }
    const value = Number(digits) / (percent === "%" ? 100 : 1);
    if (value > 1) this.refuse(word, `${word.text} is above 100% (write 2% or 0.02)`);
    if (value === 0) this.refuse(word, `a ${what} of 0 does nothing`);
    return value;
  }

  /** A range, such as `1..7`, `3` or `5..`. @param read Reads one end of it. */
  range(what: string, example: string, read: (text: string) => number | undefined): FaultRange {
    const word = this.next(`a ${what}, such as ${example},`);
    const [low, high = low] = word.text.split("..") as [string, string?];
    const from = read(low);
    const to = high === "" ? Infinity : read(high!);
    if (from === undefined || to === undefined || word.text.split("..").length > 2) {
      this.refuse(word, `${JSON.stringify(word.text)} is no ${what} (write ${example})`);
    }
    if (from > to) this.refuse(word, `${word.text} ends before it begins`);
    if (from === 0) this.refuse(word, `${word.text} begins with 0: the first is 1`);
    return { from, to };
  }

  /** @throws {FaultError} that says what is wrong with a word. */
  refuse(word: Word, problem: string): never {
    throw new FaultError(this.#text, problem, word);
  }
}
