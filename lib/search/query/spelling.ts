/**
 * Corrects the spelling of words that occur nowhere, and finds what a rare word may be a misspelling
 * of.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { isSpellable, lettersOf } from "../words/vocabulary_word.ts";
import { NearWords } from "./near_words.ts";
import { type Query, replaceWords } from "./parse.ts";
import type { Ranker } from "./ranker.ts";
import type { WordCounts } from "./word_counts.ts";

/** A query with other words for those that occur nowhere. */
export interface Correction {
  readonly corrected: Query;
  /** Whether something has all words of it. */
  readonly matches: boolean;
}

/** Words of fewer letters are not corrected: too many others are near. */
const LEAST_LETTERS = 4;
/** The most corrections to consider for each word. */
const CANDIDATES = 4;
/** The most near words of which it is asked whether they occur, at 10 µs each. */
const MAX_NEAR = 64;
/** The most words of a query that are corrected: for each, thousands of words are looked at. */
const MAX_WORDS = 3;
/** The most corrected queries to try. */
const MAX_ATTEMPTS = 24;
/**
 * A word in up to this many entries is rare; in a large index, in up to this share of all entries.
 */
const RARE = 2;
const RARE_SHARE = 1 / 20_000;
/** A neighbour is common if it occurs in this many times as many entries. */
const MORE_COMMON = 5;

/** Corrects queries by the words of one index. */
export class Spelling {
  readonly #near: NearWords;
  readonly #ranker: Ranker;
  readonly #counts: WordCounts;

  /** @param db A connection for reading, by which nothing is written; it stays the caller's. */
  constructor(db: DatabaseSync, ranker: Ranker, counts: WordCounts) {
    this.#ranker = ranker;
    this.#counts = counts;
    this.#near = new NearWords(db);
  }

  /**
   * Replaces the words that occur nowhere by the nearest ones that do, so that something matches.
   * Numbers, codes, emoji and words of up to 3 letters stay, and so does a word's first letter.
   * `undefined` if no word has another one near.
   */
  correct(query: Query): Correction | undefined {
    const words = spellableWords(query).filter((word) => !this.#occurs(word));
    const corrected = words.slice(0, MAX_WORDS);
    return this.#firstMatch(query, corrected, corrected.map((word) => this.#candidates(word)));
  }

  /**
   * The query with a rare word replaced by a common one that is as near as a correction;
   * `undefined` where there is no such word.
   *
   * @param isMeant Is asked where a word is rare: whether the query is meant as it is.
   */
  commoner(query: Query, isMeant: () => boolean): Query | undefined {
    const rare = Math.max(RARE, this.#counts.all * RARE_SHARE);
    for (const word of spellableWords(query).slice(0, MAX_WORDS)) {
      if (this.#counts.known(word) > rare) continue;
      const own = this.#counts.countUpTo(word, Math.ceil(rare) + 1);
      if (own === 0 || own > rare) continue;
      if (isMeant()) return undefined;
      const enough = Math.ceil(MORE_COMMON * Math.max(own, rare / RARE));
      const common = this.#commonNear(word, enough);
      if (common !== undefined) return replaceWords(query, new Map([[word, common]]));
    }
    return undefined;
  }

  /** The nearest words that occur: the vocabulary also has words that no entry has any more. */
  #candidates(word: string): string[] {
    const near = this.#near.of(word).slice(0, MAX_NEAR).map(({ word }) => word);
    if (near.length <= CANDIDATES) return near;
    const candidates: string[] = [];
    for (const each of near) {
      if (this.#occurs(each)) candidates.push(each);
      if (candidates.length === CANDIDATES) break;
    }
    return candidates;
  }

  /** The first of a word's candidates that is in as many entries as are enough. */
  #commonNear(word: string, enough: number): string | undefined {
    let candidates = 0;
    for (const { word: near } of this.#near.of(word).slice(0, MAX_NEAR)) {
      const entries = this.#counts.countUpTo(near, enough);
      if (entries >= enough) return near;
      if (entries > 0 && ++candidates === CANDIDATES) break;
    }
    return undefined;
  }

  #occurs(word: string): boolean {
    return this.#counts.countUpTo(word, 1) > 0;
  }

  /** Tries combinations of corrections, those with the nearest words first. */
  #firstMatch(
    query: Query,
    words: readonly string[],
    choices: readonly (readonly string[])[],
  ): Correction | undefined {
    let nearest: Query | undefined;
    // A word may have no correction, and still be in an OR group with a word that has one.
    const positions = choices.map(() => 0);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const replaced = new Map<string, string>();
      for (const [i, word] of words.entries()) {
        const choice = choices[i]![positions[i]!];
        if (choice !== undefined) replaced.set(word, choice);
      }
      if (replaced.size === 0) return undefined;
      const corrected = replaceWords(query, replaced);
      if (this.#ranker.has(corrected)) return { corrected, matches: true };
      nearest ??= corrected;
      if (!advance(positions, choices)) break;
    }
    return nearest && { corrected: nearest, matches: false };
  }
}

/** The words of a query that may be misspelled: all but prefixes, numbers, codes, short words. */
function spellableWords({ groups }: Query): string[] {
  const words = groups.flat().flatMap(({ words, prefix }) => prefix ? words.slice(0, -1) : words);
  return [...new Set(words)].filter((word) =>
    isSpellable(word) && lettersOf(word) >= LEAST_LETTERS
  );
}

/** Moves to the next combination; the last word changes fastest. */
function advance(positions: number[], choices: readonly (readonly string[])[]): boolean {
  for (let i = positions.length - 1; i >= 0; i--) {
    if (++positions[i]! < choices[i]!.length) return true;
    positions[i] = 0;
  }
  return false;
}
