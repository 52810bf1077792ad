import type { Host } from "./host.ts";
import type { Interruption } from "./interruption.ts";

/**
 * SIGHUP at a server. Where a terminal is attached, that one has closed, and the server is to stop.
 * Where none is, an operator asks it to read its files again.
 */
export class Hangups implements Disposable {
  readonly #removeListener: () => void;
  #listener: (() => void) | undefined;

  constructor(host: Host, interruption: Interruption) {
    this.#removeListener = host.onHangup(() => {
      // Both the system and the shell may send it.
      if (host.hasTerminal) interruption.interrupt();
      else this.#listener?.();
    });
  }

  /** Has a function called when files are to be read again. */
  listen(listener: () => void): void {
    this.#listener = listener;
  }

  /** Gives the signal its default effect back. */
  [Symbol.dispose](): void {
    this.#removeListener();
  }
}
