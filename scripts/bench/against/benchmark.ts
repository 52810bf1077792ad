/** What can be measured on two versions: benchmarks, each with its rows. */
import type { Version } from "./version.ts";

/** What a row's figure is given in. Of times, less is better; of everything else, more. */
export type Unit = "frames/s" | "messages/s" | "requests/s" | "GB/s" | "ms";

/** One figure of a benchmark. */
export interface Row {
  readonly name: string;
  readonly unit: Unit;
}

/** Rows that are measured on the same server, client or library. */
export interface Benchmark {
  readonly name: string;
  readonly rows: readonly Row[];
  /** Commands that have to be installed. */
  readonly needs?: readonly string[];
  /** Starts a version anew, for one pair of measurements of each row. */
  start(version: Version): Promise<Subject>;
}

/** A version that runs. */
export interface Subject extends AsyncDisposable {
  /** Measures a row for a tenth of a second or two. The first time it warms up before. */
  measure(row: string): Promise<Measurement>;
}

/** A figure in its row's unit. */
export interface Measurement {
  readonly value: number;
  /** Whether it was measured by the version's own program rather than by the one of this checkout. */
  readonly byOwnProgram?: boolean;
}

/** Whether a smaller figure is the better one. */
export function lessIsBetter(unit: Unit): boolean {
  return unit === "ms";
}

/** What users call a row: `echo/50 × 64 B, 1 at once`. */
export function fullName(benchmark: Benchmark, row: Row): string {
  return `${benchmark.name}/${row.name}`;
}
