/**
 * Finds what has most of a query's words, where nothing has all.
 *
 * @module
 */
import { groupExpression, type WordForms } from "./match.ts";
import type { Group, Query } from "./parse.ts";
import { textOf } from "./parse.ts";

/** What relaxing needs to know of an index. */
export interface MatchCounts {
  /** The numbers of entries that match, up to a bound. */
  idsOf(expression: string, most: number): number[];
  /** How many entries match, up to a bound. */
  count(expression: string, most: number): number;
  /** Whether an entry has all words of a query, or forms of them. */
  has(query: Query, forms?: WordForms): boolean;
}

/** A query without some of its words. */
export interface Relaxed {
  /** Queries of the same number of words each, those with the rarest words first. */
  readonly queries: readonly Query[];
  /** The words that the first of them leaves out, as they were written. */
  readonly left: readonly string[];
}

/** With more terms than these, not every choice of them is tried. */
const MAX_CHOSEN = 5;
/** The most queries of a result. */
const MAX_MATCHES = 8;
/** Words in up to this many entries are rare: their entries are listed, at 0.5 µs each. */
const LISTED = 3_000;
/** Counting further would take long, and a word in this many entries says little anyway. */
const COUNTED = 20_000;

/**
 * The largest choices of the query's terms that match something. Phrases in quotation marks and
 * words with a minus stay as they are.
 *
 * @param isMissed Whether it is known that nothing matches all of its terms. @default {false}
 */
export function relax(
  query: Query,
  index: MatchCounts,
  forms?: WordForms,
  isMissed = false,
): Relaxed | undefined {
  if (query.groups.length < 2) return undefined;
  const entries = new Map<Group, number>();
  for (const group of query.groups) {
    entries.set(group, index.count(groupExpression(group, forms), COUNTED));
  }
  const isFixed = (group: Group) => group.some((term) => term.quoted);
  if (query.groups.some((group) => isFixed(group) && entries.get(group) === 0)) return undefined;
  const fixed = query.groups.filter(isFixed);
  const free = query.groups.filter((group) => !isFixed(group) && entries.get(group)! > 0)
    .sort((a, b) => entries.get(a)! - entries.get(b)!);
  // In the order of the query: a title may begin with what is left of it.
  const queryOf = (chosen: readonly Group[]): Query => {
    const kept = new Set([...fixed, ...chosen]);
    return { ...query, groups: query.groups.filter((group) => kept.has(group)) };
  };
  const matches = (chosen: readonly Group[]) => {
    const size = fixed.length + chosen.length;
    if (size === 0 || (isMissed && size === query.groups.length)) return false;
    return index.has(queryOf(chosen), forms);
  };
  const found = free.length <= MAX_CHOSEN
    ? largest(free, matches)
    : likeliest(free.filter((group) => entries.get(group)! <= LISTED), free, index, matches, forms);
  if (found.length === 0) return undefined;
  const kept = new Set([...fixed, ...found[0]!]);
  return {
    queries: found.slice(0, MAX_MATCHES).map(queryOf),
    left: query.groups.filter((group) => !kept.has(group)).map((group) => textOf(query, group)),
  };
}

/** All largest choices that match, those with the first groups before others. */
function largest(
  groups: readonly Group[],
  matches: (chosen: readonly Group[]) => boolean,
): Group[][] {
  for (let size = groups.length; size >= 0; size--) {
    const found = choices(groups, size).filter(matches);
    if (found.length > 0) return found;
  }
  return [];
}

/**
 * For many groups: as many of the rare ones as one entry has, and then of the others, one after the
 * other, each with which something still matches.
 */
function likeliest(
  rare: readonly Group[],
  groups: readonly Group[],
  index: MatchCounts,
  matches: (chosen: readonly Group[]) => boolean,
  forms: WordForms | undefined,
): Group[][] {
  const byEntry = new Map<number, number>();
  for (const [i, group] of rare.entries()) {
    for (const id of index.idsOf(groupExpression(group, forms), LISTED)) {
      byEntry.set(id, (byEntry.get(id) ?? 0) | 1 << i);
    }
  }
  const sets = [...new Set(byEntry.values())].sort((a, b) => sizeOf(b) - sizeOf(a));
  const extended = (sets.length > 0 ? sets.slice(0, MAX_MATCHES) : [0]).map((set) => {
    const chosen = rare.filter((_, i) => set & 1 << i);
    for (const group of groups) {
      if (!rare.includes(group) && matches([...chosen, group])) chosen.push(group);
    }
    return chosen;
  }).filter((chosen) => chosen.length > 0 && matches(chosen));
  const most = Math.max(0, ...extended.map((chosen) => chosen.length));
  return extended.filter((chosen) => chosen.length === most);
}

function sizeOf(set: number): number {
  let size = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) size++;
  return size;
}

/** The ways to choose `size` of the groups, in the order of the groups. */
function choices(groups: readonly Group[], size: number): Group[][] {
  if (size === 0) return [[]];
  return groups.flatMap((group, i) =>
    choices(groups.slice(i + 1), size - 1).map((rest) => [group, ...rest])
  );
}
