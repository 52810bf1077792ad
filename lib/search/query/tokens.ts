/**
 * How text falls into words, for indexing and for queries alike.
 *
 * SQLite's `unicode61` tokenizer takes any run of letters as one word. For writing without spaces
 * that is a whole sentence, and an emoji would be part of the word beside it. So such characters are
 * set apart by spaces before SQLite sees the text: each is then a word, and a query of several of
 * them becomes a phrase, which finds exactly the places where they follow each other.
 *
 * @module
 */

const APART =
  /[\p{So}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const APART_ALL = new RegExp(APART, "gu");
/** Variation selectors only choose between two pictures of the same character. */
const VARIATION_SELECTORS = /[\ufe0e\ufe0f]/g;
const WORD = /[\p{L}\p{N}\p{M}\p{Co}\p{So}\p{Cn}]+/gu;
// deno-lint-ignore no-control-regex
const NOT_ASCII = /[^\x00-\x7f]/;

/**
 * The form of a text that the full-text index takes in.
 *
 * ASCII text, which needs nothing, passes at memory speed.
 */
export function segment(text: string): string {
  if (!NOT_ASCII.test(text)) return text.includes("\0") ? text.replaceAll("\0", " ") : text;
  const normal = text.toWellFormed().normalize("NFC").replaceAll("\0", " ")
    .replace(VARIATION_SELECTORS, "");
  return APART.test(normal) ? normal.replace(APART_ALL, " $& ") : normal;
}

/** The words of a text as they are written. */
export function wordsOf(text: string): string[] {
  return segment(text).match(WORD) ?? [];
}

/** A word, or a character that is one, at its place in a text. */
const WORD_OR_APART = new RegExp(
  `${APART.source}|(?:(?!${APART.source})[\\p{L}\\p{N}\\p{M}\\p{Co}\\p{Cn}])+`,
  "gu",
);

/**
 * Goes through the words of a text with their places in it.
 *
 * @param visit Is called with the folded word and where it begins, in code units; `false` ends it.
 */
export function eachWord(
  text: string,
  visit: (word: string, start: number) => boolean,
): void {
  const pattern = new RegExp(WORD_OR_APART);
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (!visit(fold(match[0]), match.index)) return;
  }
}

/** A word without case and diacritics, close to what SQLite makes of it. */
export function fold(word: string): string {
  const lower = word.toLowerCase();
  if (!NOT_ASCII.test(lower)) return lower;
  return lower.normalize("NFD").replace(/[\u0300-\u036f\ufe0e\ufe0f]/g, "").replaceAll("ς", "σ")
    .normalize("NFC");
}
