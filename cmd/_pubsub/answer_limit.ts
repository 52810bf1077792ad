import { before } from "../../lib/base/before.ts";
import { timerMs } from "../../lib/base/timer_ms.ts";
import type { BrokerClient } from "../../lib/pubsub/client/mod.ts";
import { PubSubError } from "../../lib/pubsub/client/pubsub_error.ts";
import { formatDuration } from "../_cli/mod.ts";
import { lowerFirst } from "../_cli/describe_error.ts";
import type { NamedServers } from "./named_servers.ts";

/** Bounds how long a command waits for its broker: one that answers nothing is given up, and named. */
export class AnswerLimit {
  readonly #client: Pick<BrokerClient, "flush">;
  readonly #servers: Pick<NamedServers, "name">;
  readonly #limitMs: number;
  /** Counts what came of something that takes long. */
  #parts = 0;

  /** For one connected client. @param limitMs How long it waits, in milliseconds. */
  constructor(
    client: Pick<BrokerClient, "flush">,
    servers: Pick<NamedServers, "name">,
    limitMs: number,
  ) {
    this.#client = client;
    this.#servers = servers;
    this.#limitMs = timerMs("--timeout", limitMs);
  }

  /** The address of the server to which the client is connected. */
  get server(): string {
    return this.#servers.name;
  }

  /**
   * Waits for an answer.
   *
   * @param what What was asked for: `stream list`.
   * @throws {PubSubError} `timed-out`, if it does not come in time.
   */
  async wait<T>(what: string, answer: Promise<T>): Promise<T> {
    if (!await before(answer, this.#limitMs)) throw this.#late(what);
    return await answer;
  }

  /**
   * Waits for something that may take long, as long as the broker shows that it is there: it answers
   * pings, or parts come.
   *
   * @throws {PubSubError} `timed-out`, if it does not show that in time.
   */
  async waitLong<T>(what: string, work: Promise<T>): Promise<T> {
    do {
      const parts = this.#parts;
      const isThere = await before(Promise.race([work, this.#ping()]), this.#limitMs);
      if (!isThere && parts === this.#parts) throw this.#late(what);
    } while (!await before(work, this.#limitMs));
    return await work;
  }

  /**
   * Sends a ping, and waits for its answer: behind this, the broker has dealt with what was asked before.
   *
   * @throws {PubSubError} `timed-out`, if nothing is answered in time. Where the connection is lost,
   * another one is tried.
   */
  async ping(what: string): Promise<void> {
    if (!await before(this.#ping(), this.#limitMs)) throw this.#late(what);
  }

  /** Adds to an error that tells of a time which is over whose time that was. */
  named(error: unknown): unknown {
    if (!(error instanceof PubSubError) || error.code !== "timed-out") return error;
    const message = `${this.server}: ${lowerFirst(error.message)}`;
    return new PubSubError("timed-out", message, { cause: error });
  }

  /** A part has come of what {@linkcode AnswerLimit.waitLong} waits for. */
  came(): void {
    this.#parts++;
  }

  #late(what: string): PubSubError {
    const time = formatDuration(this.#limitMs);
    return new PubSubError("timed-out", `${this.server} did not answer ${what} in ${time}`);
  }

  /** Resolves when the broker has answered a ping, or the connection is lost: then another one is tried. */
  async #ping(): Promise<void> {
    await this.#client.flush().catch(() => {});
  }
}
