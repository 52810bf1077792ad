import { checkOptions, type OptionKinds } from "../../../base/option_kinds.ts";
import { guardObserver } from "../../../base/report.ts";
import { msOption, numericOption } from "../../../base/numeric_options.ts";
import type { Backplane } from "../backplane.ts";
// The broker that is given the backplane needs it.
import "../streams/stream_work.ts";
import { NatsGateway } from "./nats_gateway.ts";
import { natsLogin } from "./nats_login.ts";
import type { NatsObserver } from "./nats_observer.ts";
import { parseNatsServers } from "./nats_servers.ts";

/** What makes a broker a gateway of a NATS cluster. Closing it ends the connections to NATS. */
export type NatsBackplane = Backplane & AsyncDisposable;

/** How to join a NATS cluster. */
export interface NatsBackplaneOptions {
  /** The content of a file with credentials, as `nsc` makes it; or the seed of an nkey. */
  readonly creds?: string | undefined;
  /** Certificate authorities to trust besides those of the system (PEM). TLS is used then. */
  readonly caCert?: string | undefined;
  /** How long to wait for a cluster that cannot be reached at first. @default {0} */
  readonly waitMs?: number | undefined;
  /** What the cluster calls the broker's connections. @default {"socktool broker"} */
  readonly name?: string | undefined;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** Is told what happens. */
  readonly observer?: NatsObserver | undefined;
}

/**
 * Connects to a NATS cluster, for the option `backplane` of `serveBroker`. The connection is made
 * again whenever it is lost, to any server of the cluster.
 *
 * @param servers As `nats://HOST:PORT`, `tls://…` or `HOST:PORT`, with `USER:PASSWORD@` or `TOKEN@`
 * before the host where the cluster wants it.
 * @returns What the broker is given. It is to be closed once the broker has finished.
 * @throws {NatsError} `unreachable`, `unauthorized` or `unusable`.
 * @throws {TypeError | RangeError} if a server or an option cannot be used.
 */
export async function connectNats(
  servers: readonly string[],
  options: NatsBackplaneOptions = {},
): Promise<NatsBackplane> {
  checkOptions(options, KINDS);
  const { creds, caCert, name = "socktool broker", signal = NEVER } = options;
  const what = "The observer of a NATS cluster failed";
  const observer = guardObserver(what, options.observer ?? {}, OBSERVER_KINDS);
  const { hosts, tls, credentials } = parseNatsServers(servers);
  const link = {
    hosts,
    tls: tls || caCert !== undefined,
    caCert,
    login: natsLogin(credentials, creds),
    name,
    waitMs: numericOption("waitMs", options.waitMs, WAIT),
    signal,
    onWaiting: (reason: string) => observer.waiting?.(reason),
  };
  return await NatsGateway.connect(link, observer);
}

const OBSERVER_KINDS: Required<OptionKinds<NatsObserver>> = {
  waiting: "function",
  disconnected: "function",
  reconnected: "function",
  refused: "function",
};

const KINDS: OptionKinds<NatsBackplaneOptions> = {
  creds: "text",
  caCert: "text",
  name: "text",
  signal: "signal",
  observer: OBSERVER_KINDS,
};

const WAIT = msOption(0);
const NEVER = new AbortController().signal;
