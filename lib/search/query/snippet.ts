/**
 * Cuts out the passage of a text that shows why it matched.
 *
 * @module
 */
import type { Query } from "./parse.ts";
import { eachWord, fold } from "./tokens.ts";

/** The length of a passage in code units, about. A text of up to this length is its own passage. */
export const PASSAGE_LENGTH = 240;
/** How much of the passage is before the first match. */
const LEAD = 60;
/** The most matches to consider: the best passage is nearly always among the first. */
const MAX_MATCHES = 400;

/** Finds out which word of the query a folded word is. */
export class WordMatcher {
  readonly #words = new Map<string, number>();
  readonly #prefixes: (readonly [string, number])[] = [];

  constructor(query: Query) {
    let id = 0;
    for (const term of query.groups.flat()) {
      for (const [i, word] of term.words.entries()) {
        const folded = fold(word);
        const isPrefix = term.prefix && i === term.words.length - 1;
        if (isPrefix) this.#prefixes.push([folded, id]);
        else if (!this.#words.has(folded)) this.#words.set(folded, id);
        id++;
      }
    }
  }

  /** The number of the query's word that the word matches, or -1. */
  match(word: string): number {
    const id = this.#words.get(word);
    if (id !== undefined) return id;
    for (const [prefix, prefixId] of this.#prefixes) {
      if (word.startsWith(prefix)) return prefixId;
    }
    return -1;
  }
}

/**
 * Cuts out the passage with the most different words of the query, the first one if there are
 * several. Without any match it is the beginning of the text. Takes about 100 ns per word of text.
 */
export function snippetOf(text: string, matcher: WordMatcher): string {
  if (text.length <= PASSAGE_LENGTH) return onOneLine(text);
  const places: (readonly [id: number, start: number])[] = [];
  eachWord(text, (word, start) => {
    const id = matcher.match(word);
    if (id >= 0) places.push([id, start]);
    return places.length < MAX_MATCHES;
  });
  return cut(text, bestStart(places));
}

/** The place of the first match of the passage with the most different words. */
function bestStart(places: readonly (readonly [number, number])[]): number {
  let best = 0;
  let bestCount = 0;
  for (const [i, [, start]] of places.entries()) {
    const seen = new Set<number>();
    for (let j = i; j < places.length; j++) {
      const [id, place] = places[j]!;
      if (place - start > PASSAGE_LENGTH - LEAD) break;
      seen.add(id);
    }
    if (seen.size > bestCount) {
      bestCount = seen.size;
      best = start;
    }
  }
  return best;
}

function cut(text: string, match: number): string {
  let start = Math.max(0, Math.min(match - LEAD, text.length - PASSAGE_LENGTH));
  if (start > 0) start = afterSpace(text, start, match);
  let end = Math.min(text.length, start + PASSAGE_LENGTH);
  if (end < text.length) end = beforeSpace(text, end, Math.max(start + PASSAGE_LENGTH / 2, match));
  const passage = onOneLine(text.slice(start, end).toWellFormed().replaceAll("\ufffd", ""));
  return `${start > 0 ? "…" : ""}${passage}${end < text.length ? "…" : ""}`;
}

/** The first beginning of a word from `from` on; `from` if there is none before `to`. */
function afterSpace(text: string, from: number, to: number): number {
  for (let i = from; i < to; i++) {
    if (isSpace(text.charCodeAt(i - 1))) return i;
  }
  return from;
}

/** The last end of a word up to `from`; `from` if there is none after `to`. */
function beforeSpace(text: string, from: number, to: number): number {
  for (let i = from; i > to; i--) {
    if (isSpace(text.charCodeAt(i))) return i;
  }
  return from;
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0x3000;
}

function onOneLine(text: string): string {
  return text.replace(/[\s\0]+/g, " ").trim();
}

/** The passage at the beginning of a text. */
export function beginningOf(text: string): string {
  return text.length <= PASSAGE_LENGTH ? onOneLine(text) : cut(text, 0);
}
