/**
 * Publish/subscribe over frames: a broker that forwards publications as they came, and tells
 * subscribers of what they missed; and its client.
 *
 * @module
 */
export { Broker, serveBroker } from "./broker.ts";
export type { BrokerObserver, BrokerOptions } from "./broker_options.ts";
export type { BrokerConnection, BrokerStats } from "./broker_stats.ts";
export type { ByeReason, PubSubErrorCode, Refusal } from "./control_frame.ts";
export { PROTOCOL_VERSION } from "./control_frame.ts";
export { SLOW_POLICIES, type SlowPolicy } from "./subscription.ts";
export { filterProblem, groupProblem, topicProblem } from "./topic.ts";
export type { Authenticator, Credentials } from "./authenticator.ts";
export { type Permission, Principal } from "./principal.ts";
export { AuthFileError, type AuthTable, parseAuthFile } from "./auth_file.ts";
export { FileAuthenticator } from "./file_authenticator.ts";
export { hashPassword, hashToken, verifyPassword } from "./credential_hash.ts";
export { connectBroker } from "./connect_broker.ts";
export { BrokerClient } from "./broker_client.ts";
export type {
  BrokerClientOptions,
  BrokerTarget,
  ClientState,
  ClientStateChange,
  ConfirmOptions,
  PublishOptions,
  RequestOptions as BrokerRequestOptions,
} from "./client_options.ts";
export { Backoff, type BackoffOptions } from "./backoff.ts";
export {
  ClientSubscription,
  type MissedPublications,
  type SubscribeOptions,
  type SubscriptionOwner,
} from "./client_subscription.ts";
export { type PublishContent, PubSubMessage } from "./message.ts";
export { PubSubError, type PubSubFailure } from "./pubsub_error.ts";
export { type ByteDuplex, duplexOf } from "./duplex.ts";
