/**
 * Corrects the spelling of words that occur nowhere, and finds what a rare word may be a misspelling
 * of.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { initialOf, isSpellable, lettersOf } from "../words/vocabulary_word.ts";
import { editDistance } from "./edit_distance.ts";
import { type Query, replaceWords } from "./parse.ts";
import type { Ranker } from "./ranker.ts";
import type { WordCounts } from "./word_counts.ts";

/** A query with other words for those that occur nowhere. */
export interface Correction {
  readonly corrected: Query;
  /** Whether something has all words of it. */
  readonly matches: boolean;
}

/** A word that is few edits away from another one. */
interface NearWord {
  readonly word: string;
  readonly edits: number;
  /** In how many entries it occurs, about. */
  readonly entries: number;
}

/** Words of fewer letters are not corrected: too many others are near. */
const LEAST_LETTERS = 4;
/** From this many letters on, a word may have two edits. */
const LONG_LETTERS = 8;
/** The most corrections to consider for each word. */
const CANDIDATES = 4;
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
  readonly #near: StatementSync;
  readonly #ranker: Ranker;
  readonly #counts: WordCounts;

  /** @param db A connection for reading; it stays the caller's. */
  constructor(db: DatabaseSync, ranker: Ranker, counts: WordCounts) {
    this.#ranker = ranker;
    this.#counts = counts;
    // As one text: a row for each of a thousand words would take five times as long.
    this.#near = db.prepare(
      "SELECT group_concat(word, ' ') AS words FROM vocabulary WHERE initial = ? AND letters = ?",
    );
  }

  /**
   * Replaces the words that occur nowhere by the nearest ones that do, so that something matches.
   * Numbers, codes, emoji and words of up to 3 letters stay, and so does a word's first letter.
   * `undefined` if no word has another one near.
   */
  correct(query: Query): Correction | undefined {
    const words = spellableWords(query).filter((word) => !this.#occurs(word));
    const corrected = words.slice(0, MAX_WORDS);
    const choices = corrected.map((word) => this.#nearest(word).slice(0, CANDIDATES));
    return this.#firstMatch(query, corrected, choices.map((each) => each.map(({ word }) => word)));
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
      const common = this.#nearest(word).slice(0, CANDIDATES).find((near) =>
        this.#counts.countUpTo(near.word, enough) >= enough
      );
      if (common !== undefined) return replaceWords(query, new Map([[word, common.word]]));
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

  /** The words near a word, nearest and then most frequent first. */
  #nearest(word: string): NearWord[] {
    const letters = lettersOf(word);
    const limit = letters < LONG_LETTERS ? 1 : 2;
    const mask = letterMask(word);
    const found: NearWord[] = [];
    for (let length = letters - limit; length <= letters + limit; length++) {
      const words = this.#near.get(initialOf(word), length)?.["words"];
      if (typeof words !== "string") continue;
      for (const near of words.split(" ")) {
        if (bits(mask ^ letterMask(near)) > 2 * limit) continue;
        const edits = editDistance(word, near, limit);
        if (edits > 0 && edits <= limit) {
          found.push({ word: near, edits, entries: this.#counts.known(near) });
        }
      }
    }
    return found.sort((a, b) =>
      a.edits - b.edits || b.entries - a.entries || (a.word < b.word ? -1 : 1)
    );
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
/** The set of a word's letters in 32 bits: one bit for each of a to z, the others share six. */
function letterMask(word: string): number {
  let mask = 0;
  for (let i = 0; i < word.length; i++) {
    const code = word.charCodeAt(i);
    mask |= 1 << (code >= 97 && code <= 122 ? code - 97 : 26 + code % 6);
  }
  return mask;
}

function bits(mask: number): number {
  let n = mask - ((mask >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
