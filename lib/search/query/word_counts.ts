import type { DatabaseSync, StatementSync } from "node:sqlite";
import { initialOf, isSpellable, lettersOf } from "../words/vocabulary_word.ts";
import { wordExpression } from "./match.ts";
import type { Query, Term } from "./parse.ts";

/** What finding the entries with all words of a query takes, about; rather too much than too little. */
export interface Estimate {
  /** How many entries are looked at. */
  readonly looks: number;
  /** How many are found at most. */
  readonly most: number;
}

/** A word that is not in the vocabulary is counted up to this many entries, which takes 0.2 ms. */
const COUNTED = 3_000;
/** Of a long list SQLite skips pages, with this many entries on each. */
const ON_A_PAGE = 400;
/** The lists of beginnings of up to this many letters are in the index. */
const LISTED_LETTERS = 2;

/** Words that are longer than a beginning by more letters are few. */
const MORE_LETTERS = 10;

/** Whether the entries of all words that begin so are gathered before any of them is found. */
export function isGathered(beginning: string): boolean {
  return lettersOf(beginning) > LISTED_LETTERS;
}

/** Knows in how many entries the words of one index are, about. */
export class WordCounts {
  readonly #known: StatementSync;
  readonly #count: StatementSync;
  readonly #largest: StatementSync;
  readonly #beginning: StatementSync;
  readonly #terms: StatementSync;
  /** What was found out for the search that is being done: a word and whether it is a beginning. */
  readonly #entries = new Map<string, number>();
  /** What the vocabulary said of words for it. */
  readonly #inVocabulary = new Map<string, number>();
  /** Expressions that were counted for it to the end, and how far those were that have more entries. */
  readonly #counted = new Map<string, number>();
  readonly #countedTo = new Map<string, number>();

  /** @param db A connection for reading; it stays the caller's. */
  constructor(db: DatabaseSync) {
    this.#known = db.prepare(
      "SELECT entries FROM vocabulary WHERE initial = ? AND letters = ? AND word = ?",
    );
    this.#count = db.prepare(
      "SELECT count(*) AS n FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT +?)",
    );
    this.#largest = db.prepare("SELECT max(id) AS n FROM record");
    const lengths = Array.from({ length: MORE_LETTERS }, (_, i) => `?4 + ${i}`).join();
    this.#beginning = db.prepare(
      `SELECT sum(entries) AS n FROM vocabulary
        WHERE initial = ?1 AND letters IN (${lengths}) AND word >= ?2 AND word < ?3`,
    );
    this.#terms = db.prepare("SELECT doc FROM word WHERE term >= ? AND term < ? LIMIT +?");
  }

  /** How many entries there are, or were. */
  get all(): number {
    return Number(this.#largest.get()?.["n"] ?? 0);
  }

  /**
   * In how many entries a word was when the vocabulary was made; 1 for one that came later, 0 for one
   * that is not corrected. Looking it up takes a tenth of the time of counting.
   */
  known(word: string): number {
    let known = this.#inVocabulary.get(word);
    if (known === undefined) {
      const row = this.#known.get(initialOf(word), lettersOf(word), word);
      this.#inVocabulary.set(word, known = Number(row?.["entries"] ?? 0));
    }
    return known;
  }

  /** Counts the entries that have a word, up to `most`. */
  countUpTo(word: string, most: number): number {
    return this.count(wordExpression(word), most);
  }

  /** Counts the entries that match an expression, up to `most`. */
  count(match: string, most: number): number {
    const counted = this.#counted.get(match);
    if (counted !== undefined) return Math.min(counted, most);
    if ((this.#countedTo.get(match) ?? 0) >= most) return most;
    const count = Number(this.#count.get(match, most)?.["n"] ?? 0);
    if (count < most) this.#counted.set(match, count);
    else this.#countedTo.set(match, count);
    return count;
  }

  /** Another search begins, with another state of the index. */
  clear(): void {
    this.#entries.clear();
    this.#inVocabulary.clear();
    this.#counted.clear();
    this.#countedTo.clear();
  }

  /** What finding the entries takes that have all words of a query, as they are written. */
  estimate({ groups, without }: Pick<Query, "groups" | "without">): Estimate {
    const lists = new Map<string, number>();
    let most = Infinity;
    for (const group of groups) {
      let entries = 0;
      for (const term of group) entries += this.#termOf(term, lists);
      most = Math.min(most, entries);
    }
    for (const term of without) this.#termOf(term, lists);
    let looks = 0;
    for (const [word, entries] of lists) {
      const isWhole = word.endsWith("*") && isGathered(word.slice(0, -1));
      looks += isWhole ? entries : Math.min(entries, most * ON_A_PAGE);
    }
    return { looks, most };
  }

  /** In how many entries a term is at most. Adds the lists of its words. */
  #termOf({ words, prefix }: Term, lists: Map<string, number>): number {
    let fewest = Infinity;
    for (const [i, word] of words.entries()) {
      const isBeginning = prefix && i === words.length - 1;
      const name = isBeginning ? `${word}*` : word;
      let entries = this.#entries.get(name);
      if (entries === undefined) {
        entries = isBeginning ? this.#beginningWith(word) : this.#with(word);
        this.#entries.set(name, entries);
      }
      lists.set(name, entries);
      fewest = Math.min(fewest, entries);
    }
    return fewest;
  }

  #with(word: string): number {
    const known = this.known(word);
    if (known > 1) return known;
    const counted = this.countUpTo(word, COUNTED);
    return counted < COUNTED ? counted : this.all;
  }

  /** Never 0: words that came just now may be missing. */
  #beginningWith(word: string): number {
    if (!isGathered(word)) return this.all;
    const end = `${word}\u{10ffff}`;
    if (isSpellable(word)) {
      const row = this.#beginning.get(initialOf(word), word, end, lettersOf(word));
      return Math.max(1, Number(row?.["n"] ?? 0));
    }
    // Such as numbers: there may be many in few entries each.
    let entries = 1;
    for (const row of this.#terms.iterate(word, end, COUNTED)) entries += 1 + Number(row["doc"]);
    return entries;
  }
}
