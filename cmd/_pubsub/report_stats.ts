import { PeriodicLook } from "../../lib/base/periodic_look.ts";
import type { Broker, BrokerStats } from "../../lib/pubsub/mod.ts";
import { type Context, formatBytes, formatCount, formatDuration, formatRate } from "../_cli/mod.ts";

/** Prints a broker's figures at an interval, until disposed of. */
export function reportStats(
  broker: Broker,
  intervalMs: number,
  { out, log }: Context,
  json: boolean,
): Disposable {
  let before = broker.stats();
  const reporting = new PeriodicLook(intervalMs, () => {
    const stats = broker.stats();
    const seconds = (stats.uptimeMs - before.uptimeMs) / 1_000;
    const rates = {
      publishedPerSecond: Math.round((stats.published - before.published) / seconds),
      deliveredPerSecond: Math.round((stats.delivered - before.delivered) / seconds),
    };
    const missed = stats.missed - before.missed;
    before = stats;
    if (json) out.json({ type: "stats", ...stats, ...rates });
    else log.info(line(stats, rates, missed));
  });
  reporting.start();
  return reporting;
}

function line(
  { connections, filters, pendingBytes, streams, backplane }: BrokerStats,
  rates: { readonly publishedPerSecond: number; readonly deliveredPerSecond: number },
  missed: number,
): string {
  return [
    formatCount(connections, "connection"),
    formatCount(filters, "filter"),
    `in ${formatRate(rates.publishedPerSecond, "message")}`,
    `out ${formatRate(rates.deliveredPerSecond, "message")}`,
    `${formatCount(missed, "message")} missed`,
    `${formatBytes(pendingBytes)} waiting`,
    ...streams
      ? [
        `${formatCount(streams.messages, "message")} kept`,
        `${streams.pending} pending, ${streams.unacked} unacked for up to ` +
        formatDuration(streams.oldestUnackedMs),
        `${streams.redelivered} redelivered, ${streams.dead} dead`,
      ]
      : [],
    ...backplane
      ? [
        `NATS ${backplane.connected ? "connected" : "away"}`,
        formatCount(backplane.brokers, "other broker"),
        `${formatCount(backplane.lost, "message")} lost on the way here`,
      ]
      : [],
  ].join(", ");
}
