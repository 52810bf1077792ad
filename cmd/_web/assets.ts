import { assetRoute, type Route } from "../../lib/web/mod.ts";
import client from "./served/client.js" with { type: "text" };

/** A script at a path. */
export function scriptRoute(path: string, text: string): Route {
  return assetRoute(path, text, "text/javascript; charset=utf-8");
}

/** A style sheet at a path. */
export function styleRoute(path: string, text: string): Route {
  return assetRoute(path, text, "text/css; charset=utf-8");
}

/** The clients for programs in browsers. */
export const CLIENT_ROUTE: Route = scriptRoute("/client.js", client);
