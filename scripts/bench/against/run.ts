/** `deno task bench --against REF`: chooses rows, compares, prints. */
import { EXIT, UsageError } from "../../../cmd/_cli/mod.ts";
import { isInstalled, say } from "../support.ts";
import { fullName } from "./benchmark.ts";
import { BENCHMARKS } from "./benchmarks.ts";
import { compare, type RowFailure, type RowResult, type Selection } from "./compare.ts";
import { Progress } from "./progress.ts";
import { LEAST_RATIO, resultLines, verdictOf } from "./table.ts";
import { CommittedVersion, currentVersion } from "./version.ts";

/** How versions are compared. */
export interface AgainstOptions {
  readonly pairs: number;
  readonly timeLimitMs: number;
  readonly json: boolean;
}

/**
 * Compares this checkout with a commit, and prints how.
 *
 * @param names Benchmarks and beginnings of rows' names; all rows if there is none.
 * @returns The exit code.
 */
export async function runAgainst(
  commit: string,
  names: readonly string[],
  { pairs, timeLimitMs, json }: AgainstOptions,
): Promise<number> {
  const selections = selectRows(names);
  const { runnable, skipped } = withoutLacking(selections);
  for (const { name, reason } of skipped) say(`skipped: ${name}: ${reason}`);
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, interrupt);
  const progress = new Progress();
  const now = await currentVersion();
  await using ref = await CommittedVersion.checkOut(commit);
  const rows = runnable.reduce((sum, { rows }) => sum + rows.length, 0);
  progress.line(`comparing ${now.label} with ${ref.label}: ${rows} rows, ${pairs} pairs of each`);
  const [load = 0] = Deno.loadavg();
  if (load > 1) {
    const cores = navigator.hardwareConcurrency;
    progress.line(
      `the machine is busy (load ${load.toFixed(1)}, ${cores} cores): intervals will be wide`,
    );
  }
  const results = await compare(runnable, {
    now,
    ref,
    pairs,
    timeLimitMs,
    signal: interruption.signal,
    onProgress: (text) => progress.show(text),
    onEstimate: (ms) => progress.expect(ms),
  }).finally(() => progress.clear());
  const labels = { now: now.label, ref: ref.label };
  print(json ? jsonLines(results, labels) : resultLines([...results, ...skipped], labels));
  if (interruption.signal.aborted) return EXIT.interrupted;
  return isGood(results) ? EXIT.ok : EXIT.failed;
}

/** The rows that names stand for, by benchmark. */
export function selectRows(names: readonly string[]): Selection[] {
  for (const name of names) {
    const known = BENCHMARKS.some((benchmark) =>
      benchmark.rows.some((row) => fullName(benchmark, row).startsWith(name))
    );
    if (!known) {
      const all = BENCHMARKS.map(({ name }) => name).join(", ");
      throw new UsageError(`no row is called ${name}: there are ${all}; --list names all rows`);
    }
  }
  const wanted = (name: string) =>
    names.length === 0 || names.some((beginning) => name.startsWith(beginning));
  return BENCHMARKS.map((benchmark) => ({
    benchmark,
    rows: benchmark.rows.filter((row) => wanted(fullName(benchmark, row))),
  })).filter(({ rows }) => rows.length > 0);
}

/** Leaves out what needs programs that are not installed. */
function withoutLacking(
  selections: readonly Selection[],
): { readonly runnable: readonly Selection[]; readonly skipped: readonly RowFailure[] } {
  const lacking = ({ benchmark }: Selection) =>
    benchmark.needs?.find((command) => !isInstalled(command));
  return {
    runnable: selections.filter((selection) => lacking(selection) === undefined),
    skipped: selections.filter((selection) => lacking(selection) !== undefined).flatMap((
      selection,
    ) =>
      selection.rows.map((row) => ({
        name: fullName(selection.benchmark, row),
        reason: `${lacking(selection)} is not installed`,
        fails: false,
      }))
    ),
  };
}

/**
 * Whether something was compared, with pairs enough, and nothing became worse or cannot be measured any
 * more.
 */
function isGood(results: readonly (RowResult | RowFailure)[]): boolean {
  const isBad = (result: RowResult | RowFailure) =>
    "ratio" in result ? ["worse", "too few pairs"].includes(verdictOf(result)) : result.fails;
  return results.some((result) => "ratio" in result) && !results.some(isBad);
}

function jsonLines(
  results: readonly (RowResult | RowFailure)[],
  labels: { readonly now: string; readonly ref: string },
): string[] {
  const objects = results.map((result) =>
    "ratio" in result
      ? { type: "row", ...result, verdict: verdictOf(result) }
      : { type: "not-compared", ...result }
  );
  const worse = results.filter((result) => "ratio" in result && verdictOf(result) === "worse");
  const summary = {
    type: "summary",
    ...labels,
    leastRatio: LEAST_RATIO,
    compared: results.filter((result) => "ratio" in result).length,
    worse: worse.map(({ name }) => name),
    good: isGood(results),
  };
  return [...objects, summary].map((object) => JSON.stringify(object));
}

function print(lines: readonly string[]): void {
  Deno.stdout.writeSync(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
}
