/**
 * In which ways a query is answered, one after the other until something is found.
 *
 * @module
 */
import { excluding, matchExpression, nearExpression, type WordForms } from "./match.ts";
import { cutApart, type Query, withPrefix } from "./parse.ts";
import type { Pass, Ranker } from "./ranker.ts";
import { relax } from "./relax.ts";
import type { Spelling } from "./spelling.ts";

/** One way to answer a query. */
export interface Plan {
  /** What is found, the best first; none finds what another does. */
  readonly passes: readonly Pass[];
  /** The queries whose words are shown in what is found. */
  readonly queries: readonly Query[];
  /** The query that is answered instead, with its spelling corrected. */
  readonly corrected?: string;
  /** The words that are left out. */
  readonly relaxed?: readonly string[];
  /** The query with a rare word replaced by a common one, whose entries follow. */
  readonly also?: string;
}

/** What plans are made with. */
export interface PlanTools {
  readonly ranker: Ranker;
  readonly spelling: Spelling;
  /** Other forms of words that count, after the words themselves. */
  readonly forms: WordForms;
}

/** How many times as long as the lists of the words those of their other forms are, by estimate. */
const MORE_FORMS = 3;

/**
 * The ways to answer a query, each made when the one before it found nothing:
 *
 * 1. all words, as they are; then in other forms of theirs; then with a common word for a rare one;
 * 2. the last word as the beginning of one; then with runs of words cut into their words;
 * 3. with words that occur nowhere replaced by the nearest ones, if then all words are found;
 * 4. most of the words;
 * 5. both: most of the words, some of them replaced.
 *
 * @param asked `exactly`: only the first way, and only the words as they are; `isKey`: the query is
 * the key of an entry, and so not misspelled.
 */
export function* plans(
  query: Query,
  { exactly, isKey }: { readonly exactly: boolean; readonly isKey: boolean },
  tools: PlanTools,
): Generator<Plan> {
  const match = matchExpression(query);
  if (match === undefined) return;
  if (exactly) {
    yield { passes: [passOf(query, match, tools)], queries: [query] };
    return;
  }
  yield wordsPlan(query, match, tools, isKey);
  const beginning = withPrefix(query);
  if (beginning !== undefined && (query.groups.length === 1 || tools.ranker.has(beginning))) {
    yield { passes: [passOf(beginning, matchExpression(beginning)!, tools)], queries: [beginning] };
  }
  const apart = cutApart(query);
  if (apart !== undefined && tools.ranker.has(apart, tools.forms)) {
    const match = matchExpression(apart, tools.forms)!;
    yield { passes: [passOf(apart, match, tools, [], true)], queries: [apart] };
  }
  const { corrected, matches } = tools.spelling.correct(query) ?? {};
  if (corrected !== undefined && matches) {
    yield {
      ...wordsPlan(corrected, matchExpression(corrected)!, tools),
      corrected: corrected.text,
    };
  }
  yield* relaxedPlan(apart ?? query, tools, true);
  if (corrected !== undefined && !matches) {
    for (const plan of relaxedPlan(corrected, tools)) yield { ...plan, corrected: corrected.text };
  }
}

/** All words of a query. */
function wordsPlan(
  query: Query,
  match: string,
  tools: PlanTools,
  isKey = false,
): Plan {
  const { ranker, spelling, forms } = tools;
  const passes = [passOf(query, match, tools)];
  const wide = matchExpression(query, forms)!;
  if (wide !== match) {
    // A misspelled word may have the stem of the one that is meant: its title comes first then.
    const meant = ranker.has(query) ? undefined : spelling.correct(query)?.corrected;
    passes.push({
      match: excluding(wide, [match]),
      estimate: estimateOf(query, tools, true),
      heading: meant && headingOf(meant),
    });
  }
  const heading = headingOf(query);
  // A query that equals a title is not misspelled.
  const isTitle = () => heading !== undefined && ranker.hasTitle(heading);
  const common = isKey ? undefined : spelling.commoner(query, isTitle);
  if (common === undefined) return { passes, queries: [query] };
  const other = excluding(matchExpression(common)!, [wide]);
  if (!ranker.has(query) || !ranker.has(common) || ranker.count(other, 1) === 0) {
    return { passes, queries: [query] };
  }
  passes.push(passOf(common, other, tools, [wide]));
  return { passes, queries: [query, common], also: common.text };
}

/** @param isMissed Whether it is known that nothing has all words. */
function* relaxedPlan(
  query: Query,
  tools: PlanTools,
  isMissed = false,
): Generator<Plan> {
  const { ranker, forms } = tools;
  const relaxed = relax(query, ranker, forms, isMissed);
  if (relaxed === undefined) return;
  const { queries, left } = relaxed;
  const matches = queries.map((each) => matchExpression(each, forms)!);
  const passes = queries.map((each, i) => {
    const before = matches.slice(0, i);
    return passOf(each, excluding(matches[i]!, before), tools, before, true);
  });
  yield { passes, queries: [query], relaxed: left };
}

/**
 * @param others The expressions of other passes: `match` leaves out what they find.
 * @param isWide Whether other forms of the words count, too.
 */
function passOf(
  query: Query,
  match: string,
  tools: PlanTools,
  others: readonly string[] = [],
  isWide = false,
): Pass {
  const [group, ...more] = query.groups;
  const isPrefix = query.groups.at(-1)?.[0]?.prefix;
  const near = nearExpression(query);
  return {
    match,
    isOneTerm: more.length + others.length + query.without.length === 0 && group?.length === 1,
    estimate: estimateOf(query, tools, isWide),
    near: near && excluding(near, others),
    heading: headingOf(query),
    isPrefix,
    owners: ownersOf(query),
  };
}

/** What finding a query's entries takes; with other forms of its words, which are not known, more. */
function estimateOf(query: Query, { ranker, forms }: PlanTools, isWide: boolean) {
  const estimate = ranker.estimate(query);
  if (estimate === undefined) return undefined;
  const terms = query.groups.flat();
  if (isWide && terms.some(({ words }) => forms(words[0]!).length > 0)) {
    return { looks: MORE_FORMS * estimate.looks, most: Infinity };
  }
  // The list of one word is read no further than it is counted.
  const isOneWord = terms.length === 1 && !terms[0]!.prefix && terms[0]!.words.length === 1;
  return isOneWord && query.without.length === 0 ? { ...estimate, looks: 0 } : estimate;
}

/** A name with what it belongs to: `os.path.join`, `std::vector`, `Array#map`. */
const NAME = /^\w+(?:(?:\.|::|#|\/)\w+)+(?:\(\))?$/;

/** The titles of what a name belongs to, the nearest first. */
function ownersOf({ text, groups: [group, other] }: Query): string[] | undefined {
  if (other !== undefined || group?.length !== 1 || !NAME.test(text.trim())) return undefined;
  const { words } = group[0]!;
  return words.slice(1).map((_, i) => words.slice(0, i + 1).join(" ")).reverse();
}

/** The words of a title that equals the query; `undefined` where it has alternatives. */
function headingOf({ groups }: Query): string | undefined {
  if (groups.some((group) => group.length > 1)) return undefined;
  // Only the last word of a title may be a beginning.
  if (groups.slice(0, -1).some(([term]) => term!.prefix)) return undefined;
  return groups.flatMap(([term]) => term!.words).join(" ");
}
