/**
 * Cuts a JSON text into the members of its outermost array or object. So a file of any size is read
 * in little memory, the line of each record is known, and a broken record does not stop the others
 * from being read.
 *
 * @module
 */

/** A member of the outermost array or object. */
export interface JsonMember {
  /** The line on which it begins, from 1. */
  readonly line: number;
  /** Its text: a value in an array, `"name": value` in an object. It may be invalid JSON. */
  readonly text: string;
  /** Whether it is longer than the limit; the text is then only its beginning. */
  readonly tooLong: boolean;
}

/** What is wrong outside of any member. */
export interface JsonProblem {
  readonly line: number;
  readonly problem: string;
}

/** Of more brackets at the end of a string, only these may be meant as brackets. */
const MAX_MARKS = 1000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const NEWLINE = 0x0a;

/** Splits one JSON text, which it takes in pieces that may be cut anywhere. */
export class JsonMembers {
  /** What the outermost value is; `undefined` until its first character was taken. */
  container: "object" | "array" | undefined;
  readonly #maxLength: number;
  #line = 1;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The closing brackets and commas at the end of the string that is being read, the first of them. */
  readonly #marks: number[] = [];
  #ended = false;
  #failed = false;
  #parts: string[] = [];
  #length = 0;
  #memberLine = 0;
  #afterComma = false;

  readonly #isPart: boolean;

  /**
   * @param maxLength The longest member, in code units.
   * @param partLine Where the text begins with an array or object inside a larger text: its line
   * there. What follows its end is then not looked at.
   */
  constructor(maxLength: number, partLine?: number) {
    this.#maxLength = maxLength;
    this.#isPart = partLine !== undefined;
    this.#line = partLine ?? 1;
  }

  /** Takes the next piece. @returns the members that it completes. */
  *push(chunk: string): Generator<JsonMember | JsonProblem> {
    let start = 0;
    for (let i = 0; i < chunk.length && !this.#failed; i++) {
      const code = chunk.charCodeAt(i);
      if (code === NEWLINE) this.#line++;
      if (this.#inString) {
        if (code !== NEWLINE) {
          this.#readString(code);
          continue;
        }
        // JSON has no line ends inside strings: this string lacks its closing quotation mark. The
        // brackets and the comma at its end were meant as brackets and a comma.
        this.#inString = false;
        for (const mark of this.#marks) {
          if (mark !== COMMA) this.#depth--;
          if (this.#depth > 1 || (this.#depth === 1 && mark !== COMMA)) continue;
          this.#take(chunk.slice(start, i));
          start = i + 1;
          yield* this.#finish(this.#depth === 1);
          break;
        }
        continue;
      }
      if (isSpace(code)) continue;
      if (this.#depth === 0) {
        start = i + 1;
        const problem = this.#atTop(code);
        if (problem !== undefined) yield problem;
        continue;
      }
      if (this.#depth === 1 && (code === COMMA || isClosing(code))) {
        this.#take(chunk.slice(start, i));
        start = i + 1;
        yield* this.#finish(code === COMMA);
        continue;
      }
      if (this.#memberLine === 0) {
        this.#memberLine = this.#line;
        start = i;
      }
      if (code === QUOTE) {
        this.#inString = true;
        this.#escaped = false;
        this.#marks.length = 0;
      } else if (isOpening(code)) this.#depth++;
      else if (isClosing(code)) this.#depth--;
    }
    if (this.#memberLine > 0) this.#take(chunk.slice(start));
  }

  /** The text is over: what is still open. */
  *end(): Generator<JsonMember | JsonProblem> {
    if (this.#failed || this.#ended) return;
    if (this.container === undefined) {
      yield { line: this.#line, problem: "the file is empty" };
      return;
    }
    if (this.#memberLine > 0) yield* this.#finish(false);
    yield { line: this.#line, problem: `the ${this.container} is not closed` };
  }

  #readString(code: number): void {
    if (code === QUOTE && !this.#escaped) this.#inString = false;
    this.#escaped = code === BACKSLASH && !this.#escaped;
    if (isClosing(code) || code === COMMA) {
      if (this.#marks.length < MAX_MARKS) this.#marks.push(code);
    } else if (!isSpace(code)) this.#marks.length = 0;
  }

  #atTop(code: number): JsonProblem | undefined {
    if (!this.#ended && (code === 0x7b || code === 0x5b)) {
      this.container = code === 0x7b ? "object" : "array";
      this.#depth = 1;
      return undefined;
    }
    this.#failed = true;
    if (this.#ended && this.#isPart) return undefined;
    const problem = this.#ended
      ? "something follows the end of the JSON text"
      : "the file holds neither an object nor an array";
    return { line: this.#line, problem };
  }

  *#finish(isComma: boolean): Generator<JsonMember | JsonProblem> {
    const { line, text, tooLong } = {
      line: this.#memberLine,
      text: this.#parts.join(""),
      tooLong: this.#length > this.#maxLength,
    };
    this.#parts = [];
    this.#length = this.#memberLine = 0;
    if (line > 0) yield { line, text, tooLong };
    else if (isComma || this.#afterComma) {
      yield { line: this.#line, problem: "a value is missing beside a comma" };
    }
    this.#afterComma = isComma;
    if (!isComma) {
      this.#depth = 0;
      this.#ended = true;
    }
  }

  #take(part: string): void {
    if (this.#memberLine === 0) return;
    if (this.#length <= this.#maxLength) {
      this.#parts.push(part.slice(0, this.#maxLength + 1 - this.#length));
    }
    this.#length += part.length;
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === NEWLINE || code === 0x0d || code === 0x09;
}

function isOpening(code: number): boolean {
  return code === 0x7b || code === 0x5b;
}

function isClosing(code: number): boolean {
  return code === 0x7d || code === 0x5d;
}
