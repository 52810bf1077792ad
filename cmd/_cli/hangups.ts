import type { Host } from "./host.ts";
import type { Interruption } from "./interruption.ts";

/**
 * SIGHUP at a server. With a terminal attached, it means that the terminal was closed, and the
 * server is to stop. Without one, an operator asks the server to read its files again.
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
