/**
 * Brokers as gateways of a NATS cluster: any number of them, on any number of machines, serve the
 * same topics, and clients of NATS itself read and write them too.
 *
 * @module
 */
export { connectNats, type NatsBackplane, type NatsBackplaneOptions } from "./connect_nats.ts";
export type { NatsObserver } from "./nats_observer.ts";
export { NatsError, type NatsErrorCode } from "./nats_error.ts";

// What these refer to, of other parts of the library.
export type * from "../backplane.ts";
export type * from "../streams/stream_store.ts";
export type { StreamError } from "../streams/stream_error.ts";
export type { PubSubErrorCode, Refusal, StreamErrorCode } from "../../protocol/codes.ts";
export type {
  ByteOrder,
  Frame,
  FrameHeader,
  NumberArrays,
  NumberReader,
  NumberType,
} from "../../../frame/mod.ts";
export type { SharedMemory } from "../../../net/mod.ts";
