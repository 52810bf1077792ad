import type { Address } from "./address.ts";
import { ConnectionError } from "./connection_error.ts";
import { diagnose } from "./diagnose.ts";

/**
 * What ends an attempt to connect: a timeout, or the caller's signal. Dispose of it when the attempt is
 * over, whatever its outcome.
 */
export class DialLimit implements Disposable {
  /** What is being tried. */
  operation: "connect" | "tls-handshake" = "connect";
  readonly #own = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #giveUp = () => this.#own.abort();
  readonly #timer: ReturnType<typeof setTimeout>;

  /** @param ms The timeout; at most the longest that a timer takes. */
  constructor(ms: number, caller: AbortSignal | undefined) {
    this.#caller = caller;
    this.#timer = setTimeout(this.#giveUp, ms);
    caller?.addEventListener("abort", this.#giveUp, { once: true });
    if (caller?.aborted) this.#giveUp();
  }

  /** Aborted when the time is over, or the caller's signal is aborted. */
  get signal(): AbortSignal {
    return this.#own.signal;
  }

  /** Whether it timed out before the caller gave up. */
  get isOver(): boolean {
    return this.signal.aborted && !this.#caller?.aborted;
  }

  /** What to throw for a failure: the reason of the caller's signal, or a {@linkcode ConnectionError}. */
  async failure(address: Address, cause: unknown): Promise<unknown> {
    if (this.#caller?.aborted) return this.#caller.reason;
    if (cause instanceof ConnectionError) return cause;
    const { operation } = this;
    if (this.isOver) return new ConnectionError(operation, address, cause, "timed-out");
    if (operation === "connect") return await diagnose(operation, address, cause);
    return new ConnectionError(operation, address, cause);
  }

  /** Lets go of the caller's signal. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#giveUp);
  }
}
