import type { LatencyFigures, LoadSummary } from "../../lib/load/mod.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  parseBytes,
  parseCount,
  parseDuration,
  parseRate,
} from "../_cli/mod.ts";

/** A figure of the summary, as users name it. */
export interface Figure {
  readonly unit: FigureUnit;
  /** Whether it exists only if a message came back. */
  readonly ofMessages?: boolean;
  /** Its value; `undefined` if the run has no such figure. */
  read(summary: LoadSummary): number | undefined;
}

/** How the figures of a kind are read and written. */
export interface FigureUnit {
  /** The value in the summary's unit; `undefined` if the text is not one. */
  parse(text: string): number | undefined;
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

const TIMES = ["min", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max"] as const;
const ERROR_KINDS = ["connect", "reset", "closed", "wrong", "no-answer", "unanswered"] as const;

/** All figures by name: `p99`, `service.p99`, `messages_per_s`, `errors.reset`… */
export const FIGURES: ReadonlyMap<string, Figure> = new Map<string, Figure>([
  ["connections", { unit: COUNT, read: (summary) => summary.connections }],
  ["connections_failed", { unit: COUNT, read: (summary) => summary.connections_failed }],
  ["messages", { unit: COUNT, read: (summary) => summary.messages }],
  ["bytes", { unit: BYTES, read: (summary) => summary.bytes }],
  ["errors", { unit: COUNT, read: (summary) => summary.errors }],
  ["duration_s", { unit: SECONDS, read: (summary) => summary.duration_s }],
  ["messages_per_s", { unit: RATE, read: (summary) => summary.messages_per_s }],
  ["bytes_per_s", { unit: BYTE_RATE, read: (summary) => summary.bytes_per_s }],
  ["clamped", { unit: COUNT, read: (summary) => summary.clamped }],
  ...times("", (summary) => summary.latency_us),
  ...times("service.", (summary) => summary.service_us),
  ...times("send_lateness.", (summary) => summary.send_lateness_us),
  ...ERROR_KINDS.map((kind): [string, Figure] => [
    `errors.${kind}`,
    { unit: COUNT, read: (summary) => summary.errors_by_kind[kind] ?? 0 },
  ]),
]);

function times(
  prefix: string,
  figuresOf: (summary: LoadSummary) => LatencyFigures | undefined,
): [string, Figure][] {
  return TIMES.map((name) => [
    prefix + name,
    { unit: MICROSECONDS, ofMessages: true, read: (summary) => figuresOf(summary)?.[name] },
  ]);
}

/** `12.3k messages, 4.5 MiB`. */
export function formatVolume({ messages, bytes }: LoadSummary): string {
  return `${formatCount(messages, "message")}, ${formatBytes(bytes)}`;
}
