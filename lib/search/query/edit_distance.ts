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
  return distance(lettersOf(a, start, endA), lettersOf(b, start, endB), limit);
}

/** @param a Begins and ends otherwise than `b`, if both have letters. */
function distance(a: readonly number[], b: readonly number[], limit: number): number {
  const beyond = limit + 1;
  if (Math.abs(a.length - b.length) > limit) return beyond;
  // No swap reaches from one end to the other.
  if (limit < 2 && Math.min(a.length, b.length) > 2) return beyond;
  let beforeLast = new Array<number>(b.length + 1).fill(beyond);
  let last = Array.from({ length: b.length + 1 }, (_, j) => Math.min(j, beyond));
  for (let i = 1; i <= a.length; i++) {
    const row = new Array<number>(b.length + 1).fill(beyond);
    if (i <= limit) row[0] = i;
    // Cells that are further than `limit` from the diagonal are above the limit.
    const from = Math.max(1, i - limit);
    const to = Math.min(b.length, i + limit);
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
    if (least > limit && Math.min(...last) > limit) return beyond;
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** Whether a letter's second code unit is at a place of a text. */
function isSecondUnit(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}

function lettersOf(text: string, start: number, end: number): number[] {
  const letters: number[] = [];
  for (let at = start; at < end; at++) {
    const letter = text.codePointAt(at)!;
    if (letter > 0xffff) at++;
    letters.push(letter);
  }
  return letters;
}
