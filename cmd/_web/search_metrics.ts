import type { Server } from "../../lib/net/mod.ts";
import type { RequestHandler } from "../../lib/request/mod.ts";
import type { SearchEngine, SearchStats } from "../../lib/search/mod.ts";
import { before } from "../../lib/base/before.ts";
import { connectionMetrics, counter, gauge } from "./connection_metrics.ts";
import type { HttpSide } from "./http_side.ts";

/** How long to wait for figures that a busy worker counts; after that, the last ones are told. */
const STATS_MS = 250;

/** Adds the figures of a search app to `/metrics`. */
export async function measureSearch(
  http: HttpSide,
  engine: SearchEngine,
  server: Server,
): Promise<void> {
  let stats: SearchStats = await engine.stats();
  const look = async () => {
    stats = await engine.stats();
  };
  http.measure([
    ...connectionMetrics(() => ({
      connections: server.connections.size,
      accepted: server.accepted,
      refused: server.refused,
    })),
    gauge("entries", "Entries that can be found", () => stats.entries),
    gauge("index_bytes", "Size of the index on disk", () => stats.indexBytes),
    counter("searches", "Searches answered", () => stats.searches),
    counter("searches_corrected", "Searches whose spelling was corrected", () => stats.corrected),
    counter("searches_failed", "Searches that failed or were refused", () => stats.failed),
    counter("lookups", "Exact lookups", () => stats.lookups),
    counter("lookups_cached", "Exact lookups answered from memory", () => stats.lookupCacheHits),
    counter("writes", "Entries stored and deleted by clients", () => stats.writes),
    gauge("searches_queued", "Searches that wait for a worker", () => stats.queued),
    gauge("search_workers", "Search workers that run", () => stats.workers),
    counter("search_workers_replaced", "Search workers that died", () => stats.workersReplaced),
    gauge(
      "unread_bytes",
      "Bytes that wait to be taken by clients",
      () => server.memory.unreadBytes,
    ),
    gauge(
      "unfinished_bytes",
      "Bytes of requests that are not whole",
      () => server.memory.unfinishedBytes,
    ),
  ], async () => void await before(look().catch(() => {}), STATS_MS));
}

/** A handler whose requests are timed. A reply that is there at once stays so. */
export function timed(handler: RequestHandler, observe: (ms: number) => void): RequestHandler {
  return (frame, connection) => {
    const startedAt = performance.now();
    const reply = handler(frame, connection);
    const done = () => observe(performance.now() - startedAt);
    if (reply instanceof Promise) void reply.then(done, done);
    else done();
    return reply;
  };
}
