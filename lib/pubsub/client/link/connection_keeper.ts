import { sleep } from "../../../base/sleep.ts";
import { Backoff, type BackoffOptions } from "../../../base/backoff.ts";
import { ClientLink } from "./client_link.ts";
import { PubSubError } from "../pubsub_error.ts";

/** A connection that ends sooner counts as a failed try: the waits between tries go on growing. */
const LASTING_MS = 1_000;

/** What a {@linkcode ConnectionKeeper} leaves to its client. */
export interface KeeperHooks {
  /** Makes a connection, each time to the next server. */
  open(signal: AbortSignal): Promise<ClientLink>;
  /** Begins to use a connection; rejects if the broker does not let it be used. */
  greet(link: ClientLink, signal: AbortSignal): Promise<void>;
  /** The connection can be used. */
  connected(link: ClientLink): void;
  /** The connection is lost, or could not be used. */
  lost(reason: unknown): void;
  /** It will be tried again after a wait. */
  retrying(reason: unknown, retryMs: number): void;
  /** It will not be tried again. */
  failed(reason: unknown): void;
}

/** No server could be connected to. */
interface Failure {
  /** Why the last could not. */
  readonly reason: unknown;
  /** Whether it would be the same another time. */
  readonly isFinal: boolean;
}

/** How a {@linkcode ConnectionKeeper} connects. */
export interface KeeperOptions {
  /** How to wait between two rounds of tries; `false` to try once. */
  readonly reconnect: BackoffOptions | false;
  /** Whether the first connection is tried again too. */
  readonly waitsForFirst: boolean;
  /** The longest time until a connection can be used. */
  readonly timeoutMs: number;
  /** How many servers there are: in a round each is tried, one right after the other. */
  readonly servers: number;
  /** Whether each connection has credentials of its own: the next may be right for the broker. */
  readonly renewsCredentials: boolean;
}

/** Keeps a client connected: whenever a connection is lost, it waits and connects again. */
export class ConnectionKeeper {
  readonly #hooks: KeeperHooks;
  readonly #options: KeeperOptions;
  #retry: boolean;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  #connectedAt = 0;

  /** Connects when it is started. */
  constructor(hooks: KeeperHooks, options: KeeperOptions) {
    this.#hooks = hooks;
    this.#options = options;
    this.#retry = options.reconnect !== false;
    this.#backoff = new Backoff(options.reconnect || {});
  }

  /**
   * Resolves when the first connection can be used. Keeps it from then on.
   *
   * @throws what the last try failed with.
   */
  async start(): Promise<void> {
    let outcome = await this.#round();
    while (!(outcome instanceof ClientLink)) {
      const { reason, isFinal } = outcome;
      if (!this.#options.waitsForFirst || isFinal) throw reason;
      await this.#wait(reason);
      this.#stop.signal.throwIfAborted();
      outcome = await this.#round();
    }
    void this.#keep(outcome);
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
      if (performance.now() - this.#connectedAt >= LASTING_MS) this.#backoff.reset();
      this.#hooks.lost(reason);
      link = await this.#again(reason);
    }
  }

  async #again(first: unknown): Promise<ClientLink | undefined> {
    let reason = first;
    // Who was let in before, and is not any more, may have other credentials by now.
    let isFinal = !this.#options.renewsCredentials && isRefusal(first);
    while (this.#retry && !isFinal) {
      await this.#wait(reason);
      const outcome = await this.#round();
      if (this.#stop.signal.aborted) return undefined;
      if (outcome instanceof ClientLink) return outcome;
      ({ reason, isFinal } = outcome);
    }
    this.#hooks.failed(reason);
    return undefined;
  }

  /** Tries each server once. */
  async #round(): Promise<ClientLink | Failure> {
    let reason: unknown;
    let isFinal = true;
    for (let i = 0; i < this.#options.servers; i++) {
      try {
        return await this.#connect();
      } catch (error) {
        reason = error;
        isFinal &&= isRefusal(error);
      }
      if (this.#stop.signal.aborted) break;
    }
    return { reason, isFinal };
  }

  async #wait(reason: unknown): Promise<void> {
    const retryMs = this.#backoff.next();
    this.#hooks.retrying(reason, retryMs);
    await sleep(retryMs, this.#stop.signal);
  }

  async #connect(): Promise<ClientLink> {
    const limit = new AbortController();
    const giveUp = () => limit.abort(this.#stop.signal.reason);
    this.#stop.signal.addEventListener("abort", giveUp, { once: true });
    const timer = setTimeout(() => {
      limit.abort(new PubSubError("timed-out", "The broker did not answer in time"));
    }, this.#options.timeoutMs);
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
      await Promise.race([this.#hooks.greet(opened, limit.signal), lost]);
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
    this.#connectedAt = performance.now();
    this.#hooks.connected(link);
    return link;
  }
}

/** Codes with which a broker refuses how a client introduces itself. */
const REFUSALS: ReadonlySet<string> = new Set([
  "unauthorized",
  "forbidden",
  "bad-field",
  "bad-topic",
  "frame-too-large",
]);

/** Whether another try with the same server would end the same way. */
function isRefusal(reason: unknown): boolean {
  return reason instanceof PubSubError && REFUSALS.has(reason.code);
}
