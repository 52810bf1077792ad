import type {
  Comparison,
  LatencyFigures,
  LoadErrorKind,
  LoadInterval,
  LoadResult,
  LoadSettings,
  LoadSummary,
} from "../../lib/load/mod.ts";
import { formatBytes, formatCount, formatDuration, formatRate } from "../_cli/mod.ts";
import { FIGURES, formatVolume } from "./figures.ts";
import { tableLines } from "./table.ts";

/** Above this lateness the generator distorts what it measures. */
const LATE_US = 1_000;

/** `closed loop: 50 connections to 127.0.0.1:5634, 64 B messages, 10 s`. */
export function settingsLine(settings: LoadSettings): string {
  const { connections, target, message_bytes: sizes, count, duration_s, warmup_s } = settings;
  const { pipeline, rate_per_s, workers } = settings;
  const parts = [
    `${formatCount(connections, "connection")} to ${target}${settings.tls ? " (TLS)" : ""}`,
    sizes.length === 1
      ? `messages of ${formatBytes(sizes[0]!)}`
      : `messages of ${sizes.map(formatBytes).join(" and ")} in turn`,
    ...(pipeline > 1 ? [`${pipeline} at once`] : []),
    ...(rate_per_s === undefined ? [] : [formatRate(rate_per_s, "message")]),
    ...(count === undefined ? [] : [`${count} on each`]),
    ...(duration_s === undefined ? [] : [formatDuration(duration_s * 1_000)]),
    ...(warmup_s > 0 ? [`after ${formatDuration(warmup_s * 1_000)} of warm-up`] : []),
    ...(workers > 1 ? [`${workers} threads`] : []),
  ];
  return `${rate_per_s === undefined ? "closed" : "open"} loop: ${parts.join(", ")}`;
}

/** The settings in which two runs differ: `workers was 2, is 1`. */
export function differences(before: LoadSettings, after: LoadSettings): string[] {
  const text = (value: unknown) => value === undefined ? "not given" : JSON.stringify(value);
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) => {
    const [was, is] = [before, after].map((settings) => text(settings[name as keyof LoadSettings]));
    return was === is ? [] : [`${name} was ${was}, is ${is}`];
  });
}

/** The live line of a running load. */
export function liveText(interval: LoadInterval): string {
  const { elapsed_s, messages_per_s, latency_us, errors, connections } = interval;
  return `${elapsed_s.toFixed(0)} s  ${formatRate(messages_per_s, "message")}  ` +
    `p50 ${time(latency_us.p50)}  p99 ${time(latency_us.p99)}  ` +
    `${formatCount(errors, "error")}  ${formatCount(connections, "connection")}`;
}

/** The summary for people. */
export function summaryLines({ summary }: LoadResult): string[] {
  const { latency_us, service_us, send_lateness_us, messages, messages_per_s } = summary;
  const lines = [
    `${formatVolume(summary)} in ${formatDuration(summary.duration_s * 1_000)}: ` +
    `${formatRate(messages_per_s, "message")}, ${
      formatBytes(Math.round(summary.bytes_per_s))
    }/s, ` +
    (summary.errors === 0 ? "no errors" : formatCount(summary.errors, "error")),
  ];
  if (messages > 0) {
    lines.push(
      "",
      ...tableLines([
        ["", ...Object.keys(latency_us)],
        ["latency", ...times(latency_us)],
        ...(service_us ? [["service time", ...times(service_us)]] : []),
        ...(send_lateness_us ? [["sent late by", ...times(send_lateness_us)]] : []),
      ]),
      "",
      MEANING[summary.mode],
    );
  }
  return lines;
}

const MEANING = {
  "closed loop": "latency: from sending to the last byte back. In a closed loop a slow answer " +
    "holds back the next message; --rate measures what users would feel.",
  "open loop": "latency: from when a message was due to its last byte back. " +
    "service time: from when it was sent.",
} as const;

/** Reasons to doubt the figures. */
export function caveats({ summary }: LoadResult): string[] {
  const late = summary.send_lateness_us;
  const found: string[] = [];
  if (late && late.p99 > LATE_US) {
    found.push(
      `the generator was late itself: 1 % of the messages were sent ${time(late.p99)} or more ` +
        "after they were due. The latencies count that (a less busy machine, more --workers or a lower --rate help)",
    );
  }
  if (summary.clamped > 0) {
    found.push(`${formatCount(summary.clamped, "latency", "latencies")} above 1 h count as 1 h`);
  }
  return found;
}

/** What went wrong, by kind; `undefined` if nothing did. */
export function errorLine(summary: LoadSummary): string | undefined {
  if (summary.errors === 0) return undefined;
  const kinds = Object.entries(summary.errors_by_kind) as [LoadErrorKind, number][];
  return kinds.map(([kind, count]) => ERRORS[kind](count)).join(", ");
}

const ERRORS: Readonly<Record<LoadErrorKind, (count: number) => string>> = {
  connect: (count) => `${formatCount(count, "connection")} could not be made`,
  reset: (count) => `${formatCount(count, "connection")} broke`,
  closed: (count) => `the server closed ${formatCount(count, "connection")} early`,
  wrong: (count) => `${formatCount(count, "connection")} got back other bytes than were sent`,
  "no-answer": (count) => `${formatCount(count, "connection")} got no answer in time`,
  unanswered: (count) => `${formatCount(count, "message")} stayed without an answer`,
};

/** A run compared with an earlier one. */
export function comparisonLines(comparisons: readonly Comparison[], startedAt: string): string[] {
  const rows = comparisons.map(({ name, before, after, ratio, noise, verdict }) => {
    const { format } = FIGURES.get(name)!.unit;
    return [
      name,
      format(before),
      format(after),
      ratio === undefined ? "" : `× ${ratio.toFixed(3)}`,
      noise === undefined ? "" : `± ${(noise * 100).toFixed(1)} %`,
      verdict,
    ];
  });
  const date = startedAt.slice(0, 19).replace("T", " ");
  return [
    "",
    `compared with the run of ${date} UTC:`,
    ...tableLines([["", "then", "now", "ratio", "noise", ""], ...rows]),
  ];
}

function times(figures: LatencyFigures): string[] {
  return Object.values(figures).map(time);
}

function time(us: number): string {
  return formatDuration(us / 1_000);
}
