/**
 * Compares what a page shows as output with what was printed. `…` within a line stands for any
 * text. A line that is only `…` stands for any number of lines.
 *
 * @module
 */

/** How to compare. */
export interface CompareOptions {
  /** Whether lines may come in any order: several programs print at one time. */
  readonly anyOrder?: boolean;
  /** Whether durations and rates may be any, and columns have any width. */
  readonly timesVary?: boolean;
}

/** Whether the printed lines are those expected. */
export function isExpected(
  expected: readonly string[],
  printed: readonly string[],
  options: CompareOptions = {},
): boolean {
  const { anyOrder = false, timesVary = false } = options;
  const level = (line: string) => timesVary ? withoutTimes(line.trimEnd()) : line.trimEnd();
  const patterns = expected.map((line) => patternOf(level(line)));
  const lines = printed.map(level);
  return anyOrder ? matchesSomehow(patterns, lines) : matchesInOrder(patterns, lines);
}

/** A line to be there, or `undefined` for any number of lines. */
type Pattern = RegExp | undefined;

const HOLE = "…";

function patternOf(line: string): Pattern {
  if (line.trim() === HOLE) return undefined;
  return new RegExp(`^${line.split(HOLE).map(RegExp.escape).join(".*")}$`, "u");
}

/** `12.3 ms`, `9929 messages/s` and the like become the same text, and so do runs of blanks. */
function withoutTimes(line: string): string {
  return line
    .replace(/\b\d+(?:\.\d+)?[kMG]? [A-Za-z]*\/s\b/g, "RATE")
    .replace(/\b\d+(?:\.\d+)? ?(?:ns|µs|ms|s|min|h)(?![\w])/g, "TIME")
    .replace(/ {2,}/g, "  ");
}

function matchesInOrder(patterns: readonly Pattern[], lines: readonly string[]): boolean {
  // reached[n]: the patterns so far match the first n lines.
  let reached: boolean[] = [true, ...lines.map(() => false)];
  for (const pattern of patterns) {
    let any = false;
    reached = reached.map((_, n) =>
      pattern === undefined
        ? (any ||= reached[n]!)
        : n > 0 && reached[n - 1]! && pattern.test(lines[n - 1]!)
    );
  }
  return reached.at(-1)!;
}

/** Each pattern needs a line of its own, and each line a pattern unless any lines may come. */
function matchesSomehow(patterns: readonly Pattern[], lines: readonly string[]): boolean {
  const wanted = patterns.filter((pattern) => pattern !== undefined);
  const surplusAllowed = wanted.length < patterns.length;
  if (surplusAllowed ? lines.length < wanted.length : lines.length !== wanted.length) return false;
  const takenBy = new Map<number, number>();
  const place = (pattern: number, tried: Set<number>): boolean =>
    lines.some((line, i) => {
      if (tried.has(i) || !wanted[pattern]!.test(line)) return false;
      tried.add(i);
      const holder = takenBy.get(i);
      if (holder !== undefined && !place(holder, tried)) return false;
      takenBy.set(i, pattern);
      return true;
    });
  return wanted.every((_, pattern) => place(pattern, new Set()));
}
