/**
 * The proxy role: stands between clients and an upstream and passes on what they send, or does to
 * it what networks do.
 *
 * @module
 */
export { serveProxy } from "./serve_proxy.ts";
export type { Proxy, ProxyOptions } from "./serve_proxy.ts";
export { listenForProxy } from "./listen_for_proxy.ts";
export type { ProxyListener } from "./socket_listener.ts";
export type { Direction } from "./direction.ts";
export type { ProxiedConnection, ProxyCloseReason, ProxyObserver } from "./observer.ts";
export { ProxyError } from "./proxy_error.ts";
export type { ProxyErrorCode } from "./proxy_error.ts";

// What these refer to, of other parts of the library.
export type {
  Address,
  ConnectionError,
  ConnectionErrorCode,
  ConnectionOperation,
  TcpAddress,
  TlsProblem,
  UnixAddress,
  WebSocketAddress,
} from "../net/mod.ts";
