import { type Authenticator, checkAuthenticator } from "../access/mod.ts";
import { checkOptions, type OptionKinds } from "../base/option_kinds.ts";
import { bytesOption, countOption, msOption, type NumericValues } from "../base/numeric_options.ts";
import type { Address, ConnectionError } from "../net/mod.ts";
import type { Route } from "./route.ts";
import type { SiteOptions } from "./site.ts";

/** Is told what happens at a web server. What a callback throws is reported. */
export interface WebObserver {
  /** A request was answered. */
  answered?(event: AnsweredRequest): void;
  /** What came could not be read as a request, or came too slowly; the client was told the status. */
  refused?(remote: Address, status: number): void;
  /** A connection could not be accepted. */
  acceptFailed?(error: ConnectionError): void;
  /** The handler of a route failed; the client was told 500. @default {reported} */
  failed?(path: string, error: unknown): void;
}

/** A request that was answered. */
export interface AnsweredRequest {
  /** The method. */
  readonly method: string;
  /** The path that was asked for. */
  readonly path: string;
  /** The status of the reply. */
  readonly status: number;
  /** The client. */
  readonly remote: Address;
  /** How long it took until the client had taken the reply, in milliseconds. */
  readonly durationMs: number;
}

/** Limits and surroundings of a web server. */
export interface WebServeOptions extends SiteOptions {
  /** What is answered from the start; `WebServer.add` adds more. @default {nothing} */
  readonly routes?: Iterable<Route> | undefined;
  /**
   * Whether routes may still come: as long as this returns true, who asks for a path that has none is
   * told to come again (503, `starting`), not that there is none (404).
   *
   * @default {none may come}
   */
  readonly isStarting?: (() => boolean) | undefined;
  /** Finds out who asks, for routes that are not public. @default {nobody is asked} */
  readonly authenticator?: Authenticator | undefined;
  /**
   * The most connections at a time, without WebSockets that were accepted. For one more others are
   * closed. If the first request of more than a quarter of them has not come, it is the oldest of these,
   * of the network with the most; else the one that has been idle for longest; if none is idle, one that
   * is about to end or whose request has not come yet; if all are at work, the new one.
   *
   * @default {1_000}
   */
  readonly maxConnections?: number | undefined;
  /** For the head of a request (408). @default {5_000} */
  readonly headerTimeoutMs?: number | undefined;
  /** For the content of a request (408). @default {30_000} */
  readonly bodyTimeoutMs?: number | undefined;
  /** Closes a client that takes nothing of a reply for this long. @default {30_000} */
  readonly writeTimeoutMs?: number | undefined;
  /** Closes a connection on which nothing is asked for this long. @default {60_000} */
  readonly idleTimeoutMs?: number | undefined;
  /** For the authenticator to find out who asks (503). @default {10_000} */
  readonly loginTimeoutMs?: number | undefined;
  /**
   * The most bytes of contents and replies of all connections together. Where there is no room for
   * another one, the answer is 503.
   *
   * @default {67_108_864}
   */
  readonly maxMemoryBytes?: number | undefined;
  /** Is told what happens. */
  readonly observer?: WebObserver | undefined;
}

const OBSERVER_KINDS: OptionKinds<WebObserver> = {
  answered: "function",
  refused: "function",
  acceptFailed: "function",
  failed: "function",
};

const KINDS: OptionKinds<WebServeOptions> = {
  observer: OBSERVER_KINDS,
  isStarting: "function",
  hosts: "texts",
  allowOrigins: "texts",
};

/** @throws {TypeError} if an option that is no number is not what it has to be. */
export function checkWebOptions(options: WebServeOptions): void {
  checkOptions(options, KINDS);
  checkAuthenticator(options.authenticator);
}

/** The limits that are numbers. */
export const WEB_LIMITS = {
  maxConnections: countOption(1_000, 1),
  headerTimeoutMs: msOption(5_000, 1),
  bodyTimeoutMs: msOption(30_000, 1),
  writeTimeoutMs: msOption(30_000, 1),
  idleTimeoutMs: msOption(60_000, 1),
  loginTimeoutMs: msOption(10_000, 1),
  maxMemoryBytes: bytesOption(67_108_864, 1),
};

/** {@linkcode WEB_LIMITS}, checked and with their defaults. */
export type WebLimits = NumericValues<typeof WEB_LIMITS>;
