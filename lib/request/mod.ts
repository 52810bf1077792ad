/**
 * Request and response over frames: a server of one handler, and its client.
 *
 * @module
 */
export { serveRequests } from "./serve_requests.ts";
export type { RequestHandler, RequestObserver, RequestServeOptions } from "./serve_requests.ts";
export type { Reply } from "./reply_queue.ts";
export { errorReply, RequestError } from "./error_reply.ts";
export { connectRequests, RequestClient } from "./request_client.ts";
export type { RequestClientOptions, RequestOptions } from "./request_client.ts";
export { exchange } from "./exchange.ts";
export type { Answer, ExchangeOptions } from "./exchange.ts";
