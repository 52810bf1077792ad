/**
 * Finds out how a CSV file is written.
 *
 * @module
 */
import { CsvRecords } from "./csv_records.ts";
import type { LineEnd } from "./lines.ts";

/** How a CSV file is written. */
export interface CsvDialect {
  /** What separates the values. */
  readonly separator: string;
  readonly lineEnd: LineEnd;
  /** Whether the first line only names the separator (`sep=;`), as Excel writes it. */
  readonly hasSeparatorLine: boolean;
}

/** What may separate values, in the order of preference where several fit equally. */
const SEPARATORS = [",", ";", "\t", "|"];
/** Records that are looked at. */
const SAMPLE = 50;
const SEPARATOR_LINE = /^\ufeff?(?:"sep=(.)"|sep=(.))[ ,;\t]*(?:\r\n|\r|\n|$)/i;

/**
 * Finds out how a file is written: the separator is the one that splits the first records into the
 * same number of values most consistently.
 *
 * @param start The beginning of the text.
 * @param isWhole Whether that is all of it.
 * @param separator The one that the caller names. Then none is looked for.
 * @param preferred Is taken where several fit equally.
 */
export function csvDialect(
  start: string,
  isWhole: boolean,
  separator: string | undefined,
  preferred: string,
): CsvDialect {
  const lineEnd = !start.includes("\n") && start.includes("\r") ? "\r" : "\n";
  const named = SEPARATOR_LINE.exec(start);
  if (named !== null) {
    const said = named[1] ?? named[2]!;
    return { separator: separator ?? said, lineEnd, hasSeparatorLine: true };
  }
  if (separator !== undefined) return { separator, lineEnd, hasSeparatorLine: false };
  const lines = start.split(lineEnd === "\r" ? "\r" : /\r?\n/);
  // The last line may be cut off.
  if (!isWhole && lines.length > 1) lines.pop();
  const candidates = [preferred, ...SEPARATORS.filter((each) => each !== preferred)];
  const found = candidates.map((each) => ({ separator: each, ...fitOf(lines, each) }));
  const best = found.reduce((a, b) => b.score > a.score ? b : a);
  return { separator: best.separator, lineEnd, hasSeparatorLine: false };
}

/** How well a separator fits: the share of records with as many values as the first one. */
function fitOf(lines: readonly string[], separator: string): { score: number } {
  const records = new CsvRecords(separator, Number.MAX_SAFE_INTEGER);
  const counts: number[] = [];
  for (const [i, text] of lines.entries()) {
    for (const record of records.push({ number: i + 1, text, tooLong: false })) {
      if ("values" in record) counts.push(record.values.length);
    }
    if (counts.length >= SAMPLE) break;
  }
  if (counts.length < SAMPLE) {
    for (const record of records.end()) if ("values" in record) counts.push(record.values.length);
  }
  const columns = counts[0] ?? 0;
  if (columns === 0) return { score: 0 };
  const share = counts.filter((count) => count === columns).length / counts.length;
  // With a separator that does not occur, every record has one value: only the last resort.
  if (columns === 1) return { score: share === 1 ? 0.5 : 0 };
  // Short records are common, so a header of several values counts for more than one of fewer.
  return { score: 1 + share + Math.min(columns, 50) / 1000 };
}
