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
export type { Authenticator, Credentials } from "../access/authenticator.ts";
export { type Permission, Principal } from "../access/principal.ts";
export { AuthFileError, type AuthTable, parseAuthFile } from "../access/auth_file.ts";
export { FileAuthenticator } from "../access/file_authenticator.ts";
export { hashPassword, hashToken, verifyPassword } from "../access/credential_hash.ts";
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
