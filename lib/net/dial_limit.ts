import type { Address } from "./address.ts";
import { ConnectionError } from "./connection_error.ts";
import { diagnose } from "./diagnose.ts";

/**
 * The limits of an attempt to connect: a time, and the signal of who asked for it. Dispose of it when the
 * attempt is over, whatever came of it.
 */
export class DialLimit implements Disposable {
  /** What is being tried. */
  operation: "connect" | "tls-handshake" = "connect";
  readonly #own = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #giveUp = () => this.#own.abort();
  readonly #timer: ReturnType<typeof setTimeout>;

  /** @param ms At most the longest that a timer takes. */
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

  /** Whether the time was over, before the caller gave up. */
  get isOver(): boolean {
    return this.signal.aborted && !this.#caller?.aborted;
  }

  /** What the caller is told of a failure: its own reason if it gave up, or a {@linkcode ConnectionError}. */
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
