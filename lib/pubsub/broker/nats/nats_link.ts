import type { ConnectionOptions, NatsConnection, Status } from "@nats-io/transport-node";
import { messageOf } from "../../../base/message_of.ts";
import { reportError } from "../../../base/report.ts";
import { type ClusterOptions, MAX_PINGS_OUT, PING_INTERVAL_MS, STEADY_MS } from "./cluster.ts";
import type { LinkEvents } from "./core_link.ts";
import { dialCluster } from "./dial_cluster.ts";
import { connectOfficialClient, type OfficialClient } from "./official_client.ts";
import { Refusals } from "./refusals.ts";
import type { Turn } from "./turn.ts";
import type { HowToConnect } from "./wire/client_transport.ts";
import { ServerPool } from "./wire/server_pool.ts";

/** How long to wait before a server is tried again; longer while connections do not last. */
const RETRY_MS = 100;

/** A timer takes no more. */
const NO_LIMIT_MS = 2 ** 31 - 1;

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
  #closing = false;
  readonly #client: OfficialClient;
  readonly #how: HowToConnect;
  readonly #refusals = new Refusals();
  readonly #watching: Promise<void>;

  private constructor(client: OfficialClient, how: HowToConnect) {
    this.#client = client;
    this.#how = how;
    this.connection = client.connection;
    this.#watching = this.#watch();
  }

  /**
   * Connects to one of the servers.
   *
   * @throws {NatsError}
   */
  static async connect(options: ClusterOptions): Promise<NatsLink> {
    const pool = new ServerPool(options.hosts);
    let openedAt = -Infinity;
    // How many connections in a row did not last.
    let brief = 0;
    const open: HowToConnect["open"] = async (events, closing) => {
      const isFirst = openedAt < 0;
      const signal = isFirst ? AbortSignal.any([options.signal, closing]) : closing;
      const connection = await dialCluster(pool, options, false, events, signal);
      const now = performance.now();
      brief = now - openedAt < STEADY_MS ? brief + 1 : 0;
      openedAt = now;
      return connection;
    };
    const waitMs = () => Math.min(STEADY_MS, RETRY_MS * 2 ** brief);
    const how: HowToConnect = { open, turn: () => undefined };
    return new NatsLink(await connectOfficialClient(clientOptions(options, waitMs), how), how);
  }

  /** Is set once there is a broker. */
  set turn(turn: Turn) {
    this.#how.turn = turn;
  }

  get connected(): boolean {
    return this.#connected;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    await this.#client.close();
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

function clientOptions({ name }: ClusterOptions, waitMs: () => number): ConnectionOptions {
  return {
    name,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectDelayHandler: waitMs,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: MAX_PINGS_OUT,
    // Trying each server has a limit of its own.
    timeout: NO_LIMIT_MS,
    noAsyncTraces: true,
    ignoreAuthErrorAbort: true,
  };
}
