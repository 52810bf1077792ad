import { createHash, timingSafeEqual } from "node:crypto";
import { formatAddress } from "../../lib/net/mod.ts";
import { FaultError, type Proxy } from "../../lib/proxy/mod.ts";
import { liveRoutes, TO_LIVE_PAGE } from "../_web/live_routes.ts";
import { faultsOf, type LiveFigures } from "./live_figures.ts";
import {
  jsonReply,
  type Route,
  WebError,
  type WebReply,
  type WebRequest,
} from "../../lib/web/mod.ts";

/** The most that faults may have, in bytes of JSON. */
const MAX_BODY_BYTES = 65_536;

/** Tells the page to ask for a token, and for no user. */
const TOKEN_ONLY = "socktool proxy";

/** A token that nobody can guess, for one run. */
export function makeToken(): string {
  return crypto.getRandomValues(new Uint8Array(18)).toBase64({ alphabet: "base64url" });
}

/**
 * What looks at a proxy and changes its faults while it runs, with a page for people. All but the page
 * itself need the token: a page of elsewhere does not know it, and the type of the content keeps forms
 * of HTML out.
 */
export function controlRoutes(proxy: Proxy, figures: LiveFigures, token: string): Route[] {
  const guarded = (handle: Route["handle"]): Route["handle"] => (request) => {
    checkToken(request, token);
    return handle(request);
  };
  return [
    ...liveRoutes("proxy", (request) => {
      checkToken(request, token);
      return figures.of(proxy);
    }),
    TO_LIVE_PAGE,
    { method: "GET", path: "/api/faults", isPublic: true, handle: guarded(() => stateOf(proxy)) },
    {
      method: "PUT",
      path: "/api/faults",
      isPublic: true,
      maxBodyBytes: MAX_BODY_BYTES,
      handle: guarded(async (request) => {
        setFaults(proxy, await jsonOf(request));
        return stateOf(proxy);
      }),
    },
  ];
}

function stateOf(proxy: Proxy): WebReply {
  return jsonReply({
    seed: proxy.seed,
    upstream: formatAddress(proxy.upstream),
    connections: proxy.connections.size,
    faults: faultsOf(proxy),
  });
}

function checkToken(request: WebRequest, token: string): void {
  const given = /^bearer +(\S+)$/i.exec(request.header("authorization") ?? "")?.[1] ?? "";
  const digest = (text: string) => createHash("sha256").update(text).digest();
  if (timingSafeEqual(digest(given), digest(token))) return;
  throw new WebError(401, "unauthorized", "Give the token that the proxy has printed", {
    "www-authenticate": `Bearer realm="${TOKEN_ONLY}"`,
  });
}

async function jsonOf(request: WebRequest): Promise<unknown> {
  const type = request.header("content-type") ?? "";
  if (!/^application\/json *(;|$)/i.test(type)) {
    throw new WebError(415, "bad-type", "The content must be application/json");
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await request.body()));
  } catch (error) {
    if (error instanceof WebError) throw error;
    throw new WebError(400, "bad-json", "The content is no JSON");
  }
}

function setFaults(proxy: Proxy, content: unknown): void {
  const { faults } = new Object(content) as { readonly faults?: unknown };
  if (!Array.isArray(faults) || !faults.every((fault) => typeof fault === "string")) {
    throw new WebError(400, "bad-content", 'Write {"faults": ["both delay 80ms"]}');
  }
  try {
    proxy.set(faults);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    throw new WebError(400, "bad-fault", error.message);
  }
}
