/**
 * The network layer: addresses, listening and dialling over TCP, Unix sockets and TLS, connections
 * with back-pressure, and servers that have limits and end in order.
 *
 * @module
 */
export {
  AddressError,
  formatAddress,
  isLoopback,
  networkOf,
  parseAddress,
  parseHostPort,
  toAddress,
} from "./address.ts";
export type {
  Address,
  AddressDefaults,
  TcpAddress,
  UnixAddress,
  WebSocketAddress,
} from "./address.ts";
export { ConnectionError } from "./connection_error.ts";
export { OverBudgetError } from "../base/budget.ts";
export type { ConnectionErrorCode, ConnectionOperation } from "./connection_error.ts";
export type { TlsProblem } from "./tls_problem.ts";
export { addressOf } from "./address_of.ts";
export { byteStream } from "./byte_stream.ts";
export { listen } from "./listen.ts";
export type { ListenOptions } from "./listen.ts";
export { joinListeners } from "./join_listeners.ts";
export type { Handshakes, Listener, ServerTls } from "./listener.ts";
export { DEFAULT_DIAL_TIMEOUT_MS, dial, upgradeToTls } from "./dial.ts";
export type { ClientTls, DialOptions } from "./dial.ts";
export { Connection } from "./connection.ts";
export type { Peer } from "./peer.ts";
export type { CloseReason } from "./close_reason.ts";
export { duplexOf, ReadBuffer, SharedMemory, WriteQueue } from "./bytes/mod.ts";
export type { ByteDuplex, ByteSink } from "./bytes/mod.ts";
export type { ByteBuffer } from "../base/byte_buffer.ts";
export { machineMemoryBytes } from "./machine_memory.ts";
export { DEFAULT_LIMITS } from "./limits.ts";
export type { ConnectionLimits, ResolvedLimits } from "./limits.ts";
export { serveOn } from "./serve_on.ts";
export type { ServerStart, ServeTarget } from "./serve_on.ts";
export { serveConnections, Server } from "./serve.ts";
export type { ConnectionService, ServeOptions, ServerObserver } from "./serve.ts";
