import { isSpellable } from "./vocabulary_word.ts";
import { wordsOf } from "./words.ts";

/** Places for words: a power of two. */
const PLACES = 65_536;
/** The most words that are remembered. */
const REMEMBERED = PLACES / 2;

/** What hashes begin with: nobody knows which words share them. */
const [SEED, OTHER_SEED] = crypto.getRandomValues(new Int32Array(2)) as unknown as [number, number];

/**
 * Finds the words of texts that are new and can be spelled. It remembers a bounded number of them: one
 * that it has forgotten is new again. A set of strings takes four times as long, as each word of a text
 * would become one.
 *
 * A word is known by two hashes, of which one is its place and the other, of 32 bits, is noted there:
 * of two billion new words one is taken for another.
 */
export class UnseenWords {
  readonly #hashes = new Int32Array(PLACES);
  #size = 0;

  /** Calls `visit` with each word of a text that was not met before, folded. */
  visit(text: string, visit: (word: string) => void): void {
    const { length } = text;
    for (let at = 0; at < length; at++) {
      const start = at;
      let hash = SEED;
      let other = OTHER_SEED;
      let isWord = true;
      for (; at < length; at++) {
        const code = text.charCodeAt(at);
        if (code > 0x7f) return this.#visitAny(text, visit);
        const lower = code | 0x20;
        if (lower >= 0x61 && lower <= 0x7a) {
          hash = mix(hash, lower);
          other = mixOther(other, lower);
        } else if (code >= 0x30 && code <= 0x39) isWord = false;
        else break;
      }
      const letters = at - start;
      if (isWord && letters >= 3 && letters <= 40 && this.#add(hash, other)) {
        visit(text.slice(start, at).toLowerCase());
      }
    }
  }

  /** Forgets all words. */
  clear(): void {
    if (this.#size > 0) this.#hashes.fill(0);
    this.#size = 0;
  }

  #visitAny(text: string, visit: (word: string) => void): void {
    for (const word of wordsOf(text)) {
      // Most of those in writing without spaces have one letter.
      if (word.length < 3 || !isSpellable(word)) continue;
      let hash = SEED;
      let other = OTHER_SEED;
      for (let at = 0; at < word.length; at++) {
        hash = mix(hash, word.charCodeAt(at));
        other = mixOther(other, word.charCodeAt(at));
      }
      if (this.#add(hash, other)) visit(word);
    }
  }

  /** @returns whether a word with these hashes is new. */
  #add(hash: number, other: number): boolean {
    // 0 is a place that is free.
    const noted = other === 0 ? 1 : other;
    const hashes = this.#hashes;
    let place = hash & (PLACES - 1);
    for (; hashes[place] !== 0; place = (place + 1) & (PLACES - 1)) {
      if (hashes[place] === noted) return false;
    }
    if (this.#size >= REMEMBERED) {
      this.clear();
      place = hash & (PLACES - 1);
    }
    hashes[place] = noted;
    this.#size++;
    return true;
  }
}

/** FNV-1a, its bits mixed once more: the lower ones choose the place. */
function mix(hash: number, code: number): number {
  const product = Math.imul(hash ^ code, 0x01000193);
  return product ^ (product >>> 15);
}

function mixOther(hash: number, code: number): number {
  return Math.imul(hash, 0x5bd1e995) ^ code ^ (hash >>> 13);
}
