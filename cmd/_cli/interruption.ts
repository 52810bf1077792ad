import type { Host } from "./host.ts";
import { EXIT } from "./exit_code.ts";

/** Why a command was told to stop before it was done. */
export type StopCause = "interrupted" | "stdout-closed";

/**
 * The signal that a command watches, and what aborts it. The first interruption aborts it, the
 * second ends the process; a reader of stdout that has gone aborts it as well.
 */
export class Interruption {
  readonly #abort = new AbortController();
  readonly #removeListener: () => void;
  #cause: StopCause | undefined;

  /** @param onFirst Called with the first interruption, to say what happens from here on. */
  constructor(host: Host, onFirst: () => void, beforeExit: () => void) {
    this.#removeListener = host.onInterrupt(() => {
      if (this.#cause === "interrupted") {
        beforeExit();
        host.exit(EXIT.interrupted);
        return;
      }
      onFirst();
      this.stop("interrupted", new DOMException("Interrupted by a signal", "AbortError"));
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The last thing that asked the command to stop. */
  get cause(): StopCause | undefined {
    return this.#cause;
  }

  stop(cause: StopCause, reason: unknown): void {
    this.#cause = cause;
    this.#abort.abort(reason);
  }

  /** Whether an error says no more than that the command stopped because it was asked to. */
  explains(error: unknown): boolean {
    if (!this.signal.aborted) return false;
    if (error === this.signal.reason) return true;
    if (!(error instanceof Error)) return false;
    // A library may have wrapped it in an error of its own.
    return error.name === "AbortError" || (error.cause !== error && this.explains(error.cause));
  }

  /** From here on, a signal does again what it does by default. */
  dispose(): void {
    this.#removeListener();
  }
}
