import { filterCovers, filtersOverlap } from "../../../protocol/topic.ts";

/**
 * The filter that JetStream is given for those messages of a stream that a filter matches: it must lie
 * within one of the stream's topics, and there can be only one.
 *
 * @returns `undefined` where all messages have to be looked at here.
 */
export function subjectWithin(filter: string, topics: readonly string[]): string | undefined {
  const within = subjectsWithin(filter, topics);
  return within.length === 1 ? within[0] : undefined;
}

/** The parts of a stream's topics that a filter matches. */
export function subjectsWithin(filter: string, topics: readonly string[]): string[] {
  return topics.filter((topic) => filtersOverlap(filter, topic))
    .map((topic) => intersection(filter, topic));
}

/** What two filters both match, which is something. */
function intersection(a: string, b: string): string {
  if (filterCovers(a, b)) return b;
  if (filterCovers(b, a)) return a;
  const left = a.split(".");
  const right = b.split(".");
  const tokens: string[] = [];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    if (left[i] === ">") return [...tokens, ...right.slice(i)].join(".");
    if (right[i] === ">") return [...tokens, ...left.slice(i)].join(".");
    tokens.push(left[i] === "*" ? right[i]! : left[i]!);
  }
  return tokens.join(".");
}
