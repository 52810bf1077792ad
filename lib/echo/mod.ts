/**
 * The echo role: a server that sends every byte back, in one thread or in several, and a client
 * that checks whether one does.
 *
 * @module
 */
export { serveEcho } from "./serve_echo.ts";
export type { EchoServeOptions } from "./serve_echo.ts";
export { serveEchoThreads } from "./serve_echo_threads.ts";
export type { EchoThreadsOptions } from "./serve_echo_threads.ts";
export type { EchoFigures, EchoObserver, EchoPeer, EchoServer } from "./echo_server.ts";
export { exchangeEcho } from "./exchange_echo.ts";
export type { EchoExchangeOptions, EchoResult } from "./exchange_echo.ts";
export { EchoError } from "./echo_error.ts";
export type { EchoErrorCode } from "./echo_error.ts";

// What these refer to, of other parts of the library.
export type * from "../net/serving_types.ts";
