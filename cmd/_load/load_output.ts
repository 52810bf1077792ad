import { resolve } from "node:path";
import {
  compareRuns,
  type LoadErrorKind,
  type LoadObserver,
  type LoadResult,
  type LoadSettings,
  parseRun,
  renderReport,
  type SavedRun,
  saveRun,
} from "../../lib/load/mod.ts";
import { type Context, describeError, UsageError } from "../_cli/mod.ts";
import {
  answerHint,
  caveats,
  comparisonLines,
  differences,
  errorLines,
  liveText,
  summaryLines,
} from "./load_lines.ts";

/** Files that a run is written to. */
export interface ResultFiles {
  readonly hdr: string | undefined;
  readonly report: string | undefined;
  readonly save: string | undefined;
}

/** Shows a load while it runs. */
export function loadObserver(
  { out, log, progress }: Context,
  json: boolean,
  { connections, answer }: LoadSettings,
): LoadObserver {
  const seen = new Set<LoadErrorKind>();
  return {
    connecting(connected, failed) {
      const failures = failed > 0 ? `, ${failed} failed` : "";
      progress.show(() => `connecting: ${connected} of ${connections}${failures}`);
    },
    interval(interval) {
      if (json) out.json({ type: "interval", ...interval });
      else if (progress.enabled) progress.show(liveText(interval));
      else log.detail(liveText(interval));
    },
    failed({ code, message, cause }) {
      // The first of a kind is printed; the summary counts the others.
      if (seen.has(code)) return;
      seen.add(code);
      const hint = answerHint(code, answer);
      const what = code === "connect" && cause ? describeError(cause) : message;
      log.warn(hint === undefined ? what : `${what}: ${hint}`);
    },
  };
}

/** Prints the summary of a load, and its comparison with an earlier run. */
export function printResult(
  result: LoadResult,
  before: SavedRun | undefined,
  { out, log }: Context,
  { json, percentiles }: {
    readonly json: boolean;
    readonly percentiles: readonly number[] | undefined;
  },
): void {
  const { summary } = result;
  const comparisons = before === undefined ? [] : compareRuns(before, result);
  if (json) {
    for (const comparison of comparisons) out.json({ type: "comparison", ...comparison });
    out.json({ type: "summary", ...summary, interrupted: result.interrupted });
  } else {
    for (const line of summaryLines(result, percentiles)) out.line(line);
    if (before) {
      for (const line of comparisonLines(comparisons, before.started_at)) out.line(line);
    }
  }
  const different = before ? differences(before.settings, result.settings) : [];
  if (different.length > 0) log.warn(`the runs were not the same: ${different.join("; ")}`);
  for (const text of caveats(result)) log.warn(text);
  for (const text of errorLines(summary)) log.error(text);
}

/** Reads the run that `--compare` names. */
export async function readRun(path: string): Promise<SavedRun> {
  const text = await Deno.readTextFile(path);
  try {
    return parseRun(text);
  } catch (cause) {
    throw new Error(`cannot compare with ${path}: ${describeError(cause)}`, { cause });
  }
}

/**
 * Makes sure before the run that the files can be written.
 *
 * @throws {UsageError} if two of them are the same file: one would overwrite the other.
 */
export async function checkFiles({ hdr, report, save }: ResultFiles): Promise<void> {
  const flagOf = new Map<string, string>();
  const given = Object.entries({ hdr, report, save }).flatMap(([flag, path]) =>
    path === undefined ? [] : [{ flag, path }]
  );
  for (const { flag, path } of given) {
    const identity = await identityOf(path);
    const other = identity && flagOf.get(identity);
    if (other !== undefined) {
      throw new UsageError(`--${other} and --${flag} both write ${path}: one overwrites the other`);
    }
    if (identity !== undefined) flagOf.set(identity, flag);
  }
  for (const { path } of given) (await Deno.open(path, { append: true, create: true })).close();
}

/** What tells a file from others, however its path is written; `undefined` for devices and pipes. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, isFile } = await Deno.stat(path);
    if (!isFile) return undefined;
    return ino === null ? resolve(path) : `${dev} ${ino}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return resolve(path);
    throw error;
  }
}

/** Writes the files that were asked for. */
export async function writeResult(
  result: LoadResult,
  { hdr, report, save }: ResultFiles,
  { log }: Context,
): Promise<void> {
  if (hdr !== undefined) await Deno.writeTextFile(hdr, result.latency.percentileText());
  if (save !== undefined) await Deno.writeTextFile(save, `${JSON.stringify(saveRun(result))}\n`);
  if (report !== undefined) {
    await Deno.writeTextFile(report, renderReport(result));
    log.info(`the report is in ${report}`);
  }
}
