/**
 * The types that a {@linkcode Peer} refers to. An entry point that hands out peers exports them too,
 * so that its documentation is whole by itself.
 *
 * @module
 */
export type { Address, TcpAddress, UnixAddress, WebSocketAddress } from "./address.ts";
export type { CloseReason } from "./close_reason.ts";
export type {
  ConnectionError,
  ConnectionErrorCode,
  ConnectionOperation,
} from "./connection_error.ts";
export type { Peer } from "./peer.ts";
export type { TlsProblem } from "./tls_problem.ts";
