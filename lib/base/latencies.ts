import type { Histogram } from "hdr-histogram-js";

/** The library behind {@linkcode Latencies}. */
export type HistogramLibrary = typeof import("hdr-histogram-js");

/** Loads the library, so that only programs that measure load it. */
export function loadHistogramLibrary(): Promise<HistogramLibrary> {
  return import("hdr-histogram-js");
}

/** What is recorded: 1 µs to 1 h, to three significant digits. */
const LOWEST_US = 1;
const HIGHEST_US = 3_600_000_000;
const DIGITS = 3;

/** Counts are 64-bit floats: exact up to 2^53, which no run reaches. */
const COUNT_BITS = 64;

/** The percentiles that figures have, unless others are asked for. */
export const DEFAULT_PERCENTILES: readonly number[] = [50, 90, 99, 99.9, 99.99];

/** The figures of a distribution, in microseconds. All are `null` if nothing was recorded. */
export interface LatencyFigures {
  /** The smallest. */
  readonly min: number | null;
  /** The arithmetic mean. */
  readonly mean: number | null;
  /** The median: 50 % are at most this. */
  readonly p50: number | null;
  /** 90 % are at most this. */
  readonly p90: number | null;
  /** 99 % are at most this. */
  readonly p99: number | null;
  /** 99.9 % are at most this. */
  readonly "p99.9": number | null;
  /** 99.99 % are at most this. */
  readonly "p99.99": number | null;
  /** Other percentiles that were asked for, such as `p95`. */
  readonly [percentile: `p${number}`]: number | null;
  /** The largest. */
  readonly max: number | null;
}

/** Latencies in the form that is sent between threads and saved in files. */
export interface EncodedLatencies {
  /** The histogram in HdrHistogram's compressed V2 encoding, base64. */
  readonly histogram: string;
  /** The smallest, exactly: the histogram has it to three digits only. */
  readonly min: number;
  /** The largest, exactly. */
  readonly max: number;
  /** All of them added up. */
  readonly sum: number;
  /** How many were above an hour; they count as an hour. */
  readonly clamped: number;
}

/**
 * A distribution of times in microseconds, in an HdrHistogram. Recording allocates nothing. A time
 * above an hour counts as an hour; `clamped` counts those.
 */
export class Latencies {
  /** How many were above an hour. */
  clamped = 0;
  readonly #library: HistogramLibrary;
  #histogram: Histogram;
  #sum = 0;
  #min = Infinity;
  #max = 0;

  /** Makes an empty distribution. */
  constructor(library: HistogramLibrary) {
    this.#library = library;
    this.#histogram = library.build({
      bitBucketSize: COUNT_BITS,
      lowestDiscernibleValue: LOWEST_US,
      highestTrackableValue: HIGHEST_US,
      numberOfSignificantValueDigits: DIGITS,
    });
  }

  /** The reverse of {@linkcode Latencies.encode}. */
  static decode(library: HistogramLibrary, encoded: EncodedLatencies): Latencies {
    const latencies = new Latencies(library);
    const decoded = library.decodeFromCompressedBase64(encoded.histogram, COUNT_BITS);
    latencies.#histogram.add(decoded as never);
    latencies.#sum = encoded.sum;
    latencies.#min = decoded.totalCount > 0 ? encoded.min : Infinity;
    latencies.#max = encoded.max;
    latencies.clamped = encoded.clamped;
    return latencies;
  }

  /** How many were recorded. */
  get count(): number {
    return this.#histogram.totalCount;
  }

  /** Records a time, in milliseconds, `count` times. */
  record(ms: number, count = 1): void {
    let us = Math.round(ms * 1_000);
    if (!(us >= LOWEST_US)) us = LOWEST_US;
    else if (us > HIGHEST_US) {
      us = HIGHEST_US;
      this.clamped += count;
    }
    if (count === 1) this.#histogram.recordValue(us);
    else this.#histogram.recordValueWithCount(us, count);
    this.#sum += us * count;
    if (us < this.#min) this.#min = us;
    if (us > this.#max) this.#max = us;
  }

  /** Adds everything that another distribution recorded. */
  add(other: Latencies): void {
    if (other.count === 0) return;
    this.#histogram.add(other.#histogram as never);
    this.#sum += other.#sum;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
    this.clamped += other.clamped;
  }

  /** Forgets everything. */
  clear(): void {
    this.#histogram.reset();
    this.#sum = this.#max = this.clamped = 0;
    this.#min = Infinity;
  }

  /** The time in microseconds that `percent` % of the values do not exceed. */
  percentile(percent: number): number {
    // A bucket's upper end may lie above everything that was recorded in it.
    return Math.min(this.#max, this.#histogram.getValueAtPercentile(percent));
  }

  /** All of them added up, in microseconds. */
  get sum(): number {
    return this.#sum;
  }

  /**
   * The figures for summaries.
   *
   * @param percentiles Further percentiles, besides those that figures always have.
   */
  figures(percentiles: readonly number[] = []): LatencyFigures {
    const { count } = this;
    const all = [...new Set([...DEFAULT_PERCENTILES, ...percentiles])].sort((a, b) => a - b);
    const value = (us: number) => count > 0 ? us : null;
    return {
      min: value(this.#min),
      mean: value(Math.round(this.#sum / count * 10) / 10),
      ...Object.fromEntries(all.map((each) => [`p${each}`, value(this.percentile(each))])),
      max: value(this.#max),
    } as LatencyFigures;
  }

  /** The percentile distribution in milliseconds, as HdrHistogram's plotters read it. */
  percentileText(): string {
    return this.#histogram.outputPercentileDistribution(5, 1_000);
  }

  /** The form to send to another thread or to save. */
  encode(): EncodedLatencies {
    return {
      histogram: this.#library.encodeIntoCompressedBase64(this.#histogram as never),
      min: this.count > 0 ? this.#min : 0,
      max: this.#max,
      sum: this.#sum,
      clamped: this.clamped,
    };
  }
}
