/**
 * Publish/subscribe over frames: a broker that forwards publications as they came, and tells
 * subscribers of what they missed; and its client.
 *
 * @module
 */
export * from "./broker/mod.ts";
export * from "./broker/streams/mod.ts";
export type { ByeReason, PubSubErrorCode, Refusal, StreamErrorCode } from "./protocol/codes.ts";
export { PROTOCOL_VERSION } from "./protocol/version.ts";
export { SLOW_POLICIES, type SlowPolicy } from "./protocol/slow_policy.ts";
export { filterCovers, filterProblem, groupProblem, topicProblem } from "./protocol/topic.ts";
export {
  AuthFileError,
  FileAuthenticator,
  hashPassword,
  hashToken,
  parseAuthFile,
  Principal,
  verifyPassword,
} from "../access/mod.ts";
export type {
  Authenticator,
  AuthTable,
  Credentials,
  NamedRights,
  Permission,
  RightsGrammar,
  TextCheck,
} from "../access/mod.ts";
export { type BrokerTarget, connectBroker, type ConnectBrokerOptions } from "./connect_broker.ts";
export {
  Backoff,
  type BackoffOptions,
  BrokerClient,
  type BrokerClientOptions,
  type ByteDuplex,
  type ClientState,
  type ClientStateChange,
  ClientStreams,
  ClientSubscription,
  type Confirmation,
  type ConfirmOptions,
  ConsumedMessage,
  type ConsumeOptions,
  type ConsumerInfo,
  Consumption,
  type DeliveryFields,
  duplexOf,
  type DuplexSource,
  type DuplexTarget,
  type MessageFrame,
  type MissedPublications,
  type MissedReason,
  type NackOptions,
  type PublishContent,
  type PublishOptions,
  PubSubError,
  type PubSubFailure,
  PubSubMessage,
  type ReadFrom,
  Replay,
  type ReplayOptions,
  type RequestManyOptions,
  type RequestOptions as BrokerRequestOptions,
  type Responder,
  type RespondOptions,
  type StoredPublication,
  type StoreOptions,
  type StreamChange,
  type StreamInfo,
  type StreamInit,
  type StreamLimits,
  StreamMessage,
  type SubscribeOptions,
  type SubscriptionLimits,
  type SubscriptionOwner,
  type Will,
} from "./client/mod.ts";

// What these refer to, of other parts of the library.
export type {
  ByteOrder,
  Frame,
  FrameHeader,
  HeaderInit,
  NumberArrays,
  NumberReader,
  NumberType,
  StreamedFrame,
} from "../frame/mod.ts";
export type { SharedMemory } from "../net/mod.ts";
export type * from "../net/serving_types.ts";
export type { LoginAttempt } from "../access/mod.ts";
