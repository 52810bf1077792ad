import {
  type Authenticator,
  connect,
  type ConnectionOptions,
  type NatsConnection,
  type Status,
} from "@nats-io/transport-node";
import { getCACertificates } from "node:tls";
import { messageOf } from "../../../base/message_of.ts";
import { reportError } from "../../../base/report.ts";
import {
  type ClusterOptions,
  DIAL_TIMEOUT_MS,
  MAX_PINGS_OUT,
  PING_INTERVAL_MS,
} from "./cluster.ts";
import type { LinkEvents } from "./core_link.ts";
import { NatsError } from "./nats_error.ts";
import { Refusals } from "./refusals.ts";

/** How long to wait before a server is tried again. */
const RETRY_MS = 100;

/** How to connect to a cluster. */
export interface NatsLinkOptions extends ClusterOptions {
  readonly login: Authenticator | undefined;
}

/**
 * A connection to a NATS cluster by the official client, which JetStream needs. It is made again
 * whenever it is lost.
 */
export class NatsLink implements AsyncDisposable {
  readonly connection: NatsConnection;
  /** How often it was made again. */
  reconnects = 0;
  events: LinkEvents | undefined;
  #connected = true;
  #server: string;
  #closing = false;
  readonly #refusals = new Refusals();
  readonly #watching: Promise<void>;

  private constructor(connection: NatsConnection) {
    this.connection = connection;
    this.#server = connection.getServer();
    this.#watching = this.#watch();
  }

  /**
   * Connects to one of the servers.
   *
   * @throws {NatsError}
   */
  static async connect(options: NatsLinkOptions): Promise<NatsLink> {
    try {
      return new NatsLink(await connect(connectionOptions(options)));
    } catch (cause) {
      const message = `Cannot connect to NATS at ${options.hosts.join(", ")}: ${messageOf(cause)}`;
      throw new NatsError("unreachable", message, { cause });
    }
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** The server that it is, or was last, connected to. */
  get server(): string {
    return this.#server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    await this.connection.close();
    discardTransport(this.connection);
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
      case "error": {
        const sentence = this.#refusals.sentence(messageOf(status.error));
        if (sentence !== undefined) this.events?.refused(sentence);
      }
    }
  }
}

/** A client that is closed while it connects leaves that connection open. */
function discardTransport(connection: NatsConnection): void {
  const { protocol } = connection as NatsConnection & {
    readonly protocol: { readonly transport: { discard(): void } };
  };
  protocol.transport.discard();
}

function connectionOptions(
  { hosts, tls, login, caCert, name }: NatsLinkOptions,
): ConnectionOptions {
  const ca = caCert === undefined ? {} : { ca: [...getCACertificates("default"), caCert] };
  return {
    servers: [...hosts],
    name,
    noRandomize: true,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectDelayHandler: () => RETRY_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: MAX_PINGS_OUT,
    timeout: DIAL_TIMEOUT_MS,
    noAsyncTraces: true,
    ignoreAuthErrorAbort: true,
    ...login && { authenticator: login },
    ...(tls || caCert !== undefined) && { tls: ca as { ca: string } },
  };
}
