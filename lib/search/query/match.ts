/**
 * Writes queries in SQLite's language. Words are in quotation marks, so that none can be one of
 * SQLite's operators.
 *
 * @module
 */
import type { Group, Query, Term } from "./parse.ts";

/** Further forms in which a word may stand in the index, as expressions of SQLite's. */
export type WordForms = (word: string) => readonly string[];

/**
 * Words belong together if there are at most this many others between them, for each word after the
 * first.
 */
const NEAR = 6;

/**
 * The entries that a query asks for; `undefined` if it has no words to be found.
 *
 * @param forms Further forms of words that count as the word.
 */
export function matchExpression(
  { groups, without }: Pick<Query, "groups" | "without">,
  forms?: WordForms,
): string | undefined {
  if (groups.length === 0) return undefined;
  const wanted = distinct(groups.map((group) => groupExpression(group, forms))).join(" AND ");
  return excluding(wanted, without.map((term) => termExpression(term)));
}

/** An expression without what others match. */
export function excluding(expression: string, others: readonly string[]): string {
  return others.length === 0 ? expression : `(${expression}) NOT (${others.join(" OR ")})`;
}

/** Entries with a word: as {@linkcode matchExpression} writes a query of that word alone. */
export function wordExpression(word: string): string {
  return `("${word}")`;
}

/** Entries with one of the terms. */
export function groupExpression(group: Group, forms?: WordForms): string {
  return `(${group.map((term) => termExpression(term, forms)).join(" OR ")})`;
}

/**
 * The entries of a query in which its words are near each other; `undefined` where that cannot be
 * said: for a single term, and for alternatives.
 */
export function nearExpression({ groups, without }: Query): string | undefined {
  if (groups.length < 2 || groups.some((group) => group.length > 1)) return undefined;
  const terms = distinct(groups.map(([term]) => termExpression(term!)));
  if (terms.length < 2) return undefined;
  const near = `NEAR(${terms.join(" ")}, ${NEAR * (groups.length - 1)})`;
  return excluding(near, without.map((term) => termExpression(term)));
}

/** The same word twice finds nothing more, and takes SQLite twice as long. */
function distinct(expressions: readonly string[]): string[] {
  return [...new Set(expressions)];
}

function termExpression(term: Term, forms?: WordForms): string {
  const phrase = `"${term.words.join(" ")}"${term.prefix ? " *" : ""}`;
  if (forms === undefined || term.quoted || term.prefix || term.words.length > 1) return phrase;
  const others = forms(term.words[0]!);
  return others.length === 0 ? phrase : `(${[phrase, ...others].join(" OR ")})`;
}
