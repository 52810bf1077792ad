import type { LatencyFigures } from "../base/latencies.ts";
import type { LoadInterval, LoadSummary } from "./load_result.ts";

/** What a comparison needs of a run. */
export interface ComparableRun {
  /** The figures of the whole run. */
  readonly summary: LoadSummary;
  /** The figures of each second. Their spread shows how much they vary by chance. */
  readonly intervals: readonly LoadInterval[];
}

/** One figure of two runs. */
export interface Comparison {
  /** The figure: `messages_per_s`, `p99`… */
  readonly name: string;
  /** Its value in the earlier run: per second, or in µs; `null` if it was not measured. */
  readonly before: number | null;
  /** Its value in the later run. */
  readonly after: number | null;
  /** `after / before`; `undefined` if one was not measured, or `before` is 0. */
  readonly ratio: number | undefined;
  /**
   * How far chance alone moves the ratio away from 1, with 95 % confidence. It is estimated from
   * the spread between seconds; `undefined` if a run has fewer than three.
   */
  readonly noise: number | undefined;
  /** What the ratio means, given the noise. */
  readonly verdict: "within noise" | "better" | "worse" | "too short to tell";
}

/**
 * Figures that a single message decides. A longer run does not make them more certain, so their
 * noise is the spread of single seconds and not the error of the mean.
 */
const EXTREMES: ReadonlySet<string> = new Set(["min", "p99.99", "max"]);

/** A figure of a run or of one of its seconds. */
type ValueOf = (each: LoadSummary | LoadInterval) => number | null;

/** Fewer seconds say nothing about the spread. */
const MIN_INTERVALS = 3;

/** 95 % of a normal distribution lies within this many standard errors. */
const CONFIDENCE = 1.96;

/**
 * Compares two runs, figure by figure: the percentiles are those that both have.
 *
 * @example
 * ```ts
 * import { serveEcho } from "@socktool/socktool/echo";
 * import { compareRuns, parseRun, runLoad, saveRun } from "@socktool/socktool/load";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serveEcho("127.0.0.1:0");
 * const run = () => runLoad({ address: server.address, count: 10 });
 * const saved = JSON.stringify(saveRun(await run()));
 * const [rate] = compareRuns(parseRun(saved), await run());
 * assertEquals([rate?.name, rate?.verdict], ["messages_per_s", "too short to tell"]);
 * ```
 */
export function compareRuns(before: ComparableRun, after: ComparableRun): Comparison[] {
  const rate = (name: "messages_per_s" | "bytes_per_s") =>
    compare(name, before, after, (each) => each[name], true);
  const time = (name: keyof LatencyFigures) =>
    compare(String(name), before, after, (each) => each.latency_us[name] ?? null, false);
  const times = Object.keys(after.summary.latency_us) as (keyof LatencyFigures)[];
  const both = times.filter((name) => before.summary.latency_us[name] !== undefined);
  return [rate("messages_per_s"), rate("bytes_per_s"), ...both.map(time)];
}

function compare(
  name: string,
  before: ComparableRun,
  after: ComparableRun,
  valueOf: ValueOf,
  moreIsBetter: boolean,
): Comparison {
  const [was, is] = [valueOf(before.summary), valueOf(after.summary)];
  const ratio = was !== null && is !== null && was > 0 ? is / was : undefined;
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
function relativeError(
  all: readonly (number | null)[],
  ofOne: boolean,
): number | undefined {
  const values = all.filter((value) => value !== null);
  const { length } = values;
  if (length < MIN_INTERVALS) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / length;
  if (mean === 0) return undefined;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (length - 1);
  return Math.sqrt(variance / (ofOne ? 1 : length)) / mean;
}
