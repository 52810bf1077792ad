/**
 * Which words the vocabulary of an index has.
 *
 * @module
 */
/** Letters and their marks: no numbers, no codes, no emoji, no writing without spaces. */
const SPELLABLE =
  /^(?!.*[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}])\p{L}[\p{L}\p{M}]{2,39}$/u;
const SPELLABLE_ASCII = /^[A-Za-z]{3,40}$/;
/**
 * Other words that are surely not spellable: those of ASCII, and those that begin with a picture. From
 * U+1F000 to U+1FBFF there are no letters. Making {@linkcode SPELLABLE} takes a millisecond or more in
 * each thread, and an index of English texts does without.
 */
const UNSPELLABLE = /^(?:[\x21-\x7e]+$|[\u{1f000}-\u{1fbff}])/u;

/** Whether a word may be the spelling that was meant: 3 to 40 letters and nothing else. */
export function isSpellable(word: string): boolean {
  return SPELLABLE_ASCII.test(word) || (!UNSPELLABLE.test(word) && SPELLABLE.test(word));
}

/** The number of a word's letters: code points. */
export function lettersOf(word: string): number {
  let letters = 0;
  for (const _ of word) letters++;
  return letters;
}

/** The first letter of a word: a code point. */
export function initialOf(word: string): string {
  return String.fromCodePoint(word.codePointAt(0)!);
}
