/**
 * The types that listening, dialling and serving refer to, for entry points that do so by
 * themselves.
 *
 * @module
 */
export type * from "./peer_types.ts";
export type { ClientTls, DialOptions } from "./dial.ts";
export type { ConnectionLimits } from "./limits.ts";
export type { ListenOptions } from "./listen.ts";
export type { Handshakes, Listener, ServerTls } from "./listener.ts";
export type { ServeOptions, ServerObserver } from "./serve.ts";
