import { Condition } from "../../base/condition.ts";
import { guard } from "../../base/report.ts";
import { sleep } from "../../base/sleep.ts";
import type { BrokerClientOptions, ClientState } from "./client_options.ts";
import { closedError } from "./pubsub_error.ts";
import type { TellError } from "./tell_error.ts";

/** What a client is doing, and who waits for it to be connected. */
export class ClientStatus {
  readonly #onState: BrokerClientOptions["onState"];
  readonly #tellError: TellError;
  #state: ClientState = "connecting";
  readonly #connected = new Condition();
  /** Made for the first pause. */
  #closing: AbortController | undefined;

  /** It is connecting. */
  constructor(onState: BrokerClientOptions["onState"], tellError: TellError) {
    this.#onState = onState;
    this.#tellError = tellError;
  }

  /** What the client is doing. */
  get state(): ClientState {
    return this.#state;
  }

  /** Changes the state, and tells the program. */
  become(state: ClientState, reason?: unknown, retryMs?: number): void {
    this.#state = state;
    if (state === "connected") this.#connected.notify();
    else if (state === "closed") {
      this.#connected.fail(closedError(reason));
      this.#closing?.abort();
    }
    const change = { state, reason, retryMs };
    guard("The callback onState failed", () => this.#onState?.(change), this.#tellError);
  }

  /** A try to connect has failed, or a connection is lost: the next try comes after a wait. */
  retry(reason: unknown, retryMs: number): void {
    this.become(this.#state === "connecting" ? "connecting" : "reconnecting", reason, retryMs);
  }

  /** Resolves when the client is connected; rejects if it is closed before. */
  async whenConnected(): Promise<void> {
    if (this.#state === "connected") return;
    this.checkOpen();
    await this.#connected.wait();
  }

  /**
   * @param topic Of the publication that it is about, if it is about one.
   * @throws {PubSubError} `closed` if the client takes no orders any more.
   */
  checkOpen(topic?: string): void {
    if (this.#state === "closed" || this.#state === "draining") {
      throw closedError(undefined, topic);
    }
  }

  /** Waits for some time, or until the client is closed if that comes first. */
  async pause(ms: number): Promise<void> {
    if (this.#state === "closed") return;
    await sleep(ms, (this.#closing ??= new AbortController()).signal);
  }
}
