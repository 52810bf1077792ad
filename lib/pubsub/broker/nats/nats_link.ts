import {
  connect,
  type ConnectionOptions,
  credsAuthenticator,
  type NatsConnection,
  type Status,
} from "@nats-io/transport-node";
import { messageOf } from "../../../base/message_of.ts";
import { reportError } from "../../../base/report.ts";
import { sleep } from "../../../base/sleep.ts";
import { NatsError } from "./nats_error.ts";
import type { NatsServers } from "./nats_servers.ts";

/** How often a server is asked for a sign of life, and how many answers may be missing. */
const PING_INTERVAL_MS = 2_000;
const MAX_PINGS_OUT = 2;

/** How long connecting to one server may take. */
const DIAL_TIMEOUT_MS = 2_000;

/** How long to wait before a server is tried again: at first, and where the cluster is gone. */
const RETRY_MS = 100;
const WAITING_RETRY_MS = 500;

/** After this many bytes a server is asked whether it has them. */
const MARK_BYTES = 262_144;

/** Publishers wait while the server has not confirmed this many bytes. */
const MAX_UNCONFIRMED_BYTES = 8_388_608;

/** How to connect to a cluster. */
export interface NatsLinkOptions {
  readonly servers: NatsServers;
  /** The content of a file with credentials. */
  readonly creds?: Uint8Array | undefined;
  /** Certificate authorities to trust besides those of the system (PEM). */
  readonly caCert?: string | undefined;
  /** What the cluster calls the connection. */
  readonly name: string;
  /** How long to wait for a cluster that cannot be reached. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Is told once when it has to wait. */
  readonly onWaiting?: ((reason: string) => void) | undefined;
}

/** What a link tells of. */
export interface NatsLinkEvents {
  disconnected(): void;
  reconnected(): void;
  /** A server refused something that nobody waits for. */
  refused(message: string): void;
}

/** One connection to a NATS cluster, which is made again whenever it is lost. */
export class NatsLink implements AsyncDisposable {
  readonly connection: NatsConnection;
  /** How often it was made again. */
  reconnects = 0;
  events: NatsLinkEvents | undefined;
  #connected = true;
  #server: string;
  #unconfirmed = 0;
  #unmarked = 0;
  #room: PromiseWithResolvers<void> | undefined;
  #closing = false;
  readonly #watching: Promise<void>;

  private constructor(connection: NatsConnection) {
    this.connection = connection;
    this.#server = connection.getServer();
    this.#watching = this.#watch();
  }

  /**
   * Connects to one of the servers, none of which has to be there at once if it may wait.
   *
   * @param noEcho Whether what is published here does not come back.
   * @throws {NatsError}
   */
  static async connect(options: NatsLinkOptions, noEcho: boolean): Promise<NatsLink> {
    const { waitMs, signal, onWaiting } = options;
    const until = performance.now() + waitMs;
    let isTold = false;
    while (true) {
      try {
        return new NatsLink(await connect(connectionOptions(options, noEcho)));
      } catch (cause) {
        const error = natsError(cause, options.servers.hosts);
        const left = until - performance.now();
        if (error.code !== "unreachable" || left <= 0 || signal?.aborted) throw error;
        if (!isTold) onWaiting?.(error.message);
        isTold = true;
        await sleep(Math.min(left, WAITING_RETRY_MS), signal ?? NEVER);
      }
    }
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** The server that it is, or was last, connected to. */
  get server(): string {
    return this.#server;
  }

  /** The largest message, its headers included. */
  get maxPayload(): number {
    return this.connection.info?.max_payload ?? 1_048_576;
  }

  /** Resolves when the server has all that was sent. Rejects if the connection is lost before. */
  flush(): Promise<void> {
    return this.connection.flush();
  }

  /** Notes that so many bytes were sent. */
  sent(bytes: number): void {
    this.#unconfirmed += bytes;
    this.#unmarked += bytes;
    if (this.#unmarked < MARK_BYTES) return;
    const marked = this.#unmarked;
    this.#unmarked = 0;
    const confirmed = () => {
      this.#unconfirmed -= marked;
      if (this.#unconfirmed > MAX_UNCONFIRMED_BYTES) return;
      this.#room?.resolve();
      this.#room = undefined;
    };
    // What a lost connection had taken is in no buffer any more either.
    this.flush().then(confirmed, confirmed);
  }

  /** What to wait for before more is sent; `undefined` if the server keeps up. */
  room(): Promise<void> | undefined {
    if (this.#unconfirmed <= MAX_UNCONFIRMED_BYTES) return undefined;
    return (this.#room ??= Promise.withResolvers()).promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    await this.connection.close();
    this.#room?.resolve();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    try {
      for await (const status of this.connection.status()) this.#noted(status);
    } catch (error) {
      if (!this.#closing) reportError(error, "Watching a connection to NATS failed");
    }
  }

  #noted(status: Status): void {
    if (this.#closing) return;
    switch (status.type) {
      case "disconnect":
        if (!this.#connected) return;
        this.#connected = false;
        this.events?.disconnected();
        return;
      case "reconnect":
        this.#connected = true;
        this.#server = status.server;
        this.reconnects++;
        this.events?.reconnected();
        return;
      case "error":
        this.events?.refused(messageOf(status.error));
    }
  }
}

const NEVER = new AbortController().signal;

function connectionOptions(
  { servers, creds, caCert, name }: NatsLinkOptions,
  noEcho: boolean,
): ConnectionOptions {
  const tls = servers.tls || caCert !== undefined
    ? caCert === undefined ? {} : { ca: caCert }
    : undefined;
  return {
    servers: [...servers.hosts],
    name,
    noEcho,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectDelayHandler: () => RETRY_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: MAX_PINGS_OUT,
    timeout: DIAL_TIMEOUT_MS,
    noAsyncTraces: true,
    ignoreAuthErrorAbort: true,
    ...servers.credentials,
    ...creds && { authenticator: credsAuthenticator(creds) },
    ...tls && { tls },
  };
}

function natsError(cause: unknown, hosts: readonly string[]): NatsError {
  const { name, code } = cause as { name?: unknown; code?: unknown };
  const reason = messageOf(cause);
  const where = hosts.join(", ");
  if (name === "AuthorizationError" || /authorization|authentication|nkey|jwt/i.test(reason)) {
    const message = `Cannot connect to NATS at ${where}: it does not accept the credentials ` +
      "(--nats-creds FILE, or nats://USER:PASSWORD@HOST)";
    return new NatsError("unauthorized", message, { cause });
  }
  const isGone = name === "ConnectionError" || name === "TimeoutError" ||
    (typeof code === "string" && /^(E[A-Z]+|UND_ERR.*)$/.test(code) && !/TLS|CERT/.test(code));
  const message = `Cannot connect to NATS at ${where}: ${reason || "the connection was closed"}`;
  return new NatsError(isGone ? "unreachable" : "unusable", message, { cause });
}
