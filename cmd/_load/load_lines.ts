import { figureOf } from "../../lib/load/mod.ts";
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
import { tableLines } from "../_cli/table.ts";

/** From this share of the latencies on, the generator distorts what it measures. */
const LATE_SHARE = 0.2;

/** `closed loop: 50 connections to 127.0.0.1:5634, 64 B messages, 10 s`. */
export function settingsLine(settings: LoadSettings): string {
  const { connections, target, message_bytes: sizes, count, duration_s, warmup_s } = settings;
  const { pipeline, rate_per_s, workers, answer } = settings;
  const parts = [
    `${formatCount(connections, "connection")} to ${target}${settings.tls ? " (TLS)" : ""}`,
    ...(sizes.length === 0 ? [] : [
      sizes.length === 1
        ? `messages of ${formatBytes(sizes[0]!)}`
        : `messages of ${sizes.map(formatBytes).join(" and ")} in turn`,
    ]),
    ...(answer === "echo" || answer === "exchange" ? [] : [`answers ${answer}`]),
    ...(pipeline > 1 ? [`${pipeline} at once`] : []),
    ...(rate_per_s === undefined ? [] : [formatRate(rate_per_s, "message")]),
    ...(count === undefined ? [] : [`${count} on each`]),
    ...(duration_s === undefined ? [] : [formatDuration(duration_s * 1_000)]),
    ...(warmup_s > 0 ? [`after ${formatDuration(warmup_s * 1_000)} of warm-up`] : []),
    ...(settings.reconnect ? ["reconnecting"] : []),
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

/**
 * The summary for people.
 *
 * @param percentiles Those that were asked for, instead of the usual ones.
 */
export function summaryLines(
  { summary }: LoadResult,
  percentiles: readonly number[] | undefined,
): string[] {
  const { latency_us, service_us, send_lateness_us, messages_per_s, kinds = {} } = summary;
  const lines = [
    `${formatCount(summary.answered, "message")}, ${formatBytes(summary.bytes)} in ${
      formatDuration(summary.duration_s * 1_000)
    }: ${formatRate(messages_per_s, "message")}, ${
      formatBytes(Math.round(summary.bytes_per_s))
    }/s, ` +
    (summary.errors === 0 ? "no errors" : formatCount(summary.errors, "error")),
    accountLine(summary),
  ];
  if (latency_us.max !== null) {
    const names = percentiles === undefined
      ? Object.keys(latency_us).filter((name) => !name.startsWith("p") || USUAL.has(name))
      : ["min", "mean", ...new Set(percentiles.map((each) => `p${each}`)), "max"];
    const row = (label: string, figures: LatencyFigures) => [
      label,
      ...names.map((name) => time(figures[name as keyof LatencyFigures])),
    ];
    lines.push(
      "",
      ...tableLines([
        ["", ...names],
        row("latency", latency_us),
        ...Object.entries(kinds).map(([kind, { latency_us: figures }]) => row(kind, figures)),
        ...(service_us ? [row("service time", service_us)] : []),
        ...(send_lateness_us ? [row("wait to send", send_lateness_us)] : []),
      ]),
      "",
      MEANING[summary.mode] + (summary.answered < summary.due ? LOWER_BOUNDS : ""),
    );
  }
  for (const [name, count] of Object.entries(summary.counts ?? {})) lines.push(`${name}: ${count}`);
  return lines;
}

/** The percentiles that are shown where none were asked for. */
const USUAL: ReadonlySet<string> = new Set(["p50", "p90", "p99", "p99.9", "p99.99"]);

/** What became of the messages: `due 600, sent 420, answered 400, unanswered 20, not sent 180`. */
function accountLine({ due, sent, answered, unanswered, answers }: LoadSummary): string {
  const parts = [`due ${due}`, `sent ${sent}`, `answered ${answered}`, `unanswered ${unanswered}`];
  if (due > sent) parts.push(`not sent ${due - sent}`);
  if (answers) parts.push(`${answers.received} of ${answers.due} answers`);
  return parts.join(", ");
}

const MEANING = {
  "closed loop": "latency: from sending to the last byte back. In a closed loop a slow answer " +
    "holds back the next message; --rate measures what users would feel.",
  "open loop":
    "latency: from when a message was due to its last byte back. It is the wait to send " +
    "and the service time, which counts from when sending began.",
} as const;

const LOWER_BOUNDS = " Messages without an answer count with the time that they had waited: the " +
  "real latencies are larger.";

/** Reasons to doubt the figures. */
export function caveats({ summary }: LoadResult): string[] {
  const share = summary.generator_share ?? 0;
  const found: string[] = [];
  if (share >= LATE_SHARE) {
    found.push(
      `this program was late itself: ${
        Math.round(share * 100)
      } % of the latency is time for which ` +
        "messages that were due waited for it (a less busy machine, more --workers or a lower " +
        "--rate help)",
    );
  }
  if (summary.clamped > 0) {
    found.push(`${formatCount(summary.clamped, "latency", "latencies")} above 1 h count as 1 h`);
  }
  return found;
}

/** What went wrong: that the run ended early, then the errors by kind. */
export function errorLines(summary: LoadSummary): string[] {
  const lines: string[] = [];
  const { ended_early: early, wrong_answers: wrong } = summary;
  if (early) {
    const of = early.of_s === undefined ? "" : ` of ${formatDuration(early.of_s * 1_000)}`;
    lines.push(`ended early, after ${formatDuration(early.after_s * 1_000)}${of}: ${early.reason}`);
  }
  if (summary.errors > 0) {
    const kinds = Object.entries(summary.errors_by_kind) as [LoadErrorKind, number][];
    lines.push(kinds.map(([kind, count]) => ERRORS[kind](count)).join(", "));
  }
  if (wrong) {
    const kinds = Object.entries(wrong).map(([text, count]) => `${count} × ${text}`);
    lines.push(`wrong answers: ${kinds.join(", ")}`);
  }
  return lines;
}

const ERRORS: Readonly<Record<LoadErrorKind, (count: number) => string>> = {
  connect: (count) => `${formatCount(count, "connection")} could not be made`,
  reset: (count) => `${formatCount(count, "connection")} broke`,
  closed: (count) => `the server closed ${formatCount(count, "connection")} early`,
  wrong: (count) => `${formatCount(count, "connection")} got other bytes than were due`,
  "no-answer": (count) => `${formatCount(count, "connection")} got no answer in time`,
  unanswered: (count) => `${formatCount(count, "message")} stayed without an answer`,
  "not-sent": (count) => `${formatCount(count, "message")} could not be sent`,
  unexpected: (count) => `${formatCount(count, "answer")} not as --expect says`,
  refused: (count) => `${formatCount(count, "answer")} told of an error`,
  failed: (count) => `${formatCount(count, "message")} failed`,
};

/** What may be wrong where the first answer is, or none comes; `undefined` for other errors. */
export function answerHint(kind: LoadErrorKind, answer: string): string | undefined {
  if (kind !== "wrong" && kind !== "no-answer") return undefined;
  if (answer === "exchange") return undefined;
  return answer === "echo"
    ? "is it an echo server? For another service say how its answers end, with --answer " +
      "until:'\n', bytes:12, length:u32be, close or none"
    : `do its answers end as --answer ${answer} says?`;
}

/** A run compared with an earlier one. */
export function comparisonLines(comparisons: readonly Comparison[], startedAt: string): string[] {
  const rows = comparisons.map(({ name, before, after, ratio, noise, verdict }) => {
    const { unit } = figureOf(name)!;
    const format = (value: number | null) => value === null ? "–" : unit.format(value);
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

function time(us: number | null | undefined): string {
  return us === null || us === undefined ? "–" : formatDuration(us / 1_000);
}
