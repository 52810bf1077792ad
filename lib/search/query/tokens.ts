/**
 * Splits text into words, in the same way for indexing and for queries.
 *
 * SQLite's `unicode61` tokenizer takes every run of letters as one word. In writing without spaces
 * that is a whole sentence, and an emoji becomes part of the word beside it. So spaces are put
 * around such characters before SQLite gets the text. Each is then a word of its own. A query of
 * several of them is a phrase, which finds exactly the places where they follow each other.
 *
 * @module
 */

const APART =
  /[\p{So}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const APART_ALL = new RegExp(APART, "gu");
/** Variation selectors choose between two pictures of the same character. */
const VARIATION_SELECTORS = /[\ufe0e\ufe0f]/g;
const WORD = /[\p{L}\p{N}\p{M}\p{Co}\p{So}\p{Cn}]+/gu;
// deno-lint-ignore no-control-regex
const NOT_ASCII = /[^\x00-\x7f]/;

/**
 * The form of a text that is indexed.
 *
 * ASCII text is returned as it is, at memory speed.
 */
export function segment(text: string): string {
  if (!NOT_ASCII.test(text)) return text.includes("\0") ? text.replaceAll("\0", " ") : text;
  const normal = text.toWellFormed().normalize("NFC").replaceAll("\0", " ")
    .replace(VARIATION_SELECTORS, "");
  return APART.test(normal) ? normal.replace(APART_ALL, " $& ") : normal;
}

/** The words of a text, as they are written. */
export function wordsOf(text: string): string[] {
  return segment(text).match(WORD) ?? [];
}

/** A word, or a character that is a word of its own. */
const WORD_OR_APART = new RegExp(
  `${APART.source}|(?:(?!${APART.source})[\\p{L}\\p{N}\\p{M}\\p{Co}\\p{Cn}])+`,
  "gu",
);

/**
 * Visits the words of a text.
 *
 * @param visit Is called with each folded word and where it begins, in code units. It returns
 * `false` to stop.
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

/** A word in lower case and without diacritics, nearly as SQLite's tokenizer folds it. */
export function fold(word: string): string {
  const lower = word.toLowerCase();
  if (!NOT_ASCII.test(lower)) return lower;
  return lower.normalize("NFD").replace(/[\u0300-\u036f\ufe0e\ufe0f]/g, "").replaceAll("ς", "σ")
    .normalize("NFC");
}
