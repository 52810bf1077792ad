import config from "../../deno.json" with { type: "json" };
import { assetRoute, jsonReply, type Route, type WebRequest } from "../../lib/web/mod.ts";
import { scriptRoute, styleRoute } from "./assets.ts";
import html from "./served/live.html" with { type: "text" };
import css from "./served/live.css" with { type: "text" };
import js from "./served/live.js" with { type: "text" };

/** Leads from the root to the live page, of a server that has no other. */
export const TO_LIVE_PAGE: Route = {
  method: "GET",
  path: "/",
  isPublic: true,
  handle: () => ({ status: 302, headers: { location: "/live" } }),
};

/**
 * The live page of a server, and the figures that it asks for each second, at `/api/stats`.
 *
 * @param figures The server's own figures for who asks. @throws {WebError} if they are not for it.
 */
export function liveRoutes(
  role: "app-server" | "broker" | "proxy",
  figures: (
    request: WebRequest,
  ) => Promise<Readonly<Record<string, unknown>>> | Readonly<Record<string, unknown>>,
): Route[] {
  const startedAt = Date.now();
  const begin = performance.now();
  const stats: Route = {
    method: "GET",
    path: "/api/stats",
    async handle(request) {
      return jsonReply({
        role,
        version: config.version,
        startedAt,
        uptimeMs: Math.round(performance.now() - begin),
        memoryBytes: Deno.memoryUsage().rss,
        ...await figures(request),
      });
    },
  };
  return [
    assetRoute("/live", html, "text/html; charset=utf-8"),
    styleRoute("/live.css", css),
    scriptRoute("/live.js", js),
    stats,
  ];
}
