import type { EncodedLatencies } from "./latencies.ts";
import type { LoadInterval, LoadResult, LoadSettings, LoadSummary } from "./load_result.ts";

/** Tells the file from others, and from what later versions write. */
const FORMAT: SavedRun["format"] = "socktool-load/1";

/** A run as a file keeps it: all that a comparison or a report needs. */
export interface SavedRun {
  /** Always the same. */
  readonly format: "socktool-load/1";
  /** When the run began, in ISO 8601. */
  readonly started_at: string;
  /** What was asked for. */
  readonly settings: LoadSettings;
  /** What it came to. */
  readonly summary: LoadSummary;
  /** What happened second by second. */
  readonly intervals: readonly LoadInterval[];
  /** The latencies. */
  readonly latency: EncodedLatencies;
}

/** A text that is no saved run. `code` is always `"bad-run"`. */
export class SavedRunError extends Error {
  /** The name of the class. */
  override readonly name = "SavedRunError";
  /** The same for all of them. */
  readonly code = "bad-run";
}

/** What a file is to hold, for `JSON.stringify`. */
export function saveRun(result: LoadResult): SavedRun {
  return {
    format: FORMAT,
    started_at: result.startedAt.toISOString(),
    settings: result.settings,
    summary: result.summary,
    intervals: result.intervals,
    latency: result.latency.encode(),
  };
}

/**
 * Reads what {@linkcode saveRun} gave, as JSON.
 *
 * @throws {SavedRunError} if the text is something else.
 */
export function parseRun(text: string): SavedRun {
  let run: Partial<SavedRun> | null;
  try {
    run = JSON.parse(text);
  } catch (cause) {
    throw new SavedRunError("It is not JSON", { cause });
  }
  if (typeof run !== "object" || run === null || typeof run.format !== "string") {
    throw new SavedRunError("It is not a saved run");
  }
  if (run.format !== FORMAT) {
    throw new SavedRunError(`Its format is ${JSON.stringify(run.format)}, not ${FORMAT}`);
  }
  const { settings, summary, intervals, latency } = run;
  const complete = typeof settings?.target === "string" && Array.isArray(intervals) &&
    typeof summary?.latency_us?.p99 === "number" && typeof latency?.histogram === "string";
  if (!complete) throw new SavedRunError("It is a saved run of which something is missing");
  return run as SavedRun;
}
