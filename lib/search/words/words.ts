/**
 * Splits text into words, in the same way for indexing, for queries, for spelling and for
 * highlights.
 *
 * A word is a run of letters, marks and digits, with its letters folded. In writing without spaces
 * each character is a word, and so is an emoji: a query of several of them is a phrase, which finds
 * exactly the places where they follow each other. `C++`, `C#` and `.NET` are words, too.
 *
 * @module
 */
import { foldLetters, isAscii } from "./fold.ts";

/**
 * Is called with each word: its folded form, and where it is in the text, in code units. Words may
 * overlap: `.NET` is `net` and `.net`. Returns `false` to stop.
 */
export type WordVisitor = (word: string, start: number, end: number) => boolean | void;

const ALONE = "\\p{So}\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}" +
  "\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\u30fc\\uff70";
/** Signs inside a word: format characters but the zero-width space, and skin tones. */
const INSIDE = "\\p{M}\\u00ad\\u034f\\u061c\\u180e\\u200c-\\u200f\\u202a-\\u202e\\u2060-\\u2064" +
  "\\u2066-\\u206f\\ufeff\\u{1f3fb}-\\u{1f3ff}\\u{e0020}-\\u{e007f}";
/** What belongs to the character before it: marks, vowels of Hangul, the voicing of half-width kana. */
const FOLLOWING = `(?:[${INSIDE}\\u1160-\\u11ff\\uff9e\\uff9f])*`;

/** Letters, digits, symbols and what Unicode has not assigned, without noncharacters. */
const LETTER = "[\\p{L}\\p{N}\\p{Co}\\p{Cn}\\p{So}]";
const NONCHARACTER = "[\\ufdd0-\\ufdef\\ufffd]";

interface Patterns {
  readonly isAlone: RegExp;
  readonly isLetter: RegExp;
  readonly areLetters: RegExp;
  /** A character that is a word of its own, or a run of those that are not. */
  readonly piece: RegExp;
  readonly segment: RegExp;
}

let made: Patterns | undefined;

/** What other text needs. Made when some comes: it takes 2 to 6 ms in each thread. */
function patterns(): Patterns {
  return made ??= {
    isAlone: new RegExp(`^[${ALONE}]`, "u"),
    isLetter: new RegExp(`^(?!${NONCHARACTER})(?:${LETTER}|[${INSIDE}])`, "u"),
    areLetters: new RegExp(`^(?:(?!${NONCHARACTER}|[${ALONE}])(?:${LETTER}|[${INSIDE}]))+$`, "u"),
    piece: new RegExp(
      `[${ALONE}]${FOLLOWING}|(?:(?![${ALONE}]|${NONCHARACTER})(?:${LETTER}|[${INSIDE}]))+`,
      "gu",
    ),
    segment: new RegExp(`[^]${FOLLOWING}`, "gu"),
  };
}

/**
 * A run that is one word without a look at {@linkcode patterns}, as most are: letters with accents, or
 * a single picture.
 */
const PLAIN =
  /^(?:[0-9A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u013e\u0141-\u024f]+|[\u{1f300}-\u{1f3fa}\u{1f400}-\u{1f64f}])$/u;

const RUN = /[0-9A-Za-z\u0080-\u{10ffff}]+/gu;
const FULL_WIDTH = /[\uff01-\uff5e]/g;
/** The places in a text of which SQLite's tokenizer would make other words. */
// deno-lint-ignore no-control-regex
const SPECIAL = /[^\x00-\x7f]|\0|[A-Za-z](?:\+\+|#)|(?<![\w.])\.[A-Za-z]/g;

/** The most different pieces whose words are remembered. */
const REMEMBERED = 16_384;
const LONGEST_REMEMBERED = 32;
/** A part that is not plain ASCII reaches this far at least, in code units: one call for many words. */
const PART_LENGTH = 128;

/** Visits the words of a text, in order. @param from Those that end before this place may be left out. */
export function eachWord(text: string, visit: WordVisitor, from = 0): void {
  if (isAscii(text)) {
    eachAsciiWord(text, visit, from);
    return;
  }
  const plain = text.replace(FULL_WIDTH, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0))
    .toWellFormed();
  for (const { 0: run, index } of plain.matchAll(RUN)) {
    for (const [word, start, end] of piecesOf(run)) {
      if (!visitWithSymbols(plain, word, index + start, index + end, visit)) return;
    }
  }
}

/** The words of a text. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  eachWord(text, (word) => void words.push(word));
  return words;
}

/**
 * The text as the full-text index takes it: SQLite's `ascii` tokenizer, which splits at ASCII
 * characters other than letters and digits, makes {@linkcode wordsOf} of it. What is so already is
 * left as it is, at memory speed.
 */
export function normalise(text: string): string {
  SPECIAL.lastIndex = 0;
  let normal = "";
  let done = 0;
  for (let match = SPECIAL.exec(text); match !== null; match = SPECIAL.exec(text)) {
    // White space is around the part, or nothing: its words are the same without the rest.
    let start = match.index;
    while (start > done && text.charCodeAt(start - 1) > 0x20) start--;
    let end = Math.min(text.length, match.index + PART_LENGTH);
    while (end < text.length && text.charCodeAt(end) > 0x20) end++;
    const words = wordsOf(text.slice(start, end)).join(" ");
    normal += `${text.slice(done, start)} ${words} `;
    SPECIAL.lastIndex = done = end;
  }
  return done === 0 ? text : normal + text.slice(done);
}

/** Letter by letter: a regular expression that matches each word takes twice as long. */
function eachAsciiWord(text: string, visit: WordVisitor, from: number): void {
  const lower = text.toLowerCase();
  const { length } = lower;
  let first = from;
  while (first > 0 && isInAsciiWord(lower.charCodeAt(first - 1))) first--;
  for (let start = first; start < length; start++) {
    if (!isInAsciiWord(lower.charCodeAt(start))) continue;
    let end = start + 1;
    while (end < length && isInAsciiWord(lower.charCodeAt(end))) end++;
    if (!visitWithSymbols(lower, lower.slice(start, end), start, end, visit)) return;
    start = end;
  }
}

/** Whether a character is a letter in lower case, or a digit. */
function isInAsciiWord(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
}

type Piece = readonly [word: string, start: number, end: number];

const remembered = new Map<string, readonly Piece[]>();

/** The words of a run of letters and of anything that is not ASCII. */
function piecesOf(run: string): readonly Piece[] {
  if (isAscii(run)) return [[run.toLowerCase(), 0, run.length]];
  if (PLAIN.test(run)) return wordsOfPiece(run);
  const pieces: Piece[] = [];
  for (let at = addIdeographs(run, 0, pieces); at < run.length;) {
    const { piece: pattern } = patterns();
    pattern.lastIndex = at;
    const match = pattern.exec(run);
    if (match === null) break;
    const { index } = match;
    for (const piece of wordsOfPiece(match[0])) {
      pieces.push(index === 0 ? piece : [piece[0], index + piece[1], index + piece[2]]);
    }
    at = addIdeographs(run, index + match[0].length, pieces);
  }
  return pieces;
}

/**
 * Adds the ideographs from a place on, up to what is none or may belong to the one before it. Each is a
 * word by itself as it stands; by {@linkcode wordsOfPiece} it takes up to thirty times as long, and a
 * text may have more different ones than are remembered.
 *
 * @returns The place behind them.
 */
function addIdeographs(run: string, from: number, pieces: Piece[]): number {
  let at = from;
  for (let units = ideographUnits(run, at); units > 0;) {
    const end = at + units;
    units = ideographUnits(run, end);
    if (units === 0 && run.charCodeAt(end) > 0x7f) break;
    pieces.push([run.slice(at, end), at, end]);
    at = end;
  }
  return at;
}

/** The code units of the ideograph at a place of a well-formed text; 0 if it is none of the most used. */
function ideographUnits(text: string, at: number): 0 | 1 | 2 {
  const code = text.charCodeAt(at);
  if ((code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf)) return 1;
  // From U+20000 to U+2A3FF.
  return code >= 0xd840 && code <= 0xd868 ? 2 : 0;
}

/** The words of a piece, mostly one; folding takes about 1 µs, remembering 0.1 µs. */
function wordsOfPiece(piece: string): readonly Piece[] {
  if (piece.length > LONGEST_REMEMBERED) return foldPiece(piece);
  let words = remembered.get(piece);
  if (words === undefined) {
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(piece, words = foldPiece(piece));
  }
  return words;
}

function foldPiece(piece: string): readonly Piece[] {
  const folded = foldLetters(piece);
  if (folded === "") return [];
  if (PLAIN.test(piece)) return [[folded, 0, piece.length]];
  const { areLetters, isAlone, isLetter, segment: pattern } = patterns();
  if (areLetters.test(folded)) return [[folded, 0, piece.length]];
  const words: Piece[] = [];
  let word = "";
  let start = 0;
  let end = 0;
  const finish = () => {
    if (word !== "") words.push([word, start, end]);
    word = "";
  };
  for (const { 0: segment, index } of piece.matchAll(pattern)) {
    for (const letter of foldLetters(segment)) {
      if (!isLetter.test(letter)) finish();
      else if (isAlone.test(letter)) {
        finish();
        words.push([letter, index, index + segment.length]);
      } else {
        if (word === "") start = index;
        word += letter;
        end = index + segment.length;
      }
    }
  }
  finish();
  return words;
}

/** What stands for `+`, `#` and `.` inside a word: the index's tokenizer would split at them. */
const PLUS = "\ufdd0";
const SHARP = "\ufdd1";
const DOT = "\ufdd2";

/**
 * Visits a word, and its form with the signs around it if it is such a word. A single letter with
 * signs is only that: who looks for `C` does not want `C++`. Returns whether to go on.
 */
function visitWithSymbols(
  text: string,
  word: string,
  start: number,
  end: number,
  visit: WordVisitor,
): boolean {
  const after = text.charCodeAt(end);
  const before = text.charCodeAt(start - 1);
  if (after !== 0x2b && after !== 0x23 && before !== 0x2e) return visit(word, start, end) !== false;
  const signs = isAsciiLetter(word.charCodeAt(0)) ? signsAfter(text, word, end) : "";
  const isDotted = before === 0x2e && isAsciiLetter(word.charCodeAt(0)) && isFree(text, start - 2);
  if (!isDotted && signs === "") return visit(word, start, end) !== false;
  const isSingle = word.length === 1 && signs !== "";
  if (!isSingle && visit(word, start, end) === false) return false;
  const from = isDotted ? start - 1 : start;
  const form = `${isDotted ? DOT : ""}${word}${signs}`;
  return visit(form, from, end + signs.length) !== false;
}

/** The signs that make `c` the word `c++` or `c#`. Those of `issue#12` and `a+++b` do not. */
function signsAfter(text: string, word: string, end: number): string {
  const next = text.charCodeAt(end + 1);
  if (text.charCodeAt(end) === 0x23) {
    const isOther = next === 0x23 || isAsciiLetter(next) || (word.length > 1 && isDigit(next));
    return isOther ? "" : SHARP;
  }
  if (text.charCodeAt(end) !== 0x2b || next !== 0x2b) return "";
  const then = text.charCodeAt(end + 2);
  return then === 0x2b || isAsciiLetter(then) ? "" : PLUS + PLUS;
}

/** Whether a dot after this place begins a word: not in `asp.net`, `..` and `é.x`. */
function isFree(text: string, at: number): boolean {
  if (at < 0) return true;
  const code = text.charCodeAt(at);
  if (code < 0x80) return !isAsciiLetter(code) && !isDigit(code) && code !== 0x5f && code !== 0x2e;
  const { isAlone, isLetter } = patterns();
  return isAlone.test(text.charAt(at)) || !isLetter.test(text.charAt(at));
}

function isAsciiLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
