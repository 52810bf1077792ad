import type { ConsumerInfo, StreamInfo } from "../../lib/pubsub/mod.ts";
import { type Context, formatBytes, formatDuration } from "../_cli/mod.ts";
import { fittingLines } from "../_cli/table.ts";

/** Prints streams: as a table, or each as a line of JSON. */
export function printStreams(
  streams: readonly StreamInfo[],
  { out }: Context,
  json: boolean,
): undefined {
  // JSON has no infinity: limits that do not exist are null.
  if (json) { for (const stream of streams) out.json({ type: "stream", ...stream }); }
  else {
    const rows = streams.map((
      { name, topics, firstSeq, lastSeq, count, bytes, consumers, ...rest },
    ) => [
      name,
      out.safe(topics.join(",")),
      String(count),
      formatBytes(bytes),
      count === 0 ? "-" : `${firstSeq}-${lastSeq}`,
      String(consumers),
      limitsText(rest),
    ]);
    const head = ["NAME", "TOPICS", "MESSAGES", "SIZE", "SEQ", "CONSUMERS", "LIMITS"];
    for (const line of fittingLines(head, rows, out.columns)) out.line(line);
  }
  return undefined;
}

/** The limits of a stream, and what else is not as it is without being asked for. */
function limitsText(
  { maxAgeMs, maxBytes, maxCount, maxPerTopic, full, sync, keep }: Pick<
    StreamInfo,
    "maxAgeMs" | "maxBytes" | "maxCount" | "maxPerTopic" | "full" | "sync" | "keep"
  >,
): string {
  const words = [
    maxAgeMs === Infinity ? "" : formatDuration(maxAgeMs),
    maxBytes === Infinity ? "" : formatBytes(maxBytes),
    maxCount === Infinity ? "" : `${maxCount} messages`,
    maxPerTopic === Infinity ? "" : `${maxPerTopic} a topic`,
    full === "refuse" ? "refuse" : "",
    keep === "limits" ? "" : keep,
    sync === "always" ? "" : "sync interval",
  ].filter((word) => word !== "");
  return words.join(", ") || "-";
}

/** Prints the consumers of a stream: as a table, or each as a line of JSON. */
export function printConsumers(
  consumers: readonly ConsumerInfo[],
  { out }: Context,
  json: boolean,
): undefined {
  if (json) { for (const consumer of consumers) out.json({ type: "consumer", ...consumer }); }
  else {
    const rows = consumers.map((each) => [
      each.consumer,
      String(each.pending),
      String(each.unacked),
      String(each.redelivered),
      String(each.dead),
      formatDuration(each.oldestUnackedMs),
      String(each.members),
    ]);
    const head = ["CONSUMER", "PENDING", "UNACKED", "REDELIVERED", "DEAD", "OLDEST", "MEMBERS"];
    for (const line of fittingLines(head, rows, out.columns)) out.line(line);
  }
  return undefined;
}
