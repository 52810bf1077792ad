import type { IncomingMessage } from "node:http";
import { WebError } from "./reply.ts";

/** Where WebSockets are. */
export const WEB_SOCKET_PATH = "/ws";

/** The version of the protocol that RFC 6455 is. Older ones name the origin by another header. */
const VERSION = "13";

/** What a reply of 426 says has to be spoken (RFC 9110, 15.5.22). */
const TO_UPGRADE = {
  connection: "upgrade",
  upgrade: "websocket",
  "sec-websocket-version": VERSION,
};

/**
 * Whether a request is for a WebSocket. Clients may propose another protocol, such as h2c, and take an
 * answer by HTTP/1.1 as well; what HTTP/1.0 proposes does not count (RFC 9110, 7.8).
 */
export function asksForWebSocket({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "websocket" && httpVersion !== "1.0";
}

/** What is answered to a request that is for none, where WebSockets are. */
export function noWebSocket(): WebError {
  return new WebError(
    426,
    "no-web-socket",
    `Only WebSockets are at ${WEB_SOCKET_PATH}`,
    TO_UPGRADE,
  );
}

/** Checks a request for a WebSocket. @throws {WebError} if it cannot be opened. */
export function checkWebSocketRequest({ method, headers }: IncomingMessage, path: string): void {
  if (path.split("?")[0] !== WEB_SOCKET_PATH) {
    throw new WebError(404, "not-found", `Only WebSockets, at ${WEB_SOCKET_PATH}`);
  }
  if (method !== "GET") {
    throw new WebError(405, "bad-method", "A WebSocket is opened by GET", { allow: "GET" });
  }
  if (headers["sec-websocket-version"] !== VERSION) {
    throw new WebError(426, "bad-version", "Only version 13 of WebSocket is spoken", TO_UPGRADE);
  }
  // It would be taken for frames.
  if ("transfer-encoding" in headers || Number(headers["content-length"] ?? 0) !== 0) {
    throw new WebError(400, "bad-handshake", "The request for a WebSocket has no content");
  }
}
