/** Memory for two words, and three rows of the table of their distances: a search compares with thousands. */
let memory = makeMemory(64);

function makeMemory(letters: number) {
  const row = () => new Uint32Array(letters + 1);
  return { letters, a: row(), b: row(), rows: [row(), row(), row()] as const };
}

/**
 * The number of edits between two words. One edit inserts, deletes or replaces a letter, or swaps two
 * neighbouring letters. Letters are code points.
 *
 * @param limit Larger distances are not computed.
 * @returns the distance, or `limit + 1` if it is larger than `limit`.
 */
export function editDistance(a: string, b: string, limit: number): number {
  // What both begin and end with takes no edit. Most words that are not near differ in much.
  let start = 0;
  let [endA, endB] = [a.length, b.length];
  while (start < endA && start < endB && a.charCodeAt(start) === b.charCodeAt(start)) start++;
  while (endA > start && endB > start && a.charCodeAt(endA - 1) === b.charCodeAt(endB - 1)) {
    endA--;
    endB--;
  }
  // Not between the two code units of a letter.
  if (start > 0 && (isSecondUnit(a, start) || isSecondUnit(b, start))) start--;
  if (isSecondUnit(a, endA) || isSecondUnit(b, endB)) {
    endA++;
    endB++;
  }
  const most = Math.max(endA, endB) - start;
  if (most > memory.letters) memory = makeMemory(2 * most);
  const lettersA = takeLetters(a, start, endA, memory.a);
  const lettersB = takeLetters(b, start, endB, memory.b);
  if (Math.abs(lettersA - lettersB) > limit) return limit + 1;
  // No swap reaches from one end to the other.
  if (limit < 2 && Math.min(lettersA, lettersB) > 2) return limit + 1;
  return distance(lettersA, lettersB, limit);
}

/** The distance of the words in {@linkcode memory}, which begin and end otherwise if both have letters. */
function distance(lettersA: number, lettersB: number, limit: number): number {
  const beyond = limit + 1;
  const { a, b } = memory;
  let [beforeLast, last, row] = memory.rows;
  beforeLast.fill(beyond, 0, lettersB + 1);
  for (let j = 0; j <= lettersB; j++) last[j] = Math.min(j, beyond);
  let leastOfLast = 0;
  for (let i = 1; i <= lettersA; i++) {
    row.fill(beyond, 0, lettersB + 1);
    if (i <= limit) row[0] = i;
    // Cells that are further than `limit` from the diagonal are above the limit.
    const from = Math.max(1, i - limit);
    const to = Math.min(lettersB, i + limit);
    let least = row[0]!;
    for (let j = from; j <= to; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row[j] = Math.min(cost, beyond);
      least = Math.min(least, row[j]!);
    }
    // A swap reaches back two rows, so both last rows must be above the limit.
    if (least > limit && leastOfLast > limit) return beyond;
    leastOfLast = least;
    const free = beforeLast;
    beforeLast = last;
    last = row;
    row = free;
  }
  return last[lettersB]!;
}

/** Whether a letter's second code unit is at a place of a text. */
function isSecondUnit(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}

/** Writes the letters of a part of a text. @returns how many they are. */
function takeLetters(text: string, start: number, end: number, letters: Uint32Array): number {
  let count = 0;
  for (let at = start; at < end; at++) {
    const letter = text.codePointAt(at)!;
    if (letter > 0xffff) at++;
    letters[count++] = letter;
  }
  return count;
}
