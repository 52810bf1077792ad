/**
 * Request and response over frames: a server of one handler, and its client.
 *
 * @module
 */
export { serveRequests } from "./server/serve_requests.ts";
export type { RequestServeOptions } from "./server/serve_requests.ts";
export type { RequestHandler, RequestObserver } from "./server/request_connection.ts";
export type { ReplyInit } from "./server/reply_queue.ts";
export { errorReply } from "./server/error_reply.ts";
export { RequestError } from "./request_error.ts";
export { connectRequests } from "./connect_requests.ts";
export type { ConnectRequestsOptions } from "./connect_requests.ts";
export { RequestClient } from "./client/request_client.ts";
export type { RequestClientOptions, RequestOptions } from "./client/request_client.ts";
export { Reply } from "./client/reply.ts";
export type { ReplyError } from "./client/reply.ts";
export { exchange } from "./exchange.ts";
export type { Answer, ExchangeOptions } from "./exchange.ts";

// What these refer to, of other parts of the library.
export type { FrameError, FrameErrorCode, FramePart } from "../frame/mod.ts";
export type * from "../frame/frame_types.ts";
export type { Server } from "../net/mod.ts";
export type * from "../net/serving_types.ts";
