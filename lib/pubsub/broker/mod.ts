/**
 * The broker alone: without the client, and without a store of streams, which a broker is given.
 *
 * @module
 */
export { Broker, serveBroker } from "./broker.ts";
export type { BrokerObserver, BrokerOptions } from "./broker_options.ts";
export { minPendingBytes } from "./broker_options.ts";
export type { BrokerConnection, BrokerStats } from "./broker_stats.ts";
export type { BrokerOverview, StreamOverview } from "./overview.ts";
export type { TopicFigures } from "./system_topics.ts";
export { PUBSUB_RIGHTS } from "./routing/rights.ts";
export type { Backplane, BackplaneFigures, BackplaneHost, SharedBackplane } from "./backplane.ts";
