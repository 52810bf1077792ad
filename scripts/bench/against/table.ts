/** What is printed of a comparison. */
import { tableLines } from "../../../cmd/_cli/table.ts";
import type { RowFailure, RowResult } from "./compare.ts";
import { MIN_PAIRS } from "./ratio.ts";

/** A row whose interval lies wholly below this has become worse. */
export const LEAST_RATIO = 0.97;

/** What a row's interval says. */
export type Verdict = "worse" | "not worse" | "unclear" | "too few pairs";

/** Whether a row has become worse; `unclear` where its interval has the limit in it. */
export function verdictOf({ ratio, ratios }: RowResult): Verdict {
  if (ratios.length < MIN_PAIRS) return "too few pairs";
  if (ratio.high < LEAST_RATIO) return "worse";
  return ratio.low >= LEAST_RATIO ? "not worse" : "unclear";
}

/** Lines for people: a table, what was not compared, and what that comes to. */
export function resultLines(
  results: readonly (RowResult | RowFailure)[],
  labels: { readonly now: string; readonly ref: string },
): string[] {
  const compared = results.filter((result): result is RowResult => "ratio" in result);
  const failures = results.filter((result): result is RowFailure => "reason" in result);
  const lines: string[] = [];
  if (compared.length > 0) {
    const header = ["row", "unit", labels.ref, labels.now, "ratio", "95 % interval", ""];
    const rows = compared.map((result) => {
      const { name, unit, now, ref, ratio, byOwnPrograms } = result;
      const verdict = verdictOf(result);
      return [
        byOwnPrograms ? `${name} *` : name,
        unit,
        figure(ref),
        figure(now),
        ratio.median.toFixed(2),
        verdict === "too few pairs" ? "" : `${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)}`,
        verdict === "not worse" ? "" : verdict,
      ];
    });
    lines.push(...tableLines([header, ...rows]), "");
    if (compared.some(({ byOwnPrograms }) => byOwnPrograms)) {
      lines.push("* each version measured by its own program, not both by the same one", "");
    }
  }
  for (const { name, reason } of failures) lines.push(`not compared: ${name}: ${reason}`);
  return [...lines, ...summaryLines(compared)];
}

function summaryLines(compared: readonly RowResult[]): string[] {
  if (compared.length === 0) return ["nothing was compared"];
  const of = (wanted: Verdict) => compared.filter((result) => verdictOf(result) === wanted);
  const [worse, unclear, few] = [of("worse"), of("unclear"), of("too few pairs")];
  return [
    `${worse.length} of ${compared.length} rows are worse: their interval lies below ${LEAST_RATIO}`,
    ...worse.map(({ name }) => `  ${name}`),
    `${unclear.length} are unclear: their interval reaches below it; more --pairs narrow it`,
    ...(few.length === 0 ? [] : [
      `${few.length} have too few pairs for an interval, which takes ${MIN_PAIRS}: ` +
      "a longer --time-limit gives them",
    ]),
  ];
}

function figure(value: number): string {
  if (value >= 1_000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}
