/**
 * A text with the words of a query dressed up.
 *
 * @param ranges A server's `highlights`: pairs of a start and an end in UTF-16 code units, in order.
 * What is no such pair is left out.
 * @param dress Dresses a word, for instance in bold.
 * @param safe Makes a part of the text safe to print: it comes from a server.
 */
export function highlighted(
  text: string,
  ranges: unknown,
  dress: (text: string) => string,
  safe: (text: string) => string,
): string {
  let line = "";
  let done = 0;
  for (const range of Array.isArray(ranges) ? ranges : []) {
    if (!Array.isArray(range)) continue;
    const [start, end] = range;
    const isRange = Number.isSafeInteger(start) && Number.isSafeInteger(end) &&
      start >= done && end > start && end <= text.length;
    if (!isRange) continue;
    line += safe(text.slice(done, start)) + dress(safe(text.slice(start, end)));
    done = end;
  }
  return line + safe(text.slice(done));
}
