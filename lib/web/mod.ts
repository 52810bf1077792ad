/**
 * The HTTP side of a server: routes with bounds in bytes and time, fixed pages, logins, health, and
 * WebSockets as connections for the server itself.
 *
 * @module
 */
export { serveWeb, WebServer } from "./web_server.ts";
export type { AnsweredRequest, WebObserver, WebServeOptions } from "./web_options.ts";
export type { SiteOptions } from "./site.ts";
export type { Method, Route, WebRequest } from "./route.ts";
export { errorReply, jsonReply, WebError } from "./reply.ts";
export type { WebReply } from "./reply.ts";
export { assetRoute } from "./asset.ts";
export { healthRoutes } from "./health.ts";
export type { Health } from "./health.ts";
export { Metrics } from "./metrics.ts";
export type { Metric, MetricsOptions, MetricValues } from "./metrics.ts";
export { TimeHistogram } from "./histogram.ts";
export { processMetrics } from "./process_metrics.ts";
export type { ProcessMetrics } from "./process_metrics.ts";
export type { Authenticator, Credentials, LoginAttempt } from "../access/mod.ts";
export { type Permission, Principal } from "../access/mod.ts";
export type * from "../net/serving_types.ts";
export type { ServerStart, ServeTarget } from "../net/mod.ts";
