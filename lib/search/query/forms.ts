import { indexedStem, type Stem } from "../words/stemmer.ts";
import type { WordForms } from "./match.ts";

const HANGUL = /^\p{Script=Hangul}+$/u;
/** The first character of Hangul. The pattern is only made where there may be some. */
const FIRST_HANGUL = 0x1100;

/** Whether forms of a word begin with it: in Korean, particles follow a word without a space. */
export function isInflected(word: string): boolean {
  return word.charCodeAt(0) >= FIRST_HANGUL && HANGUL.test(word);
}

/**
 * Other forms of a word that count as the word, as expressions of SQLite's: those of the same stem,
 * and the stem itself. Only stems that differ from their words are in the index.
 *
 * @param stems Those of each language of the index.
 */
export function wideForms(stems: readonly Stem[]): WordForms {
  return (word) => {
    if (isInflected(word)) return [`"${word}" *`];
    const forms = new Set<string>();
    for (const stemOf of stems) {
      const stem = stemOf(word);
      forms.add(`"${indexedStem(stem)}"`);
      if (stem !== word) forms.add(`"${stem}"`);
    }
    return [...forms];
  };
}
