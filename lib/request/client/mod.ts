/**
 * The client of a request server, over a WebSocket or any connection that reads and writes bytes. It
 * uses nothing of one runtime, so it works in a browser.
 *
 * @module
 */
// Over a socket of Deno's or Node's a client is told of errors by their names.
import "../../net/known_errors.ts";
export { connectRequests } from "./connect_requests.ts";
export type { ConnectRequestsOptions } from "./connect_requests.ts";
export type { WebSocketOptions } from "../../net/web_socket.ts";
export { RequestClient } from "./request_client.ts";
export type { RequestClientOptions, RequestOptions } from "./request_client.ts";
export { Reply } from "./reply.ts";
export type { ReplyError } from "./reply.ts";
export { RequestError } from "../request_error.ts";
export { ConnectionError } from "../../net/connection_error.ts";
export type { ConnectionErrorCode, ConnectionOperation } from "../../net/connection_error.ts";
export type { TlsProblem } from "../../net/tls_problem.ts";
export { duplexOf } from "../../net/bytes/byte_duplex.ts";
export type { ByteDuplex } from "../../net/bytes/byte_duplex.ts";

// What these refer to, of other parts of the library.
export type * from "../../frame/frame_types.ts";
export { AddressError } from "../../net/address.ts";
export type { Address, TcpAddress, UnixAddress, WebSocketAddress } from "../../net/address.ts";
