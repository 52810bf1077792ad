/** What the tests of the web server serve. */
import { type Address, formatAddress } from "../../lib/net/mod.ts";
import {
  assetRoute,
  healthRoutes,
  jsonReply,
  type Route,
  serveWeb,
  WebError,
  type WebServeOptions,
  type WebServer,
} from "../../lib/web/mod.ts";

export const PAGE = `<!doctype html><title>page</title>${"text ".repeat(1_000)}`;

export const ROUTES: readonly Route[] = [
  ...healthRoutes(() => ({ status: "ok", detail: undefined, progress: undefined })),
  assetRoute("/", PAGE, "text/html; charset=utf-8"),
  {
    method: "GET",
    path: "/entry/:key",
    handle: ({ params, url }) => jsonReply({ ...params, q: url.searchParams.get("q") }),
  },
  {
    method: "POST",
    path: "/echo",
    maxBodyBytes: 10,
    handle: async (request) => ({ status: 200, body: await request.body() }),
  },
  {
    method: "GET",
    path: "/refused",
    handle: () => {
      throw new WebError(403, "forbidden", "Not for you");
    },
  },
  {
    method: "GET",
    path: "/broken",
    handle: () => {
      throw new Error("a secret");
    },
  },
  { method: "GET", path: "/whoami", handle: ({ principal }) => jsonReply(principal?.name ?? null) },
];

/** Serves them. */
export async function serve(
  options: WebServeOptions = {},
  address: Address | string = "127.0.0.1:0",
): Promise<WebServer> {
  return await serveWeb(address, { routes: ROUTES, ...options });
}

/** The URL of a path. */
export const urlOf = (server: WebServer, path: string) =>
  `http://${formatAddress(server.address)}${path}`;
