import {
  formatBytes,
  formatDuration,
  formatRate,
  parseBytes,
  parseCount,
  parseDuration,
  parseRate,
} from "../base/units.ts";
import type { Latencies } from "../base/latencies.ts";
import { ERROR_KINDS } from "./load_error.ts";
import type { LoadResult } from "./load_result.ts";

/** What figures are read from. */
export type Measured = Pick<LoadResult, "summary" | "latency" | "service" | "wait">;

/** A figure of a run, as users name it. */
export interface Figure {
  /** How its values are read and written. */
  readonly unit: FigureUnit;
  /** Whether it counts messages, so that it can be compared with a share of those that were due. */
  readonly ofMessages: boolean;
  /** Its value; `undefined` if a run of this kind has no such figure, `null` if nothing was measured. */
  read(run: Measured): number | null | undefined;
}

/** How the figures of a kind are read and written. */
export interface FigureUnit {
  /** The value in the summary's unit; `undefined` if the text is not one. */
  parse(text: string): number | undefined;
  /** A value of the summary for people. */
  format(value: number): string;
  /** How such values are written. */
  readonly hint: string;
}

const MICROSECONDS: FigureUnit = {
  // `0` needs no unit.
  parse(text) {
    const ms = parseDuration(text);
    return ms === undefined ? undefined : ms * 1_000;
  },
  format: (us) => formatDuration(us / 1_000),
  hint: "a time with its unit, such as 5ms",
};

const SECONDS: FigureUnit = {
  parse(text) {
    const ms = parseDuration(text);
    return ms === undefined ? undefined : ms / 1_000;
  },
  format: (seconds) => formatDuration(seconds * 1_000),
  hint: "a time with its unit, such as 30s",
};

const COUNT: FigureUnit = { parse: parseCount, format: String, hint: "a count, such as 10k" };

const RATE: FigureUnit = {
  parse: parseRate,
  format: (value) => formatRate(value, "message"),
  hint: "a rate, such as 10k",
};

const BYTES: FigureUnit = { parse: parseBytes, format: formatBytes, hint: "a size, such as 1MiB" };

const BYTE_RATE: FigureUnit = {
  parse: (text) => parseBytes(text.replace(/\/s$/, "")),
  format: (value) => `${formatBytes(Math.round(value))}/s`,
  hint: "a size, such as 10MiB/s",
};

/** The distributions, by what stands before the names of their figures. */
const DISTRIBUTIONS = {
  "": { figures: "latency_us", all: "latency" },
  "service.": { figures: "service_us", all: "service" },
  "send_lateness.": { figures: "send_lateness_us", all: "wait" },
} as const;

type Prefix = keyof typeof DISTRIBUTIONS;

/** Counts of the summary. */
const MESSAGES = ["due", "sent", "answered", "unanswered", "messages", "errors"] as const;

/** All figures by name, but for percentiles: those have any number. */
const FIGURES: ReadonlyMap<string, Figure> = new Map<string, Figure>([
  ...MESSAGES.map((name): [string, Figure] => [name, messages((summary) => summary[name])]),
  ["not_sent", messages(({ due, sent }) => due - sent)],
  ["connections", count((summary) => summary.connections)],
  ["connections_failed", count((summary) => summary.connections_failed)],
  ["clamped", count((summary) => summary.clamped)],
  ["bytes", of(BYTES, (summary) => summary.bytes)],
  ["duration_s", of(SECONDS, (summary) => summary.duration_s)],
  ["messages_per_s", of(RATE, (summary) => summary.messages_per_s)],
  ["bytes_per_s", of(BYTE_RATE, (summary) => summary.bytes_per_s)],
  ...(Object.keys(DISTRIBUTIONS) as Prefix[]).flatMap((prefix) =>
    (["min", "mean", "max"] as const).map((name): [string, Figure] => [
      prefix + name,
      of(MICROSECONDS, (summary) => summary[DISTRIBUTIONS[prefix].figures]?.[name]),
    ])
  ),
  ...ERROR_KINDS.map((kind): [string, Figure] => [
    `errors.${kind}`,
    messages((summary) => summary.errors_by_kind[kind] ?? 0),
  ]),
]);

/** The names of all figures; `p99` stands for any percentile. */
export const FIGURE_NAMES: readonly string[] = [
  ...FIGURES.keys(),
  ...Object.keys(DISTRIBUTIONS).map((prefix) => `${prefix}p99`),
];

/** The figure of a name, such as `p99.95` or `errors.reset`; `undefined` if there is none. */
export function figureOf(name: string): Figure | undefined {
  const figure = FIGURES.get(name);
  if (figure) return figure;
  const [, prefix = "", digits] = /^([a-z_]+\.)?p(\d+(?:\.\d+)?)$/.exec(name) ?? [];
  const percent = Number(digits);
  if (!Object.hasOwn(DISTRIBUTIONS, prefix) || !(percent > 0 && percent <= 100)) return undefined;
  const { figures, all } = DISTRIBUTIONS[prefix as Prefix];
  return {
    unit: MICROSECONDS,
    ofMessages: false,
    read(run) {
      const told = run.summary[figures]?.[`p${percent}`];
      return told === undefined ? percentileOf(run[all], percent) : told;
    },
  };
}

function percentileOf(latencies: Latencies | undefined, percent: number) {
  if (latencies === undefined) return undefined;
  return latencies.count > 0 ? latencies.percentile(percent) : null;
}

type Read = (summary: Measured["summary"]) => number | null | undefined;

function of(unit: FigureUnit, read: Read): Figure {
  return { unit, ofMessages: false, read: ({ summary }) => read(summary) };
}

function count(read: Read): Figure {
  return of(COUNT, read);
}

function messages(read: Read): Figure {
  return { ...count(read), ofMessages: true };
}
