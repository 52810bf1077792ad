/**
 * Cuts out the passage of a text that shows why it matched, and tells where in it the words are.
 *
 * @module
 */
import type { Highlight } from "../types.ts";
import type { Match, WordMatcher } from "./word_matcher.ts";

/** The length of a passage in code units, about. A text of up to this length is its own passage. */
export const PASSAGE_LENGTH = 240;
/** How much of the passage is before the first match. */
const LEAD = 60;
/** The most matches to consider: the best passage is nearly always among the first. */
const MAX_MATCHES = 400;
/** The most ranges of one title or snippet. */
const MAX_HIGHLIGHTS = 100;

/**
 * Cuts out the passage with the most different words and phrases of the query; of those the one
 * with the most of them in all, then the first. Without any match it is the beginning of the text.
 * Takes about 100 ns per word of text.
 */
export function snippetOf(text: string, matcher: WordMatcher): string {
  if (text.length <= PASSAGE_LENGTH) return onOneLine(text);
  return cut(text, bestStart(matcher.find(text, MAX_MATCHES)));
}

/** Where in a title or snippet the words of the query are. Ranges that touch are one. */
export function highlightsIn(text: string, matcher: WordMatcher): Highlight[] {
  const ranges: [start: number, end: number][] = [];
  for (const { start, end } of matcher.find(text, MAX_HIGHLIGHTS)) {
    // A later match may reach back: that of a phrase ends with its last word.
    let from = start;
    while (ranges.length > 0 && ranges.at(-1)![1] >= from) from = Math.min(from, ranges.pop()![0]);
    ranges.push([from, end]);
  }
  return ranges;
}

/** The place of the first match of the best passage. */
function bestStart(matches: readonly Match[]): number {
  let best = 0;
  let bestCount = 0;
  let bestLength = 0;
  for (const [i, { start }] of matches.entries()) {
    const seen = new Set<number>();
    let length = 0;
    for (let j = i; j < matches.length; j++) {
      const { term, end } = matches[j]!;
      if (end - start > PASSAGE_LENGTH - LEAD) break;
      seen.add(term);
      length++;
    }
    if (seen.size > bestCount || (seen.size === bestCount && length > bestLength)) {
      bestCount = seen.size;
      bestLength = length;
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
  for (let i = from; i <= to; i++) {
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

/** White space other than single spaces between words: most short texts have none. */
const NOT_ON_ONE_LINE = /[^\S ]|\0| {2}/;

function onOneLine(text: string): string {
  return NOT_ON_ONE_LINE.test(text) ? text.replace(/[\s\0]+/g, " ").trim() : text.trim();
}

/** The passage at the beginning of a text. */
export function beginningOf(text: string): string {
  return text.length <= PASSAGE_LENGTH ? onOneLine(text) : cut(text, 0);
}
