import type { DatabaseSync, StatementSync } from "node:sqlite";
import { MAX_COUNTED, MAX_RANKED } from "../limits.ts";
import { Effort } from "./effort.ts";
import { excluding, matchExpression, type WordForms } from "./match.ts";
import type { Query } from "./parse.ts";
import type { Estimate, WordCounts } from "./word_counts.ts";

/** An entry that was found. */
export interface Ranked {
  readonly id: number;
  readonly score: number;
}

/** Entries that a search finds together, and which of them come first. */
export interface Pass {
  /** The entries, as an expression of SQLite's. */
  readonly match: string;
  /** Whether `match` is one word or phrase: to count it, SQLite only reads its list of entries. */
  readonly isOneTerm?: boolean | undefined;
  /** What finding them takes; absent if that is not to be counted. */
  readonly estimate?: Estimate | undefined;
  /** Those of them that have the words near each other. */
  readonly near?: string | undefined;
  /** The words of a title that equals the query, and whether the last one is only its beginning. */
  readonly heading?: string | undefined;
  readonly isPrefix?: boolean | undefined;
  /** Titles of what the query's name belongs to, the nearest first: `os path` of `os.path.join`. */
  readonly owners?: readonly string[] | undefined;
}

/** The best entries that were found. */
export interface Best {
  readonly ranked: readonly Ranked[];
  /** How many there are in all; `undefined` where ranking them did not count them. */
  readonly total: number | undefined;
}

/** The number that no entry has. */
export const NO_ENTRY = -1;

/** What is to be ranked. */
interface Ranking extends Pick<Pass, "match" | "isOneTerm" | "estimate"> {
  readonly titles: Titles;
  readonly near: readonly number[];
  readonly except: number;
  readonly count: number;
  readonly most?: number;
  /** How many match, where that is known already. */
  readonly number?: number | undefined;
}

/** A match in a title counts eight times as much as one in the text, in a key four times. */
const SCORE = "bm25(words, 4.0, 8.0, 1.0, 0.5)";
/** All that match, the best first. */
const RANK_ALL = `SELECT rowid AS id, ${SCORE} AS score FROM words WHERE words MATCH ?1
  AND rowid <> ?3`;
/**
 * The first matches as a table that is read twice, for the best of them and for their number. A window
 * function that counts takes twice as long.
 */
const RANK_FIRST = `WITH matches AS MATERIALIZED (
    SELECT rowid AS id, ${SCORE} AS score FROM words WHERE words MATCH ?1 LIMIT +?2),
  others AS (SELECT * FROM matches WHERE id <> ?3)
  SELECT id, score, (SELECT count(*) FROM others) AS n FROM others`;
const BEST_FIRST = "ORDER BY score, id LIMIT +?4";
/** Those of a list that match. With the plus FTS5 does not look for each of them by itself. */
const RANK_LISTED = `SELECT rowid AS id, ${SCORE} AS score FROM words WHERE words MATCH ?
  AND rowid <> ? AND +rowid IN (SELECT value FROM json_each(?))`;
/** SQLite makes a table of the list once, and finds each entry in it at once. */
const PLACED_FIRST = "ORDER BY id NOT IN (SELECT value FROM json_each(?5)), score, id LIMIT +?4";
/** The most near entries that are ranked: looking for places takes some 2 µs for each. */
const MAX_NEAR_RANKED = 15_000;
/** The most titles of one kind that come first. */
const MAX_TITLES = 50;
/** The most titles that are looked at for the shortest ones. */
const MAX_TITLES_SEEN = 2000;

/**
 * Up to this many near entries are placed within the ranking of all. More get a ranking of their
 * own, before the others.
 */
const MAX_NEAR = 20;
/** After all titles that begin with the query. */
const OWNER_PLACE = 1_000;
const NEAR_PLACE = 2_000;
const OTHER_PLACE = 2_001;
/** The most entries that are scored one by one. */
const MAX_SCORED = 4;

interface RankStatements {
  /** The best entries. */
  readonly best: StatementSync;
  /** Those of a list, then the best others. */
  readonly placed: StatementSync;
}

/** Entries with a title that comes first, and which of them do; 0 if the title is the query. */
type Titles = ReadonlyMap<number, number>;

/** Ranks the entries of one index that match. */
export class Ranker {
  /** What the search that is being done may cost. */
  effort = new Effort();
  readonly #rankAll: RankStatements;
  readonly #rankFirst: RankStatements;
  readonly #rankListed: StatementSync;
  readonly #rankOne: StatementSync;
  readonly #ids: StatementSync;
  readonly #equal: StatementSync;
  readonly #beginning: StatementSync;
  readonly #counts: WordCounts;

  /**
   * @param db A connection for reading; the caller closes it.
   * @param counts Those of the same connection.
   */
  constructor(db: DatabaseSync, counts: WordCounts) {
    this.#counts = counts;
    const ranking = (matches: string): RankStatements => ({
      best: db.prepare(`${matches} ${BEST_FIRST}`),
      placed: db.prepare(`${matches} ${PLACED_FIRST}`),
    });
    this.#rankAll = ranking(RANK_ALL);
    this.#rankFirst = ranking(RANK_FIRST);
    this.#rankListed = db.prepare(RANK_LISTED);
    // Bound as it is, a number is REAL, which FTS5 does not take for a limit.
    this.#rankOne = db.prepare(
      `SELECT ${SCORE} AS score FROM words WHERE words MATCH ? AND rowid = CAST(? AS INTEGER)`,
    );
    this.#ids = db.prepare("SELECT rowid AS id FROM words WHERE words MATCH ? LIMIT +?");
    this.#equal = db.prepare(`SELECT id FROM heading WHERE form = ?
      LIMIT ${MAX_TITLES}`);
    // Those that are equal are the first of a range, and the shortest.
    this.#beginning = db.prepare(`SELECT id, form FROM
      (SELECT id, form FROM heading WHERE form >= ? AND form < ? LIMIT ${MAX_TITLES_SEEN})
      ORDER BY length(form), id LIMIT ${2 * MAX_TITLES}`);
  }

  /** How many entries match; counting stops at `most`. */
  count(match: string, most: number = MAX_COUNTED): number {
    const { effort } = this;
    const bound = Math.min(most, effort.lookedAt + 1);
    const count = this.#counts.count(match, bound);
    effort.lookAt(count);
    return count;
  }

  /** {@linkcode Ranker.count}, without one entry. */
  countBut(except: number, match: string, most?: number): number {
    return this.#butOne(this.count(match, most), except, match);
  }

  /** What finding the entries of a query takes; `undefined` where that is not to be counted. */
  estimate(query: Query): Estimate | undefined {
    return this.effort.isFree ? undefined : this.#counts.estimate(query);
  }

  /** Whether an entry has all words of a query, which has some, or forms of them. */
  has(query: Query, forms?: WordForms): boolean {
    const estimate = this.estimate(query);
    if (estimate?.most === 0 && forms === undefined) return false;
    if (estimate) this.effort.lookAt(estimate.looks);
    return this.count(matchExpression(query, forms)!, 1) > 0;
  }

  /** The numbers of entries that match, up to `most`. */
  idsOf(match: string, most: number): number[] {
    const bound = Math.min(most, this.effort.lookedAt + 1);
    const ids = this.#ids.all(match, bound).map((row) => Number(row["id"]));
    this.effort.lookAt(ids.length);
    return ids;
  }

  /** The score of an entry; `undefined` if it does not match. */
  scoreOf(match: string, id: number): number | undefined {
    const score = this.#rankOne.get(match, id)?.["score"];
    return score === undefined ? undefined : -Number(score);
  }

  /** Whether an entry has this title. */
  hasTitle(heading: string): boolean {
    return this.#equal.get(heading) !== undefined;
  }

  /** The best entries of a pass, best first. @param except An entry to leave out, or {@linkcode NO_ENTRY}. */
  best(pass: Pass, except: number, count: number): Best {
    if (count === 0) return { ranked: [], total: undefined };
    const number = this.#countFew(pass, except);
    if (number === 0) return { ranked: [], total: 0 };
    const titles = this.#titles(pass);
    if (pass.near !== undefined) this.#willRead(pass);
    const near = pass.near === undefined ? [] : this.idsOf(pass.near, MAX_NEAR + 1);
    if (pass.near === undefined || near.length <= MAX_NEAR) {
      return this.#ranked({ ...pass, titles, near, except, count, number });
    }
    // Where many are near, the others are ranked only if they are wanted.
    const most = MAX_NEAR_RANKED;
    const { estimate } = pass;
    const ranking = { titles, near: [], except, estimate };
    const first = this.#ranked({ ...ranking, match: pass.near, count, most }).ranked;
    if (first.length === count) return { ranked: first, total: undefined };
    const match = excluding(pass.match, [pass.near]);
    const rest = { ...ranking, match, count: count - first.length };
    return { ranked: [...first, ...this.#ranked(rest).ranked], total: undefined };
  }

  #ranked(ranking: Ranking): Best {
    const { match, near, except, count } = ranking;
    const titles = ranking.isOneTerm ? firstOf(ranking.titles, count + 1) : ranking.titles;
    const places = new Map([...near.map((id) => [id, NEAR_PLACE] as const), ...titles]);
    const { rows, total } = this.#rows(ranking, [...places.keys()]);
    const found = rows.map(rankedOf);
    if (places.size === 0) return { ranked: found, total };
    const placeOf = ({ id }: Ranked) => places.get(id) ?? OTHER_PLACE;
    const beyond = this.#beyond(match, titles, found).filter(({ id }) => id !== except);
    const ranked = [...found, ...beyond]
      .sort((a, b) => placeOf(a) - placeOf(b) || b.score - a.score || a.id - b.id)
      .slice(0, count);
    return { ranked, total };
  }

  /** The entries of a list that match, and after them the best others; and how many match in all. */
  #rows(ranking: Ranking, list: number[]) {
    const { match, isOneTerm, except, count, most = MAX_RANKED } = ranking;
    const limit = count + list.length;
    const args = list.length === 0 ? [except, limit] : [except, limit, JSON.stringify(list)];
    const order = list.length === 0 ? "best" : "placed";
    // SQLite counts the entries of one term ten times as fast as it ranks them.
    if (isOneTerm) this.#willRead(ranking);
    const number = isOneTerm ? this.countBut(except, match, most) : ranking.number ?? most;
    if (number === 0) return { rows: [], total: 0 };
    if (number < most - 1) {
      // Scoring takes longest: where titles fill the page, nothing else is scored.
      if (list.length >= count) {
        this.#willRead(ranking);
        const rows = this.#rankListed.all(match, except, JSON.stringify(list));
        if (rows.length >= count) return { rows, total: number };
      }
      this.#willRank(ranking, number);
      return { rows: this.#rankAll[order].all(match, null, ...args), total: number };
    }
    this.#willRank(ranking, number);
    const rows = this.#rankFirst[order].all(match, most, ...args);
    // With the one that is left out there may be just as many as are ranked.
    const counted = Number(rows[0]?.["n"] ?? 0);
    return { rows, total: counted < most - 1 ? counted : undefined };
  }

  #butOne(count: number, except: number, match: string): number {
    return except !== NO_ENTRY && this.scoreOf(match, except) !== undefined ? count - 1 : count;
  }

  /** How many entries match but one; `undefined` where they need not be counted: they are few. */
  #countFew(pass: Pass, except: number): number | undefined {
    const { effort } = this;
    const { estimate, isOneTerm } = pass;
    if (estimate === undefined) return undefined;
    if (estimate.most === 0) return 0;
    const most = effort.ranked;
    if (isOneTerm || estimate.most <= most) return undefined;
    this.#willRead(pass);
    const count = this.count(pass.match, most + 1);
    if (count > most) effort.rank(count);
    return this.#butOne(count, except, pass.match);
  }

  /** Notes that what has the words of a query is looked for. */
  #willRead({ estimate }: Pick<Pass, "estimate">): void {
    if (estimate !== undefined) this.effort.lookAt(estimate.looks);
  }

  /** Notes that entries that match are ranked. @param most How many at most. */
  #willRank({ match, estimate, isOneTerm }: Ranking, most: number): void {
    const { effort } = this;
    if (estimate === undefined) return;
    this.#willRead({ estimate });
    if (!isOneTerm && estimate.most <= effort.ranked) return;
    if (most > effort.ranked) effort.rank(this.count(match, Math.min(most, effort.ranked + 1)));
    else effort.rank(most);
  }

  /** Entries whose title is the query that are not ranked, because too many match. */
  #beyond(match: string, titles: Titles, ranked: readonly Ranked[]): Ranked[] {
    const equal = [...titles].filter(([, place]) => place === 0).slice(0, MAX_SCORED);
    return equal.flatMap(([id]) => {
      if (ranked.some((each) => each.id === id)) return [];
      const score = this.scoreOf(match, id);
      return score === undefined ? [] : [{ id, score }];
    });
  }

  /** Entries whose title is the query, those whose title begins with it, those that own it. */
  #titles({ heading, isPrefix, owners = [] }: Pass): Titles {
    const titles = new Map<number, number>();
    if (heading === undefined) return titles;
    // A space sorts before all that a word has in it: the titles that go on with another word
    // follow each other.
    const end = isPrefix ? `${heading}\u{10ffff}` : `${heading}!`;
    const left = { equal: MAX_TITLES, longer: MAX_TITLES };
    for (const row of this.#beginning.all(heading, end)) {
      const { length } = String(row["form"]);
      const isEqual = length === heading.length;
      if (left[isEqual ? "equal" : "longer"]-- <= 0) continue;
      // Of words that begin with the query's last one the shortest is likeliest meant.
      const id = Number(row["id"]);
      if (!titles.has(id)) titles.set(id, isEqual ? 0 : isPrefix ? length : 1);
    }
    for (const [i, owner] of owners.entries()) {
      for (const row of this.#equal.all(owner)) {
        const id = Number(row["id"]);
        if (!titles.has(id)) titles.set(id, OWNER_PLACE + i);
      }
    }
    return titles;
  }
}

function rankedOf(row: Record<string, unknown>): Ranked {
  return { id: Number(row["id"]), score: -Number(row["score"]) };
}

/** The first `count` titles, and all others that share the place of the last of these. */
function firstOf(titles: Titles, count: number): Titles {
  if (titles.size <= count) return titles;
  const last = [...titles.values()].sort((a, b) => a - b)[count - 1]!;
  return new Map([...titles].filter(([, place]) => place <= last));
}
