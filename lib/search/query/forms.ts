const HANGUL = /^\p{Script=Hangul}+$/u;

/** Whether forms of a word begin with it: in Korean, particles follow a word without a space. */
export function isInflected(word: string): boolean {
  return HANGUL.test(word);
}

/** Other forms of a word that count as the word, as expressions of SQLite's. */
export function wideForms(word: string): readonly string[] {
  return isInflected(word) ? [`"${word}" *`] : [];
}
