/** What the broker shows over HTTP: its live page, and the client for programs in browsers. */
import type { Broker, BrokerOverview } from "../../lib/pubsub/mod.ts";
import { type Route, WebError, type WebReply, type WebRequest } from "../../lib/web/mod.ts";
import { CLIENT_ROUTE } from "../_web/assets.ts";
import { liveRoutes } from "../_web/live_routes.ts";

/** How many of the slowest clients are shown. */
const SLOWEST = 10;

/** All routes of a broker. */
export function brokerPages(broker: Broker): Route[] {
  return [
    ...liveRoutes("broker", (request) => figuresOf(broker, request)),
    { method: "GET", path: "/", isPublic: true, handle: toLivePage },
    CLIENT_ROUTE,
  ];
}

function toLivePage(): WebReply {
  return { status: 302, headers: { location: "/live" } };
}

async function figuresOf(
  broker: Broker,
  { principal }: WebRequest,
): Promise<Readonly<Record<string, unknown>>> {
  const overview = await broker.overview(SLOWEST, principal);
  if ("code" in overview) throw new WebError(403, overview.code, overview.message);
  const { stats, connections, topics } = overview;
  return { broker: stats, clients: connections, topics, streams: streamsOf(overview) };
}

/** `Infinity`, which JSON has not, stands for no limit: the page shows no settings. */
function streamsOf({ streams }: BrokerOverview) {
  return streams?.map(({ stream: { settings: _, ...stream }, consumers }) => ({
    ...stream,
    consumers: consumers.map(({ settings: _, ...consumer }) => consumer),
  }));
}
