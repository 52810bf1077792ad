/**
 * The proxy role: stands between clients and an upstream and passes on what they send, or does to
 * it what networks do.
 *
 * @module
 */
export { serveProxy } from "./serve_proxy.ts";
export type { Proxy } from "./serve_proxy.ts";
export type { ProxyOptions } from "./proxy_options.ts";
export { listenForProxy } from "./listen_for_proxy.ts";
export type { ProxyListener } from "./proxy_listener.ts";
export type { Direction } from "../net/direction.ts";
export type {
  ProxiedConnection,
  ProxyCloseReason,
  ProxyNotice,
  ProxyObserver,
} from "./observer.ts";
export { parseFault } from "./faults/parse_fault.ts";
export type { Fault, FaultAction, FaultKind, FaultRange, FaultSelectors } from "./faults/fault.ts";
export { parseScript, playScript, ScriptError } from "./faults/script.ts";
export type { FaultTarget, ScriptStep } from "./faults/script.ts";
export { FaultError } from "./faults/fault_error.ts";
export type { FaultReport, FiredFault } from "./faults/fault_set.ts";
export { ProxyError } from "./proxy_error.ts";
export type { ProxyErrorCode } from "./proxy_error.ts";

// What these refer to, of other parts of the library.
export type {
  Address,
  ClientTls,
  ConnectionError,
  ConnectionErrorCode,
  ConnectionOperation,
  Handshakes,
  ListenOptions,
  ServerTls,
  TcpAddress,
  TlsProblem,
  UnixAddress,
  WebSocketAddress,
} from "../net/mod.ts";
