/**
 * Corrects the spelling of a query that matches nothing.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { MAX_VOCABULARY } from "../limits.ts";
import { formatQuery, matchExpression, type Query, type Term } from "./parse.ts";
import { fold } from "./tokens.ts";
import { Vocabulary } from "./vocabulary.ts";

/** A corrected query, which matches something. */
export interface Correction {
  readonly query: Query;
  readonly match: string;
  /** The query as text. */
  readonly text: string;
}

/** The most corrections to consider for each word. */
const CANDIDATES = 4;
/** The most corrected queries to try. */
const MAX_ATTEMPTS = 24;
/** Reading the vocabulary takes at most this share of the time: it is not read more often. */
const RELOAD_SHARE = 1 / 20;
/** Reading the vocabulary ends after this time. A very large index then lacks its last words. */
const MAX_LOAD_MS = 3000;
/** A vocabulary that is read faster than this is read again whenever the index changed. */
const QUICK_LOAD_MS = 30;

/** Corrects queries by the words of one index. */
export class Spelling {
  readonly #db: DatabaseSync;
  readonly #known: StatementSync;
  readonly #matches: StatementSync;
  #vocabulary: Vocabulary | undefined;
  #version = -1;
  #loadedAt = 0;
  #loadMs = 0;

  /** @param db A connection for reading; it stays the caller's. */
  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#known = db.prepare("SELECT 1 AS yes FROM word WHERE term = ?");
    this.#matches = db.prepare("SELECT 1 AS yes FROM words WHERE words MATCH ? LIMIT 1");
  }

  /**
   * Replaces words of the query so that something matches, by the nearest words first. Words that
   * occur nowhere are replaced. If all words occur, but not together, one of them is replaced.
   */
  correct(query: Query): Correction | undefined {
    const words = [...new Set(query.groups.flat().flatMap(correctable))];
    const unknown = words.filter((word) => this.#known.get(word) === undefined);
    const vocabulary = this.#load();
    if (unknown.length > 0) {
      const choices = unknown.map((word) => vocabulary.near(word, CANDIDATES).map((n) => n.word));
      return this.#firstMatch(query, unknown, choices);
    }
    let attempts = MAX_ATTEMPTS;
    for (const word of words) {
      for (const { word: near } of vocabulary.near(word, CANDIDATES)) {
        if (attempts-- === 0) return undefined;
        const correction = this.#attempt(query, new Map([[word, near]]));
        if (correction !== undefined) return correction;
      }
    }
    return undefined;
  }

  /** Tries combinations of corrections, those with the nearest words first. */
  #firstMatch(
    query: Query,
    words: readonly string[],
    choices: readonly (readonly string[])[],
  ): Correction | undefined {
    // A word may have no correction, and still be in an OR group with a word that has one.
    const positions = choices.map(() => 0);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const replaced = new Map<string, string>();
      for (const [i, word] of words.entries()) {
        const choice = choices[i]![positions[i]!];
        if (choice !== undefined) replaced.set(word, choice);
      }
      if (replaced.size === 0) return undefined;
      const correction = this.#attempt(query, replaced);
      if (correction !== undefined) return correction;
      if (!advance(positions, choices)) return undefined;
    }
    return undefined;
  }

  #attempt(query: Query, replaced: ReadonlyMap<string, string>): Correction | undefined {
    const corrected: Query = {
      groups: query.groups.map((group) => group.map((term) => replaceWords(term, replaced))),
      without: query.without,
    };
    const match = matchExpression(corrected)!;
    if (this.#matches.get(match) === undefined) return undefined;
    return { query: corrected, match, text: formatQuery(corrected) };
  }

  /** Reads the vocabulary if it is due: 60,000 short entries take about 0.1 s. */
  #load(): Vocabulary {
    const version = Number(this.#db.prepare("PRAGMA data_version").get()?.["data_version"]);
    const start = performance.now();
    const isDue = this.#loadMs < QUICK_LOAD_MS ||
      start - this.#loadedAt > this.#loadMs / RELOAD_SHARE;
    if (this.#vocabulary !== undefined && (version === this.#version || !isDue)) {
      return this.#vocabulary;
    }
    const vocabulary = new Vocabulary(MAX_VOCABULARY);
    let read = 0;
    for (const row of this.#db.prepare("SELECT term, doc FROM word").iterate()) {
      vocabulary.add(String(row["term"]), Number(row["doc"]));
      if (++read % 1024 === 0 && performance.now() - start > MAX_LOAD_MS) break;
    }
    this.#vocabulary = vocabulary;
    this.#version = version;
    this.#loadedAt = performance.now();
    this.#loadMs = this.#loadedAt - start;
    return vocabulary;
  }
}

/** The folded words of a term that may be misspelled: all but a prefix. */
function correctable(term: Term): string[] {
  const words = term.prefix ? term.words.slice(0, -1) : term.words;
  return words.map(fold).filter((word) => word.length > 1);
}

function replaceWords(term: Term, replaced: ReadonlyMap<string, string>): Term {
  const last = term.prefix ? term.words.length - 1 : term.words.length;
  const words = term.words.map((word, i) => i < last ? replaced.get(fold(word)) ?? word : word);
  return { ...term, words };
}

/** Moves to the next combination; the last word changes fastest. */
function advance(positions: number[], choices: readonly (readonly string[])[]): boolean {
  for (let i = positions.length - 1; i >= 0; i--) {
    if (++positions[i]! < choices[i]!.length) return true;
    positions[i] = 0;
  }
  return false;
}
