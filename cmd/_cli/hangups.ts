import type { Host } from "./host.ts";
import type { Interruption } from "./interruption.ts";

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
