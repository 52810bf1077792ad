/**
 * Parses the query language. It has no syntax errors: every text is a valid query.
 *
 * @module
 */
import { MAX_QUERY_LENGTH, MAX_TERMS } from "../limits.ts";
import { eachWord } from "../words/words.ts";

/** A range of a query's text, in code units. */
export type QueryRange = readonly [start: number, end: number];

/** A word or a phrase. */
export interface Term {
  /** Words that follow each other, as they are indexed; never empty. */
  readonly words: readonly string[];
  /** Where each word stands in the query. */
  readonly places: readonly QueryRange[];
  /** Whether it stood in quotation marks. */
  readonly quoted: boolean;
  /** Whether the last word is a prefix. */
  readonly prefix: boolean;
}

/** One term of a group has to occur. */
export type Group = readonly Term[];

/** What a query asks for. */
export interface Query {
  /** The text that was parsed. */
  readonly text: string;
  /** One term of each group has to occur. */
  readonly groups: readonly Group[];
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
  const used = text.slice(0, MAX_QUERY_LENGTH).toWellFormed();
  const groups: Term[][] = [];
  const without: Term[] = [];
  let joins = false;
  let terms = 0;
  let wordsLeft = MAX_WORDS;
  for (const part of used.matchAll(PART)) {
    const [whole, minus, phrase, star, run] = part;
    if (run === "OR" && minus === "") {
      joins = groups.length > 0;
      continue;
    }
    if (terms === MAX_TERMS || wordsLeft === 0) break;
    const isQuoted = phrase !== undefined;
    const words: string[] = [];
    const places: QueryRange[] = [];
    eachWord(whole.slice(minus!.length), (word, start, end) => {
      const offset = part.index + minus!.length;
      words.push(word);
      places.push([offset + start, offset + end]);
      return --wordsLeft > 0;
    });
    if (words.length === 0) continue;
    terms++;
    const prefix = isQuoted ? star === "*" : run!.endsWith("*");
    const term: Term = { words, places, quoted: isQuoted, prefix };
    if (minus === "-") without.push(term);
    else if (joins) groups.at(-1)!.push(term);
    else groups.push([term]);
    joins = false;
  }
  return { text: used, groups, without };
}

/** The query with words replaced, where they stand as words to be found. */
export function replaceWords(query: Query, replaced: ReadonlyMap<string, string>): Query {
  const edits = new Map<number, readonly [end: number, word: string]>();
  for (const term of query.groups.flat()) {
    for (const [i, word] of term.words.entries()) {
      const by = replaced.get(word);
      if (by !== undefined) edits.set(term.places[i]![0], [term.places[i]![1], by]);
    }
  }
  let text = "";
  let done = 0;
  for (const [start, [end, word]] of [...edits].sort(([a], [b]) => a - b)) {
    text += query.text.slice(done, start) + word;
    done = end;
  }
  return parseQuery(text + query.text.slice(done));
}

/** Made when it is first needed: that takes 8 ms. */
let segmenter: Intl.Segmenter | undefined;
/** Words that say something by themselves: not the parts of a date, an address or a code. */
const TELLING = /^\p{L}[\p{L}\p{M}]{2,}$/u;
/** A character of writing without spaces, which is a word of the index. */
const CHARACTER = /^.$/u;

/**
 * The query with runs of several words, such as `foo_bar` and `東京大学`, cut into words that need not
 * follow each other; `undefined` if it has none.
 */
export function cutApart(query: Query): Query | undefined {
  const groups = query.groups.flatMap((group) => {
    const [term, other] = group;
    if (other !== undefined || term!.quoted || term!.words.length === 1) return [group];
    const cuts = cutsOf(query.text, term!);
    if (cuts === undefined) return [group];
    return cuts.map((cut, i): Group => [{
      ...term!,
      words: term!.words.slice(cut, cuts[i + 1]),
      places: term!.places.slice(cut, cuts[i + 1]),
      prefix: term!.prefix && i === cuts.length - 1,
    }]);
  }).slice(0, MAX_TERMS);
  return groups.length > query.groups.length ? { ...query, groups } : undefined;
}

/** Which words of a term begin a part of it; `undefined` if it stays whole. */
function cutsOf(text: string, { words, places }: Term): number[] | undefined {
  if (words.every((word) => TELLING.test(word))) return words.map((_, i) => i);
  if (!words.every((word) => CHARACTER.test(word))) return undefined;
  const from = places[0]![0];
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "word" });
  const segments = segmenter.segment(text.slice(from, places.at(-1)![1]));
  const starts = new Set(Array.from(segments, ({ index }) => from + index));
  const cuts: number[] = [0];
  // A single character says little: it stays with those beside it.
  for (const [i, [start]] of places.entries()) {
    if (starts.has(start) && i - cuts.at(-1)! > 1 && places.length - i > 1) cuts.push(i);
  }
  return cuts;
}

/** The query with its last word as a prefix; `undefined` if that is no word of its own. */
export function withPrefix(query: Query): Query | undefined {
  const group = query.groups.at(-1);
  const term = group?.at(-1);
  const isLast = query.without.every((each) => endOf(each) < endOf(term!));
  if (!group || !term || term.quoted || term.prefix || !isLast) return undefined;
  const groups = [...query.groups.slice(0, -1), [...group.slice(0, -1), { ...term, prefix: true }]];
  return { ...query, groups };
}

/** A group as it was written. */
export function textOf(query: Query, group: Group): string {
  return query.text.slice(group[0]!.places[0]![0], endOf(group.at(-1)!));
}

function endOf(term: Term): number {
  return term.places.at(-1)![1];
}
