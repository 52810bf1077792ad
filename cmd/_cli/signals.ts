import type { Host } from "./host.ts";
import { EXIT } from "./exit_code.ts";

/** Why a command was told to stop before it was done. */
export type StopCause = "interrupted" | "stdout-closed";

/**
 * Aborts a command's signal at the first interruption, or when the reader of stdout has gone. A
 * second interruption ends the process.
 */
export class Interruption {
  readonly #abort = new AbortController();
  readonly #onFirst: () => void;
  readonly #removeListener: () => void;
  #cause: StopCause | undefined;

  /** @param onFirst Called at the first interruption, to say what happens next. */
  constructor(host: Host, onFirst: () => void, beforeExit: () => void) {
    this.#onFirst = onFirst;
    this.#removeListener = host.onInterrupt(() => {
      if (this.#cause !== "interrupted") return this.interrupt();
      beforeExit();
      host.exit(EXIT.interrupted);
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** What asked the command to stop last. */
  get cause(): StopCause | undefined {
    return this.#cause;
  }

  /** Asks the command to stop, if that was not done before. */
  interrupt(): void {
    if (this.#cause === "interrupted") return;
    this.#onFirst();
    this.stop("interrupted", new DOMException("Interrupted by a signal", "AbortError"));
  }

  stop(cause: StopCause, reason: unknown): void {
    this.#cause = cause;
    this.#abort.abort(reason);
  }

  /** Whether an error is nothing but the consequence of the abort. */
  explains(error: unknown): boolean {
    if (!this.signal.aborted) return false;
    if (error === this.signal.reason) return true;
    if (!(error instanceof Error)) return false;
    // A library may have wrapped it in an error of its own.
    return error.name === "AbortError" || (error.cause !== error && this.explains(error.cause));
  }

  /** Gives signals their default effect back. */
  dispose(): void {
    this.#removeListener();
  }
}

/**
 * SIGHUP. With a terminal attached, it means that the terminal was closed, and the program is to
 * stop. Without one, an operator asks a server to read its files again.
 */
export class Hangups implements Disposable {
  readonly #removeListener: () => void;
  #listener: (() => void) | undefined;
  /** Whether one came before the server could read its files again. */
  #isDue = false;

  constructor(host: Host, interruption: Interruption) {
    this.#removeListener = host.onHangup(() => {
      // Both the system and the shell may send it.
      if (host.hasTerminal) interruption.interrupt();
      else if (this.#listener) this.#listener();
      else this.#isDue = true;
    });
  }

  /** Has a function called when files are to be read again: at once if that was asked for before. */
  listen(listener: () => void): void {
    this.#listener = listener;
    if (!this.#isDue) return;
    this.#isDue = false;
    listener();
  }

  /** Gives the signal its default effect back. */
  [Symbol.dispose](): void {
    this.#removeListener();
  }
}
