/**
 * Documents to search in, the same each time: made from a fixed seed.
 *
 * @module
 */

/** How many there are. */
export const DOCUMENTS = 60_000;
const WORDS = 30_000;
const SEED = 42;

/** The costliest query that there is: as many terms as count, each a prefix of many words. */
export const COSTLY_QUERY: string = [..."bcdfghjklmnprstv"].map((letter) => `${letter}*`).join(
  " OR ",
);

/** The documents, or the first of them, as JSON Lines of about 200 bytes each. */
export function makeDocuments(words: readonly string[], count = DOCUMENTS): string {
  const random = randomFrom(SEED);
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const title = `${frequent(words, random)} ${frequent(words, random)}`;
    const text = Array.from({ length: 24 }, () => frequent(words, random)).join(" ");
    lines.push(JSON.stringify({ key: `doc-${i}`, title, text }));
  }
  return lines.join("\n");
}

/** Words as frequent as in natural language: the n-th about 1/n as often as the first. */
export function frequent(words: readonly string[], random: () => number): string {
  return words[Math.floor(words.length ** random()) - 1]!;
}

/** The word with one letter replaced. */
export function misspell(word: string, random: () => number): string {
  const at = 1 + Math.floor(random() * (word.length - 1));
  return `${word.slice(0, at)}x${word.slice(at + 1)}`;
}

/** The words that documents are made of. */
export function makeWords(): string[] {
  const random = randomFrom(SEED - 1);
  const pick = (letters: string) => letters[Math.floor(random() * letters.length)]!;
  const words = new Set<string>();
  while (words.size < WORDS) {
    let word = "";
    for (let n = 2 + Math.floor(random() * 3); n > 0; n--) {
      word += pick("bcdfghjklmnprstvwz") + pick("aeiou");
    }
    words.add(word);
  }
  return [...words];
}

/** The same numbers from 0 to 1 for the same seed, on every machine. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
