import type { Login } from "./wire/nats_connection.ts";

/** How often a server is asked for a sign of life, and how often in a row it may give none. */
export const PING_INTERVAL_MS = 2_000;
export const MAX_PINGS_OUT = 2;

/** How long connecting to one server may take. */
export const DIAL_TIMEOUT_MS = 2_000;

/** A connection that was lost sooner is not made again at once. */
export const STEADY_MS = 1_000;

/** How any connection to a cluster is made. */
export interface ClusterOptions {
  /** Each as `HOST:PORT`. */
  readonly hosts: readonly string[];
  /** Whether to use TLS if the servers do not ask for it. */
  readonly tls: boolean;
  /** Certificate authorities to trust besides those of the system (PEM). */
  readonly caCert: string | undefined;
  readonly login: Login | undefined;
  /** What the cluster calls the connection. */
  readonly name: string;
  /** Ends the first attempt to connect. */
  readonly signal: AbortSignal;
}
