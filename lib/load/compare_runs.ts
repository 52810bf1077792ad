import type { LatencyFigures } from "./latencies.ts";
import type { LoadInterval, LoadSummary } from "./load_result.ts";

/** What a comparison needs of a run. */
export interface ComparableRun {
  /** What it came to. */
  readonly summary: LoadSummary;
  /** What happened second by second: how much the figures vary by themselves. */
  readonly intervals: readonly LoadInterval[];
}

/** One figure of two runs. */
export interface Comparison {
  /** The figure: `messages_per_s`, `p99`… */
  readonly name: string;
  /** Of the run that is compared with; a rate per second, or a time in µs. */
  readonly before: number;
  /** Of this run. */
  readonly after: number;
  /** `after / before`; `undefined` where that is nothing. */
  readonly ratio: number | undefined;
  /**
   * How far the ratio may be from 1 by chance, with 95 % confidence, as far as the variation from
   * second to second tells; `undefined` where a run has fewer than three seconds.
   */
  readonly noise: number | undefined;
  /** Whether the difference is worth talking about. */
  readonly verdict: "within noise" | "better" | "worse" | "too short to tell";
}

const TIMES = ["min", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max"] as const;

/**
 * Figures that a single message decides: their spread from second to second is their uncertainty,
 * however long the run is.
 */
const EXTREMES: ReadonlySet<string> = new Set(["min", "p99.99", "max"]);

const LEAST_INTERVALS = 3;

/** Standard errors that 95 % of chance stays within. */
const CONFIDENCE = 1.96;

/** Compares two runs, figure by figure. */
export function compareRuns(before: ComparableRun, after: ComparableRun): Comparison[] {
  const rate = (name: "messages_per_s" | "bytes_per_s") =>
    compare(name, before, after, (each) => each[name], true);
  const time = (name: keyof LatencyFigures) =>
    compare(name, before, after, (each) => each.latency_us[name], false);
  return [rate("messages_per_s"), rate("bytes_per_s"), ...TIMES.map(time)];
}

function compare(
  name: string,
  before: ComparableRun,
  after: ComparableRun,
  valueOf: (each: LoadSummary | LoadInterval) => number,
  moreIsBetter: boolean,
): Comparison {
  const [was, is] = [valueOf(before.summary), valueOf(after.summary)];
  const ratio = was > 0 ? is / was : undefined;
  const spreads = [before, after].map(({ intervals }) =>
    relativeError(intervals.map(valueOf), EXTREMES.has(name))
  );
  const noise = spreads.includes(undefined)
    ? undefined
    : CONFIDENCE * Math.hypot(...spreads as number[]);
  const verdict = noise === undefined || ratio === undefined
    ? "too short to tell"
    : Math.abs(ratio - 1) <= noise
    ? "within noise"
    : (ratio > 1) === moreIsBetter
    ? "better"
    : "worse";
  return { name, before: was, after: is, ratio, noise, verdict };
}

/** The standard error of the mean, or of a single value, as a share of the mean. */
function relativeError(values: readonly number[], ofOne: boolean): number | undefined {
  const { length } = values;
  if (length < LEAST_INTERVALS) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / length;
  if (mean === 0) return undefined;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (length - 1);
  return Math.sqrt(variance / (ofOne ? 1 : length)) / mean;
}
