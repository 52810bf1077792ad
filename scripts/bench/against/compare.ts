/** Measures two versions in turn, and says how they compare. */
import { median } from "../support.ts";
import {
  type Benchmark,
  fullName,
  lessIsBetter,
  type Measurement,
  type Row,
  type Subject,
  type Unit,
} from "./benchmark.ts";
import { estimateRatio, type Ratio } from "./ratio.ts";
import type { Version } from "./version.ts";

/** A benchmark, and those of its rows that are wanted. */
export interface Selection {
  readonly benchmark: Benchmark;
  readonly rows: readonly Row[];
}

/** How versions are compared. */
export interface CompareOptions {
  readonly now: Version;
  readonly ref: Version;
  readonly pairs: number;
  /** No pair begins later than this after the start. */
  readonly timeLimitMs: number;
  /** Ends it after the measurement that is under way; the pairs that were measured count. */
  readonly signal: AbortSignal;
  /** Is told what is being done, as a beginning of a line. */
  readonly onProgress: (text: string) => void;
  /** Is told, after one trial of everything, how long the rest will take. */
  readonly onEstimate: (restMs: number) => void;
}

/** What came out of a row. */
export interface RowResult {
  /** `echo/50 × 64 B, 1 at once`. */
  readonly name: string;
  readonly unit: Unit;
  /** The medians of all figures, in the unit. */
  readonly now: number;
  readonly ref: number;
  /** How many times as good the one is as the other: above 1, it is better now. */
  readonly ratio: Ratio;
  /** The ratio of each pair. */
  readonly ratios: readonly number[];
  /** Whether the versions were measured by programs of their own. */
  readonly byOwnPrograms: boolean;
}

/** A row that was not compared. */
export interface RowFailure {
  readonly name: string;
  readonly reason: string;
  /**
   * Whether it makes the comparison fail: it does not if only the other version cannot be measured.
   */
  readonly fails: boolean;
}

/**
 * The order of a pair's measurements: `true` for the version that comes first. So a disturbance of
 * some tenths of a second, or one that grows and wanes, meets both versions alike.
 */
const ORDER = [true, false, false, true, true, false];

type Figure = Required<Measurement>;

/** A row while it is measured. */
interface Course {
  readonly row: Row;
  readonly name: string;
  readonly pairs: (readonly [now: Figure, ref: Figure])[];
  failure?: RowFailure;
}

/** Compares two versions row by row. */
export async function compare(
  selections: readonly Selection[],
  options: CompareOptions,
): Promise<readonly (RowResult | RowFailure)[]> {
  const { pairs, timeLimitMs, signal, onProgress, onEstimate } = options;
  const startedAt = performance.now();
  const courses = selections.map(({ benchmark, rows }) => ({
    benchmark,
    rows: rows.map((row): Course => ({ row, name: fullName(benchmark, row), pairs: [] })),
  }));
  // A trial, which does not count: it fills caches, and shows what cannot be measured.
  for (const { benchmark, rows } of courses) {
    onProgress(`trial: ${benchmark.name}`);
    await measurePair(benchmark, rows, 0, options);
    for (const course of rows) course.pairs.length = 0;
    if (signal.aborted) break;
  }
  const open = courses.filter(({ rows }) => rows.some(({ failure }) => failure === undefined));
  if (open.length > 0) {
    const trialMs = performance.now() - startedAt;
    onEstimate(Math.min(trialMs * pairs, Math.max(0, timeLimitMs - trialMs)));
  }
  for (let pair = 0; pair < pairs && open.length > 0; pair++) {
    if (performance.now() - startedAt > timeLimitMs) break;
    for (const { benchmark, rows } of open) {
      if (signal.aborted) break;
      onProgress(`pair ${pair + 1} of ${pairs}: ${benchmark.name}`);
      await measurePair(benchmark, rows, pair, options);
    }
  }
  return courses.flatMap(({ rows }) => rows.map(resultOf));
}

/** Starts both versions, and measures each row on both, the one right after the other. */
async function measurePair(
  benchmark: Benchmark,
  courses: readonly Course[],
  pair: number,
  { now, ref, signal }: CompareOptions,
): Promise<void> {
  const open = courses.filter(({ failure }) => failure === undefined);
  if (open.length === 0) return;
  const fail = (courses: readonly Course[], version: Version, error: unknown) => {
    const reason = `${version.label}: ${error instanceof Error ? error.message : error}`;
    for (const course of courses) {
      course.failure ??= { name: course.name, reason, fails: version === now };
    }
  };
  await using subjects = new AsyncDisposableStack();
  const started = new Map<Version, Subject>();
  for (const version of pair % 2 === 0 ? [now, ref] : [ref, now]) {
    try {
      started.set(version, subjects.use(await benchmark.start(version)));
    } catch (error) {
      return fail(open, version, error);
    }
  }
  for (const [i, course] of open.entries()) {
    if (signal.aborted) return;
    const [first, second] = (pair + i) % 2 === 0 ? [now, ref] : [ref, now];
    const measured = new Map<Version, Measurement[]>([[now, []], [ref, []]]);
    for (const version of ORDER.map((isFirst) => isFirst ? first : second)) {
      try {
        measured.get(version)!.push(await started.get(version)!.measure(course.row.name));
      } catch (error) {
        fail([course], version, error);
        break;
      }
    }
    if (course.failure) continue;
    const figures = [figureOf(measured.get(now)!), figureOf(measured.get(ref)!)] as const;
    // If the machine stood still, nothing was measured.
    if (figures.every(({ value }) => value > 0)) course.pairs.push(figures);
  }
}

/** One version's part of a pair. */
function figureOf(measurements: readonly Measurement[]): Figure {
  return {
    value: median(measurements.map(({ value }) => value)),
    byOwnProgram: measurements.some(({ byOwnProgram }) => byOwnProgram),
  };
}

function resultOf({ row, name, pairs, failure }: Course): RowResult | RowFailure {
  if (failure !== undefined) return failure;
  if (pairs.length === 0) return { name, reason: "no pair could be measured in time", fails: true };
  const ratios = pairs.map(([now, ref]) =>
    lessIsBetter(row.unit) ? ref.value / now.value : now.value / ref.value
  );
  return {
    name,
    unit: row.unit,
    now: median(pairs.map(([now]) => now.value)),
    ref: median(pairs.map(([, ref]) => ref.value)),
    ratio: estimateRatio(ratios),
    ratios,
    byOwnPrograms: pairs.some(([, ref]) => ref.byOwnProgram),
  };
}
