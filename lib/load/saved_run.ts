import type { EncodedLatencies } from "../base/latencies.ts";
import type { LoadInterval, LoadResult, LoadSettings, LoadSummary } from "./load_result.ts";

/** Marks files as saved runs, and names the version of their format. */
const FORMAT: SavedRun["format"] = "socktool-load/1";

/** A run as it is saved in a file: everything that a comparison or a report needs. */
export interface SavedRun {
  /** Always `socktool-load/1`. */
  readonly format: "socktool-load/1";
  /** When the run began, in ISO 8601. */
  readonly started_at: string;
  /** The plan. */
  readonly settings: LoadSettings;
  /** The figures of the whole run. */
  readonly summary: LoadSummary;
  /** The figures of each second. */
  readonly intervals: readonly LoadInterval[];
  /** All latencies. */
  readonly latency: EncodedLatencies;
}

/** A text is not a saved run. */
export class SavedRunError extends Error {
  /** Always `SavedRunError`. */
  override readonly name = "SavedRunError";
  /** Always `bad-run`. */
  readonly code = "bad-run";
}

/** A run in the form to write to a file with `JSON.stringify`. */
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
 * Reads the JSON text of a saved run.
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
  const p99 = summary?.latency_us?.p99;
  // Where no message was sent, no latency was measured.
  const complete = typeof settings?.target === "string" && Array.isArray(intervals) &&
    (typeof p99 === "number" || p99 === null) && typeof latency?.histogram === "string";
  if (!complete) throw new SavedRunError("It is a saved run of which something is missing");
  return run as SavedRun;
}
