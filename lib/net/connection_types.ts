/**
 * The types that a {@linkcode Connection} refers to. An entry point that hands out connections
 * exports them too, so that its documentation is whole by itself.
 *
 * @module
 */
export type { ByteBuffer } from "../base/byte_buffer.ts";
export type { OverBudgetError } from "../base/budget.ts";
export type { Address, TcpAddress, UnixAddress } from "./address.ts";
export type { ReadBuffer, SharedMemory, WriteQueue } from "./bytes/mod.ts";
export type { CloseReason, Connection } from "./connection.ts";
export type {
  ConnectionError,
  ConnectionErrorCode,
  ConnectionOperation,
} from "./connection_error.ts";
