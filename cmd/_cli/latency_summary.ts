import { formatCount, formatRate } from "./units.ts";

/** The range that is recorded, in microseconds, and how many digits of it are exact. */
const LOWEST_US = 1;
const HIGHEST_US = 3_600_000_000;
const DIGITS = 3;

const PERCENTILES = [["p50", 50], ["p90", 90], ["p99", 99], ["p99.9", 99.9]] as const;

/** The part of the histogram that is used here. */
interface Histogram {
  recordValue(value: number): void;
  getValueAtPercentile(percentile: number): number;
  readonly mean: number;
  readonly maxValue: number;
  readonly minNonZeroValue: number;
}

/** Latencies, and what they come to: an HdrHistogram from 1 µs to 1 h with 3 digits. */
export class LatencySummary {
  readonly #histogram: Histogram;

  private constructor(histogram: Histogram) {
    this.#histogram = histogram;
  }

  /** Makes an empty one. The library behind it is loaded here, since few runs need it. */
  static async create(): Promise<LatencySummary> {
    const { build } = await import("hdr-histogram-js");
    return new LatencySummary(build({
      lowestDiscernibleValue: LOWEST_US,
      highestTrackableValue: HIGHEST_US,
      numberOfSignificantValueDigits: DIGITS,
    }));
  }

  /** Adds a latency in milliseconds. */
  record(ms: number): void {
    const us = Math.round(ms * 1_000);
    this.#histogram.recordValue(Math.min(HIGHEST_US, Math.max(LOWEST_US, us)));
  }

  /** The figures, as a line for people and as an object for programs. */
  summary(count: number, durationMs: number): { readonly text: string; readonly json: object } {
    const { minNonZeroValue: min, mean, maxValue: max } = this.#histogram;
    const latency: Record<string, number> = { min, mean: Math.round(mean) };
    for (const [name, percentile] of PERCENTILES) {
      // The histogram gives the upper end of a value's range, which may lie above the highest.
      latency[name] = Math.min(max, this.#histogram.getValueAtPercentile(percentile));
    }
    latency["max"] = max;
    const perSecond = count / durationMs * 1_000;
    const shown = Object.entries(latency).map(([name, us]) => `${name} ${formatMicros(us)}`);
    return {
      text: `${formatCount(count, "answer")} in ${(durationMs / 1_000).toFixed(2)} s, ` +
        `${formatRate(perSecond, "answer")}; latency: ${shown.join(", ")}`,
      json: {
        answers: count,
        duration_s: durationMs / 1_000,
        answers_per_s: perSecond,
        latency_us: latency,
      },
    };
  }
}

function formatMicros(us: number): string {
  if (us < 1_000) return `${us} µs`;
  return us < 1_000_000
    ? `${(us / 1_000).toPrecision(3)} ms`
    : `${(us / 1_000_000).toPrecision(3)} s`;
}
