import type { DatabaseSync, StatementSync } from "node:sqlite";
import { initialOf, lettersOf } from "../words/vocabulary_word.ts";
import { editDistance } from "./edit_distance.ts";

/** A word that is few edits away from another one. */
export interface NearWord {
  readonly word: string;
  readonly edits: number;
  /** In how many entries it occurs, about. */
  readonly entries: number;
}

/** From this many letters on, a word may have two edits. */
const LONG_LETTERS = 8;
/** Words in the lists that are kept at most: some 5 MB. */
const MAX_KEPT = 100_000;

/** All words of the vocabulary with one first letter and one number of letters. */
interface WordList {
  readonly words: readonly string[];
  /** The sets of their letters. */
  readonly masks: Int32Array;
  /** In how many entries each word is, as a text of numbers until one is asked for. */
  entries: string | readonly string[];
}

const NO_WORDS: WordList = { words: [], masks: new Int32Array(0), entries: [] };

/**
 * Finds the words of one index that are near another one. The lists that were looked through are kept
 * until the index changes: to read one takes ten times as long as to look through it.
 */
export class NearWords {
  readonly #list: StatementSync;
  readonly #version: StatementSync;
  /** By the first letter and the number of letters. */
  readonly #lists = new Map<string, WordList>();
  #kept = 0;
  #readAt: unknown;

  /** @param db A connection for reading, by which nothing is written; it stays the caller's. */
  constructor(db: DatabaseSync) {
    // As one text: a row for each of a thousand words would take five times as long.
    this.#list = db.prepare(
      `SELECT group_concat(word, ' ') AS words, group_concat(entries, ' ') AS entries
        FROM vocabulary WHERE initial = ? AND letters = ?`,
    );
    this.#version = db.prepare("PRAGMA data_version");
  }

  /** The words near a word, which begin with the same letter, nearest and then most frequent first. */
  of(word: string): NearWord[] {
    const version = this.#version.get()?.["data_version"];
    if (version !== this.#readAt) this.#clear();
    this.#readAt = version;
    const letters = lettersOf(word);
    const limit = letters < LONG_LETTERS ? 1 : 2;
    const initial = initialOf(word);
    const mask = letterMask(word);
    const found: NearWord[] = [];
    for (let length = letters - limit; length <= letters + limit; length++) {
      const list = this.#listOf(initial, length);
      const { words, masks } = list;
      for (let i = 0; i < masks.length; i++) {
        if (bits(mask ^ masks[i]!) > 2 * limit) continue;
        const near = words[i]!;
        const edits = editDistance(word, near, limit);
        if (edits === 0 || edits > limit) continue;
        if (typeof list.entries === "string") list.entries = list.entries.split(" ");
        found.push({ word: near, edits, entries: Number(list.entries[i]) });
      }
    }
    return found.sort((a, b) =>
      a.edits - b.edits || b.entries - a.entries || (a.word < b.word ? -1 : 1)
    );
  }

  #listOf(initial: string, letters: number): WordList {
    const name = `${initial}${letters}`;
    const kept = this.#lists.get(name);
    if (kept !== undefined) return kept;
    const row = this.#list.get(initial, letters);
    let list = NO_WORDS;
    if (typeof row?.["words"] === "string") {
      const words = row["words"].split(" ");
      list = { words, masks: Int32Array.from(words, letterMask), entries: String(row["entries"]) };
    }
    if (this.#kept + list.words.length > MAX_KEPT) this.#clear();
    if (list.words.length <= MAX_KEPT) {
      this.#lists.set(name, list);
      this.#kept += list.words.length;
    }
    return list;
  }

  #clear(): void {
    this.#lists.clear();
    this.#kept = 0;
  }
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
