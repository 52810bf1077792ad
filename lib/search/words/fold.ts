/**
 * Folds the letters of a text, so that words that people take for the same are equal.
 *
 * @module
 */

/** Marks that do not make another letter, in the writings that use them as accents or points. */
const MARKS =
  /[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\u{e0100}-\u{e01ef}]+/gu;

/** Signs that are written inside words and are no part of them: soft hyphens, joiners, skin tones. */
const IGNORED =
  /[\u00ad\u034f\u0640\u061c\u180b-\u180f\u200c-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u{1f3fb}-\u{1f3ff}\u{e0020}-\u{e007f}]+/gu;

/** Letters that no decomposition turns into others, by what people type for them. */
const LETTERS: Readonly<Record<string, string>> = {
  "ß": "ss",
  "æ": "ae",
  "œ": "oe",
  "ø": "o",
  "ł": "l",
  "đ": "d",
  "ð": "d",
  "þ": "th",
  "ħ": "h",
  "ŧ": "t",
  "ı": "i",
  "ŋ": "n",
  "ĸ": "k",
  "ƀ": "b",
  "ɖ": "d",
  "ɗ": "d",
  "ɓ": "b",
  "ƙ": "k",
  "ƴ": "y",
  "ς": "σ",
  // Persian and Arabic write the same letters with different code points.
  "ی": "ي",
  "ى": "ي",
  "ک": "ك",
  "ة": "ه",
  "ٱ": "ا",
  "ҥ": "ң",
  "׳": "",
  "״": "",
};
const ARABIC_DIGITS = "٠١٢٣٤٥٦٧٨٩";
const PERSIAN_DIGITS = "۰۱۲۳۴۵۶۷۸۹";
const REPLACED: ReadonlyMap<string, string> = new Map([
  ...Object.entries(LETTERS),
  ...[...ARABIC_DIGITS, ...PERSIAN_DIGITS].map((digit, i) => [digit, String(i % 10)] as const),
]);
const REPLACED_ALL = new RegExp(`[${[...REPLACED.keys()].join("")}]`, "gu");

/** Й, Ў and Ї are letters of their own; Ё is one that people write as Е. */
const CYRILLIC_LETTERS = /[иуі][\u0306\u0308]/gu;

// deno-lint-ignore no-control-regex
const NOT_ASCII = /[^\x00-\x7f]/;

/** Whether a text has only characters of ASCII. */
export function isAscii(text: string): boolean {
  return !NOT_ASCII.test(text);
}

/**
 * A text with its letters folded: compatibility forms as their plain ones (NFKC), in lower case,
 * without accents, points and signs that do not count. It may be empty, and it may have characters
 * that are no letters.
 */
export function foldLetters(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  return text.normalize("NFKC").toLowerCase().normalize("NFKD")
    .replace(CYRILLIC_LETTERS, (letter) => letter.normalize("NFC"))
    .replace(MARKS, "").replace(IGNORED, "")
    .replace(REPLACED_ALL, (letter) => REPLACED.get(letter)!).normalize("NFC");
}
