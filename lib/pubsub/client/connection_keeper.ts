import { sleep } from "../../base/sleep.ts";
import { Backoff, type BackoffOptions } from "./backoff.ts";
import type { ClientLink } from "./client_link.ts";
import { PubSubError } from "./pubsub_error.ts";

/** What a {@linkcode ConnectionKeeper} leaves to its client. */
export interface KeeperHooks {
  /** Makes a connection. */
  open(signal: AbortSignal): Promise<ClientLink>;
  /** Begins to use a connection; rejects if the broker does not let it be used. */
  greet(link: ClientLink): Promise<void>;
  /** The connection can be used. */
  connected(link: ClientLink): void;
  /** The connection is lost, or could not be used. */
  lost(reason: unknown): void;
  /** It will be tried again after a wait. */
  retrying(reason: unknown, retryMs: number): void;
  /** It will not be tried again. */
  failed(reason: unknown): void;
}

/** Keeps a client connected: whenever a connection is lost, it waits and connects again. */
export class ConnectionKeeper {
  readonly #hooks: KeeperHooks;
  #retry: boolean;
  readonly #backoff: Backoff;
  readonly #timeoutMs: number;
  readonly #stop = new AbortController();

  /**
   * Connects when it is started.
   *
   * @param reconnect How to wait between two tries; `false` to try once.
   * @param timeoutMs The longest time until a connection can be used.
   */
  constructor(hooks: KeeperHooks, reconnect: BackoffOptions | false, timeoutMs: number) {
    this.#hooks = hooks;
    this.#retry = reconnect !== false;
    this.#backoff = new Backoff(reconnect || {});
    this.#timeoutMs = timeoutMs;
  }

  /** Resolves when the first connection can be used; it is tried once. Keeps it from then on. */
  async start(): Promise<void> {
    const link = await this.#connect();
    void this.#keep(link);
  }

  /** From here on, a connection that is lost is not made again. */
  giveUpRetrying(): void {
    this.#retry = false;
  }

  /** Connects no more, and calls no hook any more. The caller closes the connection. */
  stop(): void {
    this.#stop.abort();
  }

  async #keep(first: ClientLink): Promise<void> {
    let link: ClientLink | undefined = first;
    while (link) {
      const reason: unknown = await link.ended;
      if (this.#stop.signal.aborted) return;
      this.#hooks.lost(reason);
      link = await this.#again(reason);
    }
  }

  async #again(first: unknown): Promise<ClientLink | undefined> {
    let reason = first;
    while (this.#retry && !isFinal(reason)) {
      const retryMs = this.#backoff.next();
      this.#hooks.retrying(reason, retryMs);
      await sleep(retryMs, this.#stop.signal);
      if (this.#stop.signal.aborted) return undefined;
      try {
        return await this.#connect();
      } catch (error) {
        if (this.#stop.signal.aborted) return undefined;
        reason = error;
      }
    }
    this.#hooks.failed(reason);
    return undefined;
  }

  async #connect(): Promise<ClientLink> {
    const limit = new AbortController();
    const giveUp = () => limit.abort(this.#stop.signal.reason);
    this.#stop.signal.addEventListener("abort", giveUp, { once: true });
    const timer = setTimeout(() => {
      limit.abort(new PubSubError("timed-out", "The broker did not answer in time"));
    }, this.#timeoutMs);
    let link: ClientLink | undefined;
    try {
      limit.signal.throwIfAborted();
      link = await this.#hooks.open(limit.signal);
      const opened = link;
      limit.signal.throwIfAborted();
      limit.signal.addEventListener("abort", () => opened.close(limit.signal.reason));
      const lost = opened.ended.then((reason) => {
        throw reason ?? new PubSubError("disconnected", "The broker closed the connection");
      });
      // Once the connection can be used, its end is no error here.
      lost.catch(() => {});
      await Promise.race([this.#hooks.greet(opened), lost]);
      limit.signal.throwIfAborted();
    } catch (error) {
      link?.close(error);
      await link?.ended;
      this.#hooks.lost(error);
      throw error;
    } finally {
      clearTimeout(timer);
      this.#stop.signal.removeEventListener("abort", giveUp);
    }
    this.#backoff.reset();
    this.#hooks.connected(link);
    return link;
  }
}

/** Whether another try would end the same way. */
function isFinal(reason: unknown): boolean {
  return reason instanceof PubSubError && reason.code === "unauthorized";
}
