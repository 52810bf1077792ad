import type { CaptureResult, KindFigures, TrafficFigures } from "../../lib/capture/mod.ts";
import { escapeForTerminal, formatBytes, formatCount, formatDuration } from "../_cli/mod.ts";
import { tableLines } from "../_cli/table.ts";

/** What a capture holds, in lines for people. */
export function summaryLines(figures: TrafficFigures, result?: CaptureResult): string[] {
  const { connections, endings, frames, bytes, durationMs, kinds } = figures;
  const lines = [
    `${formatCount(connections, "connection")}${endingText(endings)}, ` +
    `${formatCount(frames, "frame")}, ${formatBytes(bytes)} in ${formatDuration(durationMs)}`,
  ];
  if (kinds.length > 0) lines.push(...tableLines([HEAD, ...kinds.map(rowOf)]));
  const problems = problemsOf(figures, result);
  if (problems.length > 0) lines.push(...problems);
  return lines.map(escapeForTerminal);
}

/** The same for programs. */
export function summaryObject(figures: TrafficFigures, result?: CaptureResult): object {
  const { damage, ...file } = result ?? {};
  const { kinds, errors, broken, ...counts } = figures;
  return {
    type: "summary",
    ...underscored(counts),
    errors,
    broken,
    kinds: kinds.map(underscored),
    ...underscored(file),
    ...(damage === undefined ? {} : { damage: damage.message }),
  };
}

/** Fields with names as the other objects have them: `duration_ms`. */
function underscored(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}

const HEAD = ["", "frames", "bytes", "answered", "p50", "p90", "p99", "max"] as const;

function rowOf({ kind, direction, frames, bytes, answered, latencyUs }: KindFigures): string[] {
  const times = latencyUs
    ? [latencyUs.p50, latencyUs.p90, latencyUs.p99, latencyUs.max].map((us) =>
      us === null ? "" : formatDuration(us / 1_000)
    )
    : ["", "", "", ""];
  return [
    `${direction === "up" ? ">" : "<"} ${kind}`,
    String(frames),
    formatBytes(bytes),
    latencyUs ? String(answered) : "",
    ...times,
  ];
}

function endingText({ closed, reset, replaced, open }: TrafficFigures["endings"]): string {
  const parts = [
    [closed, "closed"],
    [reset, "reset"],
    [replaced, "replaced"],
    [open, "open at the end"],
  ].filter(([count]) => count !== 0).map(([count, how]) => `${count} ${how}`);
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

function problemsOf(figures: TrafficFigures, result?: CaptureResult): string[] {
  const lines: string[] = [];
  const counted = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).map(([code, count]) => `${count} ${code}`).join(", ");
  if (Object.keys(figures.errors).length > 0) lines.push(`errors: ${counted(figures.errors)}`);
  if (Object.keys(figures.broken).length > 0) {
    lines.push(`broken frames: ${counted(figures.broken as Record<string, number>)}`);
  }
  if (figures.unanswered > 0) {
    lines.push(`${formatCount(figures.unanswered, "request")} unanswered`);
  }
  if (figures.skippedBytes > 0) {
    lines.push(`${formatBytes(figures.skippedBytes)} are no frames`);
  }
  if (figures.missingBytes > 0) {
    lines.push(`${formatBytes(figures.missingBytes)} are missing in the capture`);
  }
  if (!result) return lines;
  const { repeatedBytes, skippedPackets, unknownLinkTypes } = result;
  if (repeatedBytes > 0) lines.push(`${formatBytes(repeatedBytes)} were sent again`);
  const { fragment, cut } = skippedPackets;
  if (fragment > 0) lines.push(`${formatCount(fragment, "fragment")} of IP packets not joined`);
  if (cut > 0) lines.push(`${formatCount(cut, "packet")} cut off within the headers`);
  if (unknownLinkTypes.length > 0) {
    lines.push(`packets of unknown link types: ${unknownLinkTypes.join(", ")}`);
  }
  return lines;
}
