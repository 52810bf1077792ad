import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { qualityOf } from "./quality.ts";
import type { WebReply } from "./reply.ts";
import type { Route, WebRequest } from "./route.ts";

/** Smaller texts gain nothing by being compressed. */
const LEAST_GZIP_BYTES = 1_024;

/**
 * A route that answers with a fixed text: a page, a style sheet, a script. Browsers keep it and ask
 * only whether it has changed (`ETag`); it is compressed once, for those that take that. It is public,
 * because a page has to be there before it can ask for a login.
 *
 * @param contentType Such as `text/html; charset=utf-8`.
 *
 * @example
 * ```ts
 * import { assetRoute } from "@socktool/socktool/web";
 * import { assertEquals } from "@std/assert";
 *
 * const route = assetRoute("/live.js", "export {};", "text/javascript; charset=utf-8");
 * assertEquals([route.method, route.isPublic], ["GET", true]);
 * ```
 */
export function assetRoute(path: string, text: string, contentType: string): Route {
  const bytes = new TextEncoder().encode(text);
  const tag = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
  let gzipped: Uint8Array | undefined;
  const handle = (request: WebRequest): WebReply => {
    const isGzip = bytes.length >= LEAST_GZIP_BYTES && takesGzip(request);
    const headers: Record<string, string> = {
      "content-type": contentType,
      "cache-control": "no-cache",
      "vary": "accept-encoding",
      "etag": `"${tag}${isGzip ? "-gzip" : ""}"`,
    };
    if (isKnown(request, headers["etag"]!)) return { status: 304, headers };
    if (!isGzip) return { status: 200, headers, body: bytes };
    gzipped ??= gzipSync(bytes, { level: 9 });
    return { status: 200, headers: { ...headers, "content-encoding": "gzip" }, body: gzipped };
  };
  return { method: "GET", path, isPublic: true, handle };
}

function takesGzip(request: WebRequest): boolean {
  const accepted = request.header("accept-encoding");
  const gzip = qualityOf(accepted, ["gzip", "x-gzip", "*"]) ?? 0;
  return gzip > 0 && gzip >= (qualityOf(accepted, ["identity"]) ?? 0);
}

/** Whether the client has this version (RFC 9110, 13.1.2: compared without regard to `W/`). */
function isKnown(request: WebRequest, tag: string): boolean {
  const known = request.header("if-none-match")?.split(",") ?? [];
  return known.some((each) => each.trim() === "*" || each.trim().replace(/^W\//, "") === tag);
}
