import { isAscii } from "../words/fold.ts";
import { eachWord } from "../words/words.ts";
import type { Stem } from "../words/stemmer.ts";
import { isInflected } from "./forms.ts";
import type { Query, Term } from "./parse.ts";

/** A place where a term of a query is found: which one, and from where to where. */
export interface Match {
  readonly term: number;
  readonly start: number;
  readonly end: number;
}

/** A longer phrase is found by its last words. */
const LONGEST_PHRASE = 32;

/** Finds the words and phrases of queries in texts. */
export class WordMatcher {
  readonly #terms: readonly Term[];
  /** Terms of one word by that word, and phrases by their last word. */
  readonly #byWord = new Map<string, number[]>();
  readonly #prefixes: (readonly [prefix: string, term: number])[] = [];
  /** What the words and prefixes begin with: most words of a text begin otherwise. */
  readonly #initials = new Set<number>();
  /** Terms of one word by its stem, for each language. */
  readonly #stems: readonly (readonly [Stem, ReadonlyMap<string, number>])[];
  readonly #longest: number;
  /** What the words of plain texts that are found begin with; absent if it cannot be said so simply. */
  readonly #beginnings: readonly string[] | undefined;

  /**
   * @param queries Each of their terms is looked for.
   * @param stems Those of each language: words of the same stem are the same, too.
   */
  constructor(queries: readonly Query[], stems: readonly Stem[] = []) {
    this.#terms = queries.flatMap((query) => query.groups.flat());
    const single = this.#terms.map(({ words: [word, other], quoted, prefix }) =>
      other === undefined && !quoted && !prefix ? word! : undefined
    );
    this.#stems = stems.map((stem) => {
      const terms = single.flatMap((word, i) =>
        word === undefined ? [] : [[stem(word), i] as const]
      );
      return [stem, new Map(terms)];
    });
    for (const [i, { words, prefix, quoted }] of this.#terms.entries()) {
      const last = words.at(-1)!;
      if (prefix || (isInflected(last) && words.length === 1 && !quoted)) {
        this.#prefixes.push([last, i]);
      }
      this.#initials.add(last.charCodeAt(0));
      this.#byWord.set(last, [...this.#byWord.get(last) ?? [], i]);
    }
    this.#longest = Math.min(
      LONGEST_PHRASE,
      Math.max(1, ...this.#terms.map(({ words }) => words.length)),
    );
    const isSimple = stems.length === 0 && this.#longest === 1;
    const beginnings = [...this.#byWord.keys()];
    if (isSimple && beginnings.every(isAscii)) this.#beginnings = beginnings;
  }

  /** Whether there is nothing to look for. */
  get isEmpty(): boolean {
    return this.#terms.length === 0;
  }

  /** The places in a text, in their order, at most `most`. */
  find(text: string, most: number): Match[] {
    const found: Match[] = [];
    if (this.isEmpty) return found;
    const [from, to] = this.#rangeIn(text);
    if (from > to) return found;
    const longest = this.#longest;
    const last: (readonly [word: string, start: number])[] = [];
    eachWord(text, (word, start, end) => {
      if (longest > 1) {
        last.push([word, start]);
        if (last.length > 2 * longest) last.splice(0, longest);
      }
      const isLikely = this.#initials.has(word.charCodeAt(0));
      const exact = isLikely ? this.#byWord.get(word) : undefined;
      if (exact !== undefined) {
        for (const term of exact) this.#add(found, term, last, start, end);
      }
      if (isLikely) {
        for (const [prefix, term] of this.#prefixes) {
          if (word !== prefix && word.startsWith(prefix)) this.#add(found, term, last, start, end);
        }
      }
      if (exact === undefined) {
        for (const [stem, terms] of this.#stems) {
          const term = terms.get(stem(word));
          if (term === undefined) continue;
          found.push({ term, start, end });
          break;
        }
      }
      // A word with a sign, such as `c++` or `.net`, comes behind the one without it, and may begin before it.
      return found.length < most && start <= to + 1;
    }, from);
    return found;
  }

  /** From where to where in a text words may begin that are found: plain text is searched at memory speed. */
  #rangeIn(text: string): readonly [from: number, to: number] {
    if (this.#beginnings === undefined || !isAscii(text)) return [0, Infinity];
    const lower = text.toLowerCase();
    let [from, to] = [Infinity, -1];
    for (const beginning of this.#beginnings) {
      const first = lower.indexOf(beginning);
      if (first < 0) continue;
      from = Math.min(from, first);
      to = Math.max(to, lower.lastIndexOf(beginning));
    }
    return [from, to];
  }

  /** Adds the place of a term whose last word is here, if its other words are before it. */
  #add(
    found: Match[],
    term: number,
    last: readonly (readonly [word: string, start: number])[],
    start: number,
    end: number,
  ): void {
    const { words } = this.#terms[term]!;
    const before = Math.min(words.length, LONGEST_PHRASE) - 1;
    let first = start;
    for (let i = 1; i <= before; i++) {
      const place = last[last.length - 1 - i];
      if (place === undefined || place[0] !== words[words.length - 1 - i]) return;
      first = place[1];
    }
    found.push({ term, start: Math.min(first, start), end });
  }
}
