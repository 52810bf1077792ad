/**
 * The name that a mistyped one most likely means: the one with the fewest edits, where swapping two
 * neighbours is one edit; `undefined` if none is near.
 */
export function nearest(typed: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const name of names) {
    // A prefix counts as one edit: `--idle` for `--idle-timeout`.
    const distance = typed.length > 1 && name.startsWith(typed) ? 1 : edits(typed, name);
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** `" (did you mean NAME?)"`, or nothing. */
export function suggestion(typed: string, names: Iterable<string>): string {
  const name = nearest(typed, names);
  return name === undefined ? "" : ` (did you mean ${name}?)`;
}

/** The optimal string alignment distance. */
function edits(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, beforeLast[j - 2]! + 1);
      }
      row.push(least);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
