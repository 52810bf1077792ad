/**
 * Publish/subscribe over frames: a broker that forwards publications as they came, and tells
 * subscribers of what they missed; and its client.
 *
 * @module
 */
export { Broker, serveBroker } from "./broker/broker.ts";
export type { BrokerObserver, BrokerOptions } from "./broker/broker_options.ts";
export { minPendingBytes } from "./broker/broker_options.ts";
export type { BrokerConnection, BrokerStats } from "./broker/broker_stats.ts";
export type { ByeReason, PubSubErrorCode, Refusal } from "./protocol/codes.ts";
export { PROTOCOL_VERSION } from "./protocol/version.ts";
export { SLOW_POLICIES, type SlowPolicy } from "./protocol/slow_policy.ts";
export { filterProblem, groupProblem, topicProblem } from "./protocol/topic.ts";
export { PUBSUB_RIGHTS } from "./broker/routing/rights.ts";
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
  Permission,
  RightsGrammar,
} from "../access/mod.ts";
export { connectBroker } from "./connect_broker.ts";
export { BrokerClient } from "./client/broker_client.ts";
export type {
  BrokerClientOptions,
  BrokerTarget,
  ClientState,
  ClientStateChange,
  ConfirmOptions,
  PublishOptions,
  RequestOptions as BrokerRequestOptions,
} from "./client/client_options.ts";
export { Backoff, type BackoffOptions } from "./client/backoff.ts";
export {
  ClientSubscription,
  type MissedPublications,
  type SubscribeOptions,
  type SubscriptionOwner,
} from "./client/client_subscription.ts";
export { type PublishContent, PubSubMessage } from "./client/message.ts";
export { PubSubError, type PubSubFailure } from "./client/pubsub_error.ts";
export { type ByteDuplex, duplexOf } from "../net/bytes/byte_duplex.ts";
