import { UsageError } from "../_cli/mod.ts";

/**
 * Reads `--percentiles`: numbers above 0, to 100, with commas between them.
 *
 * @throws {UsageError} if it is something else.
 */
export function parsePercentiles(list: string | undefined): number[] | undefined {
  if (list === undefined) return undefined;
  return list.split(",").map((text) => {
    const [, digits] = /^\s*p?(\d+(?:\.\d+)?)\s*$/.exec(text) ?? [];
    const percent = Number(digits);
    if (percent > 0 && percent <= 100) return percent;
    throw new UsageError(
      `--percentiles: ${JSON.stringify(text.trim())} is no percentile: write numbers above 0, to ` +
        "100, such as 50,95,99.95",
    );
  });
}
