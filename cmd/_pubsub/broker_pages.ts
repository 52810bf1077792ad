/** What the broker shows over HTTP: its live page, and the client for programs in browsers. */
import type { Broker, BrokerOverview } from "../../lib/pubsub/mod.ts";
import { type Route, type TimeHistogram, WebError, type WebRequest } from "../../lib/web/mod.ts";
import { CLIENT_ROUTE } from "../_web/assets.ts";
import { liveRoutes, TO_LIVE_PAGE } from "../_web/live_routes.ts";

/** How many of the slowest clients are shown. */
const SLOWEST = 10;

/**
 * All routes of a broker.
 *
 * @param delays How long publications wait for their subscribers' sockets.
 */
export function brokerPages(broker: Broker, delays: TimeHistogram): Route[] {
  return [
    ...liveRoutes("broker", (request) => figuresOf(broker, delays, request)),
    TO_LIVE_PAGE,
    CLIENT_ROUTE,
  ];
}

async function figuresOf(
  broker: Broker,
  delays: TimeHistogram,
  { principal }: WebRequest,
): Promise<Readonly<Record<string, unknown>>> {
  const overview = await broker.overview(SLOWEST, principal);
  if ("code" in overview) throw new WebError(403, overview.code, overview.message);
  const { stats, connections, topics } = overview;
  // JSON has no Infinity: the bound of the last bucket is null.
  const delayBuckets = delays.buckets().map(({ bound, count }) => [bound * 1_000, count]);
  return {
    broker: stats,
    delayBuckets,
    clients: connections,
    topics,
    streams: streamsOf(overview),
  };
}

/** `Infinity`, which JSON has not, stands for no limit: the page shows no settings. */
function streamsOf({ streams }: BrokerOverview) {
  return streams?.map(({ stream: { settings: _, ...stream }, consumers }) => ({
    ...stream,
    consumers: consumers.map(({ settings: _, ...consumer }) => consumer),
  }));
}
