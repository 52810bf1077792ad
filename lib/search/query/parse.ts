/**
 * Parses the query language. It has no syntax errors: every text is a valid query.
 *
 * @module
 */
import { MAX_QUERY_LENGTH, MAX_TERMS } from "../limits.ts";
import { wordsOf } from "./tokens.ts";

/** A word or a phrase. */
export interface Term {
  /** Words that follow each other; never empty. */
  readonly words: readonly string[];
  /** Whether it stood in quotation marks. */
  readonly quoted: boolean;
  /** Whether the last word is a prefix. */
  readonly prefix: boolean;
}

/** What a query asks for. */
export interface Query {
  /** One term of each group has to occur. */
  readonly groups: readonly (readonly Term[])[];
  /** None of these may occur. */
  readonly without: readonly Term[];
}

/** The most words of all terms together: a run of Chinese is one term of many words. */
const MAX_WORDS = MAX_TERMS * 4;

/** An optional minus, then a phrase (closed or not) or a run without spaces and quotation marks. */
const PART = /(-?)(?:"([^"]*)(?:"|$)(\*?)|([^\s"]+))/gu;

/**
 * Reads a query: `word`, `"phrase"`, `begin*`, `a OR b`, `-without`; see
 * {@linkcode SearchEngine.search}. Parts without any letter, digit or symbol are ignored.
 */
export function parseQuery(text: string): Query {
  const groups: Term[][] = [];
  const without: Term[] = [];
  let joins = false;
  let terms = 0;
  let wordsLeft = MAX_WORDS;
  for (const part of text.slice(0, MAX_QUERY_LENGTH).toWellFormed().matchAll(PART)) {
    const [, minus, phrase, star, run] = part;
    if (run === "OR" && minus === "") {
      joins = groups.length > 0;
      continue;
    }
    if (terms === MAX_TERMS || wordsLeft === 0) break;
    const words = wordsOf(phrase ?? run ?? "").slice(0, wordsLeft);
    if (words.length === 0) continue;
    terms++;
    wordsLeft -= words.length;
    const prefix = phrase === undefined ? run!.endsWith("*") : star === "*";
    const term: Term = { words, quoted: phrase !== undefined, prefix };
    if (minus === "-") without.push(term);
    else if (joins) groups.at(-1)!.push(term);
    else groups.push([term]);
    joins = false;
  }
  return { groups, without };
}

/** Writes a query in the language that {@linkcode parseQuery} reads. */
export function formatQuery(query: Query): string {
  const parts = query.groups.map((group) => group.map(formatTerm).join(" OR "));
  return [...parts, ...query.without.map((term) => `-${formatTerm(term)}`)].join(" ");
}

/**
 * The query in SQLite's language, or `undefined` if it has no terms. Every word is in quotation
 * marks, so that none can be one of SQLite's operators.
 */
export function matchExpression(query: Query): string | undefined {
  if (query.groups.length === 0) return undefined;
  const wanted = query.groups.map((group) => `(${group.map(matchTerm).join(" OR ")})`);
  const unwanted = query.without.map(matchTerm).join(" OR ");
  const all = wanted.join(" AND ");
  return unwanted === "" ? all : `(${all}) NOT (${unwanted})`;
}

function formatTerm(term: Term): string {
  const text = term.words.join(" ");
  const star = term.prefix ? "*" : "";
  return term.quoted || term.words.length > 1 ? `"${text}"${star}` : `${text}${star}`;
}

function matchTerm(term: Term): string {
  return `"${term.words.join(" ")}"${term.prefix ? " *" : ""}`;
}
