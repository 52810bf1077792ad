/**
 * Request and response over frames: a server of one handler, and its client.
 *
 * @module
 */
export { serveMessages } from "./serve_messages.ts";
export type { MessageHandler, MessageObserver, MessageServeOptions } from "./serve_messages.ts";
export type { Reply } from "./reply_queue.ts";
export { errorReply, RequestError } from "./error_reply.ts";
export { connectMessages, MessageClient } from "./message_client.ts";
export type { MessageClientOptions, RequestOptions } from "./message_client.ts";
export { exchange } from "./exchange.ts";
export type { Answer, ExchangeOptions } from "./exchange.ts";
