import type { Broker, BrokerStats } from "../../lib/pubsub/mod.ts";
import type { Metric } from "../../lib/web/mod.ts";
import { connectionMetrics, counter, gauge } from "./connection_metrics.ts";
import type { HttpSide } from "./http_side.ts";

/** Adds the figures of a broker to `/metrics`. */
export function measureBroker(http: HttpSide | undefined, broker: Broker): void {
  let stats = broker.stats();
  http?.measure([
    ...connectionMetrics(() => stats),
    ...trafficMetrics(() => stats),
    ...memoryMetrics(() => stats),
    ...(stats.streams ? streamMetrics(() => stats.streams!) : []),
  ], () => void (stats = broker.stats()));
}

function trafficMetrics(stats: () => BrokerStats): Metric[] {
  return [
    counter("published_messages", "Publications that came", () => stats().published),
    counter("published_bytes", "Bytes of these", () => stats().publishedBytes),
    counter("delivered_messages", "Publications sent to subscribers", () => stats().delivered),
    counter("delivered_bytes", "Bytes of these", () => stats().deliveredBytes),
    counter(
      "missed_messages",
      "Publications left out because subscribers did not keep up",
      () => stats().missed,
    ),
    counter("refused_requests", "Requests that were refused", () => stats().errors),
    counter(
      "over_budget",
      "Requests refused and connections ended because there was no memory left",
      () => stats().overBudget,
    ),
    gauge("filters", "Filters that somebody subscribes to", () => stats().filters),
    gauge("subscriptions", "Subscriptions of all connections", () => stats().subscriptions),
    gauge("retained_messages", "Topics with a retained publication", () => stats().retained),
  ];
}

function memoryMetrics(stats: () => BrokerStats): Metric[] {
  const shares = {
    backlogs: "backlogBytes",
    filters: "filterBytes",
    retained: "retainedBytes",
    speed: "speedBytes",
    unfinished: "unfinishedBytes",
    unread: "unreadBytes",
  } as const;
  return [
    gauge("pending_bytes", "Bytes that wait for subscribers", () => stats().pendingBytes),
    gauge(
      "memory_used_bytes",
      "Memory kept for clients, by what for",
      () =>
        Object.entries(shares).map(([share, field]) => ({
          labels: { share },
          value: stats()[field],
        })),
    ),
    gauge("memory_limit_bytes", "The most of it, --max-memory", () => stats().maxMemoryBytes),
  ];
}

function streamMetrics(totals: () => NonNullable<BrokerStats["streams"]>): Metric[] {
  return [
    gauge("streams", "Streams", () => totals().streams),
    gauge("stream_messages", "Messages that streams keep", () => totals().messages),
    gauge("stream_bytes", "Bytes of these", () => totals().bytes),
    gauge("consumers", "Consumers of streams", () => totals().consumers),
    gauge("consumer_pending_messages", "Messages not delivered yet", () => totals().pending),
    gauge(
      "consumer_unacknowledged_messages",
      "Messages delivered and not acknowledged",
      () => totals().unacked,
    ),
    counter(
      "redelivered_messages",
      "Deliveries that were not the first",
      () => totals().redelivered,
    ),
    gauge("dead_letters", "Messages whose last attempt has passed", () => totals().dead),
    gauge(
      "oldest_unacknowledged_seconds",
      "How long the oldest open delivery has waited",
      () => totals().oldestUnackedMs / 1_000,
    ),
  ];
}
