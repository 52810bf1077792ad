/**
 * The client of publish/subscribe, over a WebSocket or any duplex of bytes. It uses nothing of one
 * runtime, so it works in a browser; `@socktool/socktool/pubsub` has the same client for addresses.
 *
 * @module
 */
// Over a socket of Deno's or Node's a client is told of errors by their names.
import "../../net/known_errors.ts";
export { connectBroker, type WebBrokerTarget } from "./connect_broker.ts";
export { BrokerClient } from "./broker_client.ts";
export type {
  BrokerClientOptions,
  ClientState,
  ClientStateChange,
  DuplexSource,
  DuplexTarget,
  Will,
} from "./client_options.ts";
export type {
  Confirmation,
  ConfirmOptions,
  PublishOptions,
  RequestOptions,
} from "./publishing/publish_options.ts";
export type { RequestManyOptions } from "./requests/request_many.ts";
export { Backoff, type BackoffOptions } from "../../base/backoff.ts";
export { ClientSubscription, type SubscriptionOwner } from "./receiving/client_subscription.ts";
export type { SubscribeOptions, SubscriptionLimits } from "./receiving/subscribe_options.ts";
export type { MissedPublications, MissedReason } from "./receiving/missed_publications.ts";
export {
  type MessageFrame,
  type PublishContent,
  PubSubMessage,
  type Responder,
  type RespondOptions,
} from "./receiving/message.ts";
export { ClientStreams } from "./streams/client_streams.ts";
export { Consumption } from "./streams/consumption.ts";
export { Replay } from "./streams/replay.ts";
export {
  ConsumedMessage,
  type DeliveryFields,
  type NackOptions,
  StreamMessage,
} from "./streams/stream_message.ts";
export type * from "./streams/stream_types.ts";
export { PubSubError, type PubSubFailure } from "./pubsub_error.ts";
export type { PubSubErrorCode, StreamErrorCode } from "../protocol/codes.ts";
export { SLOW_POLICIES, type SlowPolicy } from "../protocol/slow_policy.ts";
export { filterProblem, groupProblem, topicProblem } from "../protocol/topic.ts";
export { PROTOCOL_VERSION } from "../protocol/version.ts";
export type { Credentials } from "../../access/authenticator.ts";
export {
  type Address,
  AddressError,
  type TcpAddress,
  type UnixAddress,
  type WebSocketAddress,
} from "../../net/address.ts";
export {
  ConnectionError,
  type ConnectionErrorCode,
  type ConnectionOperation,
} from "../../net/connection_error.ts";
export type { TlsProblem } from "../../net/tls_problem.ts";
export { type ByteDuplex, duplexOf } from "../../net/bytes/byte_duplex.ts";
export { ContentError } from "../../frame/content.ts";
export { ContentStreamError } from "../../frame/content_stream_error.ts";
export type {
  ByteOrder,
  ContentErrorCode,
  ContentStreamErrorCode,
  FrameHeader,
  HeaderInit,
  StreamedFrame,
} from "../../frame/mod.ts";
